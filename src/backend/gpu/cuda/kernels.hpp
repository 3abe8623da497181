// The table of kernels compiled by nvcc.
#pragma once

#include <span>
#include <string_view>

namespace whorl::gpu::cuda {

struct KernelEntry {
    const char* name;
    const void* function;  // as cudaLaunchKernel takes it
};
std::span<const KernelEntry> all_kernels();
/// Null for a name that is not in the lists.
const void* find_kernel(std::string_view name);

}  // namespace whorl::gpu::cuda
