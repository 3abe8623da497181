// The .cu files here define the kernels. What the host links of a kernel is a function of its name, whose address stands for
// it; one that no .cu file defines does not link.
#include "backend/gpu/compiled/cuda/cuda_gpus.hpp"

#include "kernels/all.h"

#define WH_DECLARE(kernel, Params, threads, barriers, access) extern "C" void kernel(Params);
WH_ALL_KERNELS(WH_DECLARE)
#undef WH_DECLARE

namespace whorl::gpu::cuda {

namespace {

std::span<const KernelEntry> all_kernels() {
#define WH_ENTRY(kernel, Params, threads, barriers, access) {#kernel, reinterpret_cast<const void*>(&::kernel)},
    static const KernelEntry entries[] = {WH_ALL_KERNELS(WH_ENTRY)};
#undef WH_ENTRY
    return entries;
}

}  // namespace

KernelSet kernel_set() {
    return {all_kernels(), WHORL_CUDA_ARCHITECTURES};
}

std::unique_ptr<Runtime> make_runtime(unsigned index) {
    return make_runtime(index, kernel_set());
}

std::vector<DeviceReport> list_devices() {
    return list_devices(kernel_set());
}

std::string device_problem(unsigned index) {
    return device_problem(index, kernel_set());
}

}  // namespace whorl::gpu::cuda
