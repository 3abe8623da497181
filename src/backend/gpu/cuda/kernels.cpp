// The .cu files here define the kernels. What the host links of a kernel is a function of its name, whose address stands for
// it; one that no .cu file defines does not link.
#include "backend/gpu/cuda/kernels.hpp"

#include "kernels/all.h"

#define WH_DECLARE(kernel, Params, threads, barriers, access) extern "C" void kernel(Params);
WH_ALL_KERNELS(WH_DECLARE)
#undef WH_DECLARE

namespace whorl::gpu::cuda {

std::span<const KernelEntry> all_kernels() {
#define WH_ENTRY(kernel, Params, threads, barriers, access) {#kernel, reinterpret_cast<const void*>(&::kernel)},
    static const KernelEntry entries[] = {WH_ALL_KERNELS(WH_ENTRY)};
#undef WH_ENTRY
    return entries;
}

const void* find_kernel(std::string_view name) {
    for (const KernelEntry& entry : all_kernels()) {
        if (name == entry.name) return entry.function;
    }
    return nullptr;
}

}  // namespace whorl::gpu::cuda
