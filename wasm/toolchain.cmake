# How CMake builds for WebAssembly: Debian's clang 19 with its C and C++ libraries for wasm32-wasi (scripts/bootstrap.sh wasm).
set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_SYSTEM_PROCESSOR wasm32)
set(CMAKE_CXX_COMPILER clang++-19)
set(CMAKE_CXX_COMPILER_TARGET wasm32-wasi)
# The libraries know no exceptions, so nothing can be caught: `catch` is left out, and `throw` ends the instance (runtime.cpp).
set(CMAKE_CXX_FLAGS_INIT "-msimd128 -fignore-exceptions")
set(CMAKE_EXE_LINKER_FLAGS_INIT "-mexec-model=reactor")
set(CMAKE_EXECUTABLE_SUFFIX_CXX .wasm)
# CMake knows no folder for libraries of this architecture.
set(CMAKE_INSTALL_LIBDIR lib)
set(CMAKE_PROJECT_TOP_LEVEL_INCLUDES ${CMAKE_CURRENT_LIST_DIR}/packages.cmake)
