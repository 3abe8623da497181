# Finds metal-cpp, Apple's C++ headers for Metal, and writes the kernels as the text that Metal compiles. Sets
# WHORL_METAL_CPP, the folder that holds Metal/Metal.hpp or empty, and WHORL_HAS_METAL, which only macOS can have.
#
# Where metal-cpp is looked for: WHORL_METAL_CPP alone if that is set; else where CMake looks for headers, Homebrew's
# folders among them, and build/metal-cpp, where scripts/bootstrap.sh puts it.

set(WHORL_METAL AUTO CACHE STRING "Build the Metal backend: AUTO (on macOS where metal-cpp is found), ON or OFF")
set_property(CACHE WHORL_METAL PROPERTY STRINGS AUTO ON OFF)
set(WHORL_METAL_CPP "$ENV{WHORL_METAL_CPP}" CACHE PATH "The folder of metal-cpp to use; empty: look for one")

# Sets WHORL_METAL_CPP and WHORL_HAS_METAL for the caller.
function(whorl_find_metal)
  set(is_wanted ON)
  if(NOT WHORL_METAL STREQUAL AUTO AND NOT WHORL_METAL)
    set(is_wanted OFF)
  endif()
  set(found NOTFOUND)
  if(WHORL_METAL_CPP)
    find_path(found Metal/Metal.hpp PATHS ${WHORL_METAL_CPP} NO_DEFAULT_PATH NO_CACHE)
  elseif(is_wanted)
    find_path(found Metal/Metal.hpp PATHS ${PROJECT_SOURCE_DIR}/build PATH_SUFFIXES metal-cpp metal_cpp NO_CACHE)
  endif()
  if(NOT found)
    set(found "")
  endif()
  set(WHORL_METAL_CPP "${found}" PARENT_SCOPE)
  set(WHORL_HAS_METAL OFF PARENT_SCOPE)
  if(is_wanted AND APPLE AND found)
    set(WHORL_HAS_METAL ON PARENT_SCOPE)
    message(STATUS "Metal: metal-cpp in ${found}")
  elseif(is_wanted AND NOT WHORL_METAL STREQUAL AUTO)
    if(NOT APPLE)
      message(FATAL_ERROR "WHORL_METAL is ON, but Metal is Apple's: only macOS has it.")
    endif()
    message(FATAL_ERROR "WHORL_METAL is ON, but metal-cpp was not found. scripts/bootstrap.sh metal fetches it; "
      "WHORL_METAL_CPP names a folder that holds Metal/Metal.hpp.")
  elseif(is_wanted AND APPLE)
    message(STATUS "Metal: no metal-cpp; building without (scripts/bootstrap.sh metal fetches it)")
  endif()
endfunction()
whorl_find_metal()

# kernels.metal is all kernels in one text, and kernel_text.cpp what a program carries of it: the text, for Metal to compile
# at run time, and where Xcode's compiler for Metal is, what that makes of it ahead of time.
function(whorl_write_kernel_text)
  set(text ${PROJECT_BINARY_DIR}/kernels.metal)
  set(script ${PROJECT_SOURCE_DIR}/cmake/KernelText.cmake)
  file(GLOB headers CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/kernels/*.h)
  add_custom_command(OUTPUT ${text}
    COMMAND ${CMAKE_COMMAND} -D INCLUDE_DIR=${PROJECT_SOURCE_DIR}/src -D OUTPUT=${text} -P ${script}
    DEPENDS ${headers} ${script} COMMENT "Writing kernels.metal" VERBATIM)

  set(library "")
  if(WHORL_HAS_METAL)
    # Some Xcodes have a program metal that only says where to get the compiler, so finding it is not enough.
    execute_process(COMMAND xcrun -sdk macosx metal --version RESULT_VARIABLE status OUTPUT_QUIET ERROR_QUIET)
    if(status EQUAL 0)
      set(library ${PROJECT_BINARY_DIR}/kernels.metallib)
      add_custom_command(OUTPUT ${library}
        COMMAND xcrun -sdk macosx metal -std=metal3.0 -mmacosx-version-min=14.0 ${text} -o ${library}
        DEPENDS ${text} COMMENT "Compiling kernels.metal (WHORL_METAL=OFF does without)" VERBATIM)
    endif()
  endif()

  set(embedded ${PROJECT_BINARY_DIR}/kernel_text.cpp)
  set(script ${PROJECT_SOURCE_DIR}/cmake/EmbedKernels.cmake)
  add_custom_command(OUTPUT ${embedded}
    COMMAND ${CMAKE_COMMAND} -D TEXT=${text} -D LIBRARY=${library} -D OUTPUT=${embedded} -P ${script}
    DEPENDS ${text} ${library} ${script} COMMENT "Writing kernel_text.cpp" VERBATIM)
  add_custom_target(whorl_kernel_text ALL DEPENDS ${text} ${embedded})
endfunction()
whorl_write_kernel_text()

# whorl_embed_kernels(target): compiles kernel_text.cpp into the target.
function(whorl_embed_kernels target)
  target_sources(${target} PRIVATE ${PROJECT_BINARY_DIR}/kernel_text.cpp)
  add_dependencies(${target} whorl_kernel_text)
endfunction()
