# The libraries that users link, and their installation: headers, CMake package files, pkg-config, the program.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

# Public headers that the verifier defines; all others are the prover's.
set(whorl_verifier_headers error.hpp field.hpp format.hpp key.hpp params.hpp proof.hpp security.hpp statement.hpp transcript.hpp verify.hpp
    version.hpp whorl.h)

# whorl_public_library(target EXPORT_NAME name ROOMS rooms… EXTERNAL targets…): the library whorl::<name> with the objects of the
# modules; static or, with BUILD_SHARED_LIBS, shared. EXTERNAL is behind it and not part of its headers.
function(whorl_public_library target)
  cmake_parse_arguments(LIBRARY "" "EXPORT_NAME" "ROOMS;EXTERNAL" ${ARGN})
  add_library(${target})
  add_library(whorl::${LIBRARY_EXPORT_NAME} ALIAS ${target})
  foreach(room IN LISTS LIBRARY_ROOMS)
    target_sources(${target} PRIVATE $<TARGET_OBJECTS:${room}>)
  endforeach()
  # Objects alone name no language to link with.
  set_target_properties(${target} PROPERTIES LINKER_LANGUAGE CXX EXPORT_NAME ${LIBRARY_EXPORT_NAME}
    VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})
  target_compile_features(${target} INTERFACE cxx_std_20)
  target_include_directories(${target} INTERFACE $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>
    $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  target_link_libraries(${target} PRIVATE ${LIBRARY_EXTERNAL})
  if(WHORL_SANITIZE)
    target_link_options(${target} PUBLIC -fsanitize=${WHORL_SANITIZE})
  endif()
  if(WHORL_COVERAGE)
    target_link_options(${target} PUBLIC --coverage)
  endif()
endfunction()

# whorl_verifier_library(): target whorl_verifier_library, known as whorl::verifier: the modules declared so far. (The target
# whorl_verifier is the module src/verifier.)
function(whorl_verifier_library)
  get_property(rooms GLOBAL PROPERTY WHORL_ROOMS)
  set_property(GLOBAL PROPERTY WHORL_VERIFIER_ROOMS ${rooms})
  whorl_public_library(whorl_verifier_library EXPORT_NAME verifier ROOMS ${rooms} EXTERNAL hwy::hwy fmt::fmt Threads::Threads)
  set_target_properties(whorl_verifier_library PROPERTIES OUTPUT_NAME whorl_verifier)
endfunction()

# whorl_prover_library(): target whorl, known as whorl::whorl: the modules declared so far that the verifier has not. It links the
# verifier for its users too.
function(whorl_prover_library)
  get_property(rooms GLOBAL PROPERTY WHORL_ROOMS)
  get_property(verifier_rooms GLOBAL PROPERTY WHORL_VERIFIER_ROOMS)
  list(REMOVE_ITEM rooms ${verifier_rooms})
  whorl_public_library(whorl EXPORT_NAME whorl ROOMS ${rooms}
    EXTERNAL hwy::hwy TBB::tbb fmt::fmt ${CMAKE_DL_LIBS})
  target_link_libraries(whorl PUBLIC whorl_verifier_library)
  if(WHORL_SIM)
    target_link_libraries(whorl PRIVATE Boost::context)
  endif()
  if(WHORL_HAS_CUDA)
    # As CMake links it into programs with CUDA files; FindCUDAToolkit does not know NVIDIA's wheels.
    find_library(WHORL_CUDART cudart_static REQUIRED HINTS ${CMAKE_CUDA_IMPLICIT_LINK_DIRECTORIES})
    mark_as_advanced(WHORL_CUDART)
    target_link_libraries(whorl PRIVATE $<BUILD_INTERFACE:${WHORL_CUDART}> $<INSTALL_INTERFACE:whorl::cudart> rt)
  endif()
  if(WHORL_HAS_METAL)
    target_link_libraries(whorl PRIVATE "-framework Metal" "-framework Foundation" "-framework CoreFoundation" objc)
  endif()
endfunction()

# Installs the pkg-config file <name>.pc, made of cmake/<name>.pc.in.
function(whorl_install_pkg_config name component)
  # From the folder of .pc files to the prefix.
  file(RELATIVE_PATH whorl_prefix_from_pc /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
  configure_file(${PROJECT_SOURCE_DIR}/cmake/${name}.pc.in ${name}.pc @ONLY)
  install(FILES ${CMAKE_CURRENT_BINARY_DIR}/${name}.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT ${component})
endfunction()

# Installs a library in the components <part>_runtime (a shared library) and <part>_development (all else).
function(whorl_install_library target part export)
  install(TARGETS ${target} EXPORT ${export}
    RUNTIME COMPONENT ${part}_runtime
    LIBRARY COMPONENT ${part}_runtime NAMELINK_COMPONENT ${part}_development
    ARCHIVE COMPONENT ${part}_development)
  install(EXPORT ${export} NAMESPACE whorl:: DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/whorl COMPONENT ${part}_development)
endfunction()

# whorl_program_texts(): the target program_texts, part of `all`: completions and the manual page, which the program makes of its own
# table of options. A program for another machine cannot be asked.
function(whorl_program_texts)
  if(CMAKE_CROSSCOMPILING)
    return()
  endif()
  set(folder ${PROJECT_BINARY_DIR}/texts)
  set(texts "")
  foreach(shell bash zsh fish)
    add_custom_command(OUTPUT ${folder}/whorl.${shell} DEPENDS whorl_program
      COMMAND whorl_program completions ${shell} --out ${folder}/whorl.${shell} VERBATIM)
    list(APPEND texts ${folder}/whorl.${shell})
  endforeach()
  add_custom_command(OUTPUT ${folder}/whorl.1 DEPENDS whorl_program COMMAND whorl_program man --out ${folder}/whorl.1 VERBATIM)
  file(MAKE_DIRECTORY ${folder})
  add_custom_target(program_texts ALL DEPENDS ${texts} ${folder}/whorl.1)
endfunction()

# Installs what whorl_program_texts made.
function(whorl_install_program_texts)
  if(CMAKE_CROSSCOMPILING)
    return()
  endif()
  set(folder ${PROJECT_BINARY_DIR}/texts)
  # Debian's zsh looks in another folder of /usr than others do.
  set(zsh_folder ${CMAKE_INSTALL_DATADIR}/zsh/site-functions)
  if(CMAKE_INSTALL_PREFIX STREQUAL "/usr" AND EXISTS /etc/debian_version)
    set(zsh_folder ${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions)
  endif()
  install(FILES ${folder}/whorl.bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME whorl COMPONENT program)
  install(FILES ${folder}/whorl.zsh DESTINATION ${zsh_folder} RENAME _whorl COMPONENT program)
  install(FILES ${folder}/whorl.fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d COMPONENT program)
  install(FILES ${folder}/whorl.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 COMPONENT program)
endfunction()

# whorl_install(): what `cmake --install` puts where GNUInstallDirs says. Components are for packages (cmake/Debian.cmake).
function(whorl_install)
  # A static library is linked together with what it rests on; a shared one has it, and its pkg-config file needs no other.
  set(verifier_requires "")
  set(verifier_libs "")
  if(NOT BUILD_SHARED_LIBS)
    set(verifier_requires "libhwy fmt")
    set(verifier_libs "-lstdc++ -lm -lpthread")
  endif()
  whorl_install_library(whorl_verifier_library verifier whorlVerifierTargets)
  whorl_install_pkg_config(whorl-verifier verifier_development)
  list(TRANSFORM whorl_verifier_headers PREPEND ${PROJECT_SOURCE_DIR}/include/whorl/ OUTPUT_VARIABLE verifier_headers)
  install(FILES ${verifier_headers} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/whorl COMPONENT verifier_development)

  set(has_cuda OFF)
  set(sim_dependency "")
  set(cudart_folder "")
  if(WHORL_PROVER)
    set(cudart_flags "")
    set(sim_flags "")
    if(WHORL_SIM)
      set(sim_dependency "find_dependency(Boost CONFIG COMPONENTS context)")
      set(sim_flags "-lboost_context")
    endif()
    if(WHORL_HAS_CUDA)
      set(has_cuda ON)
      get_filename_component(cudart_folder ${WHORL_CUDART} DIRECTORY)
      set(cudart_flags "-L${cudart_folder} -lcudart_static -lrt")
    endif()
    # libhwy and fmt come after the verifier, which needs them too, by its own file.
    set(prover_requires "")
    set(prover_libs "")
    if(NOT BUILD_SHARED_LIBS)
      set(prover_requires "tbb")
      set(prover_libs "${sim_flags} ${cudart_flags} -lstdc++ -lm -ldl -lpthread")
    endif()
    whorl_install_library(whorl prover whorlProverTargets)
    whorl_install_pkg_config(whorl prover_development)
    file(GLOB headers CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/include/whorl/*.hpp)
    list(REMOVE_ITEM headers ${verifier_headers})
    install(FILES ${headers} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/whorl COMPONENT prover_development)
  endif()

  set(package_folder ${CMAKE_INSTALL_LIBDIR}/cmake/whorl)
  configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/whorlConfig.cmake.in whorlConfig.cmake
    INSTALL_DESTINATION ${package_folder})
  # Below 1.0 a minor version may break what the one before had.
  write_basic_package_version_file(whorlConfigVersion.cmake COMPATIBILITY SameMinorVersion)
  install(FILES ${CMAKE_CURRENT_BINARY_DIR}/whorlConfig.cmake ${CMAKE_CURRENT_BINARY_DIR}/whorlConfigVersion.cmake
    DESTINATION ${package_folder} COMPONENT verifier_development)
  install(FILES ${PROJECT_SOURCE_DIR}/LICENSE-MIT ${PROJECT_SOURCE_DIR}/LICENSE-APACHE DESTINATION ${CMAKE_INSTALL_DOCDIR}
    COMPONENT licenses)
  if(WHORL_CLI)
    install(TARGETS whorl_program COMPONENT program)
    whorl_install_program_texts()
  endif()
endfunction()
