# Debian packages, by `cpack -G DEB` in the build folder: libwhorl-verifier-dev, libwhorl-dev and whorl (the program), and with
# BUILD_SHARED_LIBS also libwhorl-verifier0.1 and libwhorl0.1. Configure with CMAKE_INSTALL_PREFIX=/usr: only then do libraries go where
# Debian's do (lib/<architecture>). Dependencies of programs and shared libraries are those that dpkg-shlibdeps finds, where it is
# installed.
find_program(WHORL_DPKG_SHLIBDEPS dpkg-shlibdeps)
mark_as_advanced(WHORL_DPKG_SHLIBDEPS)

# whorl_debian_package(component NAME package SECTION section DESCRIPTION text [DEPENDS text]): a package of an install component.
macro(whorl_debian_package component)
  cmake_parse_arguments(DEBIAN "" "NAME;SECTION;DESCRIPTION;DEPENDS" "" ${ARGN})
  string(TOUPPER ${component} upper)
  list(APPEND CPACK_COMPONENTS_ALL ${component})
  set(CPACK_DEBIAN_${upper}_PACKAGE_NAME ${DEBIAN_NAME})
  set(CPACK_DEBIAN_${upper}_PACKAGE_SECTION ${DEBIAN_SECTION})
  set(CPACK_DEBIAN_${upper}_DESCRIPTION ${DEBIAN_DESCRIPTION})
  set(CPACK_DEBIAN_${upper}_PACKAGE_DEPENDS ${DEBIAN_DEPENDS})
  # Each package has its copyright; `cmake --install` without a component installs the licences once.
  install(FILES ${PROJECT_SOURCE_DIR}/LICENSE-MIT ${PROJECT_SOURCE_DIR}/LICENSE-APACHE
    DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/${DEBIAN_NAME} COMPONENT ${component} EXCLUDE_FROM_ALL)
endmacro()

set(CPACK_GENERATOR DEB)
set(CPACK_COMPONENTS_ALL "")
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_COMPONENTS_GROUPING IGNORE)
set(CPACK_PACKAGE_NAME whorl)
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY ${PROJECT_DESCRIPTION})
if(NOT CPACK_PACKAGE_CONTACT)
  set(CPACK_PACKAGE_CONTACT "the whorl authors")
endif()
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_STRIP_FILES ON)
if(WHORL_DPKG_SHLIBDEPS)
  set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
  # Where libwhorl finds libwhorl_verifier, which no installed package has; its package is named below.
  set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS ${PROJECT_BINARY_DIR})
endif()

set(api ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})
set(this_version "(= ${PROJECT_VERSION}-${CPACK_DEBIAN_PACKAGE_RELEASE})")
# A static library is linked together with what it rests on, a shared one has it.
if(BUILD_SHARED_LIBS)
  set(verifier_needs "libwhorl-verifier${api} ${this_version}")
  set(prover_needs "libwhorl${api} ${this_version}")
  whorl_debian_package(verifier_runtime NAME libwhorl-verifier${api} SECTION libs
    DESCRIPTION "Verifier for SWIRL proofs: shared library")
else()
  set(verifier_needs "libfmt-dev, libhwy-dev")
  set(prover_needs "libtbb-dev")
  if(WHORL_SIM)
    string(APPEND prover_needs ", libboost-context-dev")
  endif()
endif()
whorl_debian_package(verifier_development NAME libwhorl-verifier-dev SECTION libdevel DEPENDS "${verifier_needs}"
  DESCRIPTION "Verifier for SWIRL proofs: headers and library for C++")
if(WHORL_PROVER)
  if(BUILD_SHARED_LIBS)
    whorl_debian_package(prover_runtime NAME libwhorl${api} SECTION libs DEPENDS "${verifier_needs}"
      DESCRIPTION "Prover for SWIRL: shared library")
  endif()
  whorl_debian_package(prover_development NAME libwhorl-dev SECTION libdevel
    DEPENDS "libwhorl-verifier-dev ${this_version}, ${prover_needs}" DESCRIPTION "Prover for SWIRL: headers and library for C++")
endif()
if(WHORL_CLI)
  whorl_debian_package(program NAME whorl SECTION math DESCRIPTION "Prover and verifier for SWIRL: the program")
endif()
include(CPack)
