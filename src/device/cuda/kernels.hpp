// Kernels compiled by nvcc.
#pragma once

#include <span>
#include <string_view>

namespace whorl::gpu::cuda {

struct KernelEntry {
    const char* name;
    const void* function;  // as cudaLaunchKernel takes it
};
/// All that a program has of them; it outlives every runtime.
struct KernelSet {
    std::span<const KernelEntry> kernels;
    std::string_view architectures;  ///< that they are compiled for, as text for people
};

}  // namespace whorl::gpu::cuda
