// Kernels for Metal, which a program carries.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace whorl::gpu::metal {

/// They outlive every runtime.
struct KernelText {
    std::string_view text;  ///< all kernels in one text of Metal 3.0, for newLibraryWithSource
    std::span<const std::byte>
        library;  ///< that as a Metal library for macOS 14 and later; empty where the build had no compiler for Metal
};

}  // namespace whorl::gpu::metal
