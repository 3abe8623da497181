# Finds a CUDA toolkit and makes CUDA a language of the project. Sets WHORL_HAS_CUDA.
#
# Where CMake looks for nvcc: WHORL_CUDA_TOOLKIT alone if that is set; else PATH, /usr/local/cuda* and build/cuda-toolkit,
# where scripts/bootstrap.sh puts one. The CUDA runtime is linked statically and looks for the driver's library when it is
# first used, so building needs no driver, and a program with CUDA starts on machines that have none.

# A project above whorl asks for CUDA if it wants it; configuring it then looks for no compiler.
if(PROJECT_IS_TOP_LEVEL)
  set(cuda_default AUTO)
else()
  set(cuda_default OFF)
endif()
set(WHORL_CUDA ${cuda_default} CACHE STRING "Build the CUDA backend: AUTO (where a toolkit is found), ON or OFF")
set_property(CACHE WHORL_CUDA PROPERTY STRINGS AUTO ON OFF)
set(WHORL_CUDA_TOOLKIT "$ENV{WHORL_CUDA_TOOLKIT}" CACHE PATH "The CUDA toolkit to use; empty: look for one")
set(WHORL_CUDA_ARCHITECTURES 90 CACHE STRING
  "GPUs to compile for, as CMAKE_CUDA_ARCHITECTURES: 90 is machine code and PTX for compute capability 9.0, 90-real no PTX")

# nvcc knows C++20 since 12.0.
function(whorl_accept_nvcc is_accepted nvcc)
  execute_process(COMMAND ${nvcc} --version OUTPUT_VARIABLE text ERROR_QUIET)
  if(NOT text MATCHES "release ([0-9.]+)" OR CMAKE_MATCH_1 VERSION_LESS 12.0)
    set(${is_accepted} FALSE PARENT_SCOPE)
  endif()
endfunction()

# Sets nvcc to the path of the compiler, or to a false value.
function(whorl_find_nvcc)
  if(CMAKE_CUDA_COMPILER)
    set(nvcc ${CMAKE_CUDA_COMPILER})
  elseif(WHORL_CUDA_TOOLKIT)
    find_program(nvcc nvcc PATHS ${WHORL_CUDA_TOOLKIT}/bin NO_DEFAULT_PATH NO_CACHE VALIDATOR whorl_accept_nvcc)
  else()
    file(GLOB installed /usr/local/cuda /usr/local/cuda-*)
    find_program(nvcc nvcc PATHS ${installed} ${PROJECT_SOURCE_DIR}/build/cuda-toolkit PATH_SUFFIXES bin NO_CACHE
      VALIDATOR whorl_accept_nvcc)
  endif()
  set(nvcc ${nvcc} PARENT_SCOPE)
endfunction()

# whorl_cuda_sources(target files…): compiles the .cu files into the target, and lets all its files include CUDA's headers.
# whorl_room calls it for a room that has .cu files.
function(whorl_cuda_sources target)
  target_sources(${target} PRIVATE ${ARGN})
  target_include_directories(${target} SYSTEM PRIVATE ${CMAKE_CUDA_TOOLKIT_INCLUDE_DIRECTORIES})
  # What the host compiler sees of device functions is empty shells that nobody calls.
  target_compile_options(${target} PRIVATE $<$<COMPILE_LANGUAGE:CUDA>:-Wno-unused-function>)
  # A loop of a template may be empty for some of its constants; nvcc calls its condition pointless.
  target_compile_options(${target} PRIVATE $<$<COMPILE_LANGUAGE:CUDA>:-diag-suppress=186>)
endfunction()

set(WHORL_HAS_CUDA OFF)
if(NOT WHORL_CUDA STREQUAL AUTO AND NOT WHORL_CUDA)
  return()
endif()

whorl_find_nvcc()
if(nvcc)
  # One compiler for host code, whichever language the file is in.
  set(ENV{CUDACXX} ${nvcc})
  set(ENV{CUDAHOSTCXX} ${CMAKE_CXX_COMPILER})
  set(ENV{CUDAARCHS} "${WHORL_CUDA_ARCHITECTURES}")
  if(WHORL_CUDA STREQUAL AUTO)
    # Tries the toolkit aside, so that one that does not work costs only CUDA.
    include(CheckLanguage)
    check_language(CUDA)
    if(NOT CMAKE_CUDA_COMPILER)
      unset(CMAKE_CUDA_COMPILER CACHE)
      message(WARNING "Building without CUDA: ${nvcc} does not compile with ${CMAKE_CXX_COMPILER} as host compiler; "
        "WHORL_CUDA=ON shows why")
      return()
    endif()
  endif()
  set(CMAKE_CUDA_ARCHITECTURES "${WHORL_CUDA_ARCHITECTURES}")
  enable_language(CUDA)
  # CMake 3.25.1 has not heard that nvcc takes C++20.
  if(NOT CMAKE_CUDA20_STANDARD_COMPILE_OPTION)
    set(CMAKE_CUDA20_STANDARD_COMPILE_OPTION -std=c++20)
  endif()
  set(CMAKE_CUDA_STANDARD 20)
  set(CMAKE_CUDA_STANDARD_REQUIRED ON)
  set(CMAKE_CUDA_EXTENSIONS OFF)
  if(WHORL_CCACHE AND NOT CMAKE_CUDA_COMPILER_LAUNCHER)
    set(CMAKE_CUDA_COMPILER_LAUNCHER ${WHORL_CCACHE})
  endif()
  set(WHORL_HAS_CUDA ON)
  message(STATUS "CUDA: ${CMAKE_CUDA_COMPILER} ${CMAKE_CUDA_COMPILER_VERSION} for ${WHORL_CUDA_ARCHITECTURES}")
elseif(WHORL_CUDA STREQUAL AUTO)
  message(STATUS "CUDA: no nvcc 12.0 or newer; building without")
else()
  message(FATAL_ERROR "WHORL_CUDA is ON, but no nvcc 12.0 or newer was found. scripts/bootstrap.sh cuda fetches one; "
    "WHORL_CUDA_TOOLKIT names a toolkit that is installed elsewhere.")
endif()
