# Answers find_package for fmt and Highway, of which the verifier for WebAssembly uses the headers alone. They are the host's, in a
# folder of their own: /usr/include holds another C library's headers too.
function(add_headers target folder)
  find_path(parent ${folder} PATHS /usr/include /usr/local/include /opt/homebrew/include NO_DEFAULT_PATH NO_CACHE REQUIRED)
  set(include ${CMAKE_BINARY_DIR}/packages/include)
  file(MAKE_DIRECTORY ${include})
  file(CREATE_LINK ${parent}/${folder} ${include}/${folder} SYMBOLIC)
  add_library(${target} INTERFACE IMPORTED)
  target_include_directories(${target} SYSTEM INTERFACE ${include})
endfunction()

# With one instruction set Highway has no choice to make at run time, which is what its library is for.
add_headers(hwy::hwy hwy)
add_headers(fmt::fmt fmt)
# The separator of thousands would otherwise come from a locale, which is 170 kB.
target_compile_definitions(fmt::fmt INTERFACE FMT_HEADER_ONLY FMT_STATIC_THOUSANDS_SEPARATOR=',')

macro(find_headers method package)
  if("${package}" MATCHES "^(hwy|fmt)$")
    set(${package}_FOUND TRUE)
  endif()
endmacro()
cmake_language(SET_DEPENDENCY_PROVIDER find_headers SUPPORTED_METHODS FIND_PACKAGE)
