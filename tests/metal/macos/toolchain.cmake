# How CMake builds for arm64 macOS 14 on Linux, with zig. macos_build.py sets ZIG, the compiler's program, and PACKAGES, the
# folder of what packages.cmake hands out.
set(CMAKE_SYSTEM_NAME Darwin)
set(CMAKE_SYSTEM_PROCESSOR arm64)
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES ZIG)

set(CMAKE_CXX_COMPILER ${ZIG} c++)
set(CMAKE_CXX_COMPILER_TARGET aarch64-macos.14.0)
set(CMAKE_OSX_SYSROOT "")
# The program is never run, so what is quickest to compile will do; zig would add checks for undefined behaviour.
set(CMAKE_CXX_FLAGS_INIT "-O0 -fno-sanitize=undefined")
set(CMAKE_CXX_ARCHIVE_CREATE "${ZIG} ar qcs <TARGET> <OBJECTS>")
set(CMAKE_CXX_ARCHIVE_FINISH "")
# CMake demands one for Apple's systems; only installing would use it.
set(CMAKE_INSTALL_NAME_TOOL false)
# To link a first program, zig builds the C++ library, which takes a minute: the one program to link is ours.
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)

set(stubs ${CMAKE_CURRENT_LIST_DIR}/../apple_stubs)
cmake_path(NORMAL_PATH stubs)
set(CMAKE_EXE_LINKER_FLAGS_INIT "-F ${stubs}/Frameworks -L ${stubs}/lib")
set(CMAKE_PROJECT_TOP_LEVEL_INCLUDES ${CMAKE_CURRENT_LIST_DIR}/packages.cmake)
