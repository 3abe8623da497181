// The kernels that the program carries; cmake/Metal.cmake writes the definitions.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace whorl::gpu::metal {

/// All kernels of src/kernels in one text of Metal 3.0, for newLibraryWithSource.
std::string_view kernel_text();

/// kernel_text() as a Metal library for macOS 14 and later; empty where the build had no compiler for Metal.
std::span<const std::byte> kernel_library();

}  // namespace whorl::gpu::metal
