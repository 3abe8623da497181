# Answers find_package for the libraries that Homebrew has on a Mac. PACKAGES holds include/, the headers of just these
# libraries, and lib/, what the linker believes of those that have one; macos_build.py fills it.
function(add_package target)
  add_library(${target} INTERFACE IMPORTED)
  target_include_directories(${target} SYSTEM INTERFACE ${PACKAGES}/include)
  foreach(library IN LISTS ARGN)
    target_link_libraries(${target} INTERFACE ${PACKAGES}/lib/lib${library}.tbd)
  endforeach()
endfunction()

add_package(hwy::hwy hwy)
add_package(TBB::tbb tbb)
add_package(Boost::context boost_context)
add_package(nlohmann_json::nlohmann_json)
add_package(CLI11::CLI11)
# fmt's functions have the C++ library's types in their names, which are other types on a Mac.
add_package(fmt::fmt)
target_compile_definitions(fmt::fmt INTERFACE FMT_HEADER_ONLY)

macro(find_stubbed_package method package)
  if("${package}" MATCHES "^(hwy|TBB|Boost|nlohmann_json|CLI11|fmt)$")
    set(${package}_FOUND TRUE)
  endif()
endmacro()
cmake_language(SET_DEPENDENCY_PROVIDER find_stubbed_package SUPPORTED_METHODS FIND_PACKAGE)
