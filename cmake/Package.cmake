# The library that users link, and its installation: headers, CMake package files, pkg-config, the program.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

# Libraries behind the public one, as CMake targets and as their pkg-config names. None is part of the public headers.
set(whorl_library_dependencies hwy::hwy TBB::tbb fmt::fmt Boost::context)
set(whorl_pkg_config_requires "libhwy tbb fmt")
set(whorl_pkg_config_libs "-lboost_context")

# whorl_public_library(): target whorl, known as whorl::whorl: the objects of all modules but the program's in one library,
# static or, with BUILD_SHARED_LIBS, shared.
function(whorl_public_library)
  get_property(rooms GLOBAL PROPERTY WHORL_ROOMS)
  list(REMOVE_ITEM rooms whorl_cli)
  add_library(whorl)
  add_library(whorl::whorl ALIAS whorl)
  foreach(room IN LISTS rooms)
    target_sources(whorl PRIVATE $<TARGET_OBJECTS:${room}>)
  endforeach()
  # Objects alone name no language to link with.
  set_target_properties(whorl PROPERTIES LINKER_LANGUAGE CXX VERSION ${PROJECT_VERSION}
    SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})
  target_compile_features(whorl INTERFACE cxx_std_20)
  target_include_directories(whorl INTERFACE $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>
    $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  target_link_libraries(whorl PRIVATE ${whorl_library_dependencies} ${CMAKE_DL_LIBS})
  if(WHORL_SANITIZE)
    target_link_options(whorl PUBLIC -fsanitize=${WHORL_SANITIZE})
  endif()
  if(WHORL_COVERAGE)
    target_link_options(whorl PUBLIC --coverage)
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

# whorl_install(): what `cmake --install` puts where GNUInstallDirs says.
function(whorl_install)
  set(cudart_flags "")
  if(WHORL_HAS_CUDA)
    get_filename_component(cudart_folder ${WHORL_CUDART} DIRECTORY)
    set(cudart_flags "-L${cudart_folder} -lcudart_static -lrt")
  endif()
  set(package_folder ${CMAKE_INSTALL_LIBDIR}/cmake/whorl)
  install(TARGETS whorl EXPORT whorlTargets)
  install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/whorl DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
  install(EXPORT whorlTargets NAMESPACE whorl:: DESTINATION ${package_folder})
  configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/whorlConfig.cmake.in whorlConfig.cmake
    INSTALL_DESTINATION ${package_folder})
  # Below 1.0 a minor version may break what the one before had.
  write_basic_package_version_file(whorlConfigVersion.cmake COMPATIBILITY SameMinorVersion)
  install(FILES ${CMAKE_CURRENT_BINARY_DIR}/whorlConfig.cmake ${CMAKE_CURRENT_BINARY_DIR}/whorlConfigVersion.cmake
    DESTINATION ${package_folder})
  file(RELATIVE_PATH whorl_prefix_from_pc /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
  configure_file(${PROJECT_SOURCE_DIR}/cmake/whorl.pc.in whorl.pc @ONLY)
  install(FILES ${CMAKE_CURRENT_BINARY_DIR}/whorl.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
  install(FILES ${PROJECT_SOURCE_DIR}/LICENSE-MIT ${PROJECT_SOURCE_DIR}/LICENSE-APACHE DESTINATION ${CMAKE_INSTALL_DOCDIR})
  if(WHORL_CLI)
    install(TARGETS whorl_program)
  endif()
endfunction()
