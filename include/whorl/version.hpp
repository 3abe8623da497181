// The version of the library; CMake, pkg-config and the program take it from here.
#pragma once

#define WHORL_VERSION_MAJOR 0
#define WHORL_VERSION_MINOR 1
#define WHORL_VERSION_PATCH 0
#define WHORL_VERSION "0.1.0"
