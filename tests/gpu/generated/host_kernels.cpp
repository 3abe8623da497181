#include "gpu/generated/host_kernels.hpp"

// First: the dialect.
#include "device/sim/compat.h"

#include "kernels/round0_chunk.h"

#include "generated_kernels.h"

namespace whorl::gpu {
namespace {

template <void (*kKernel)(const EvaluateParams&, const Thread&)>
void call(const std::byte* params, const Thread& thread) {
    kKernel(*reinterpret_cast<const EvaluateParams*>(params), thread);
}

}  // namespace

sim::KernelBody find_generated_kernel(std::string_view name) {
#define WH_ENTRY(kernel, ...) \
    if (name == #kernel) return &call<kernel>;
    WH_GENERATED_KERNELS(WH_ENTRY)
#undef WH_ENTRY
    return nullptr;
}

}  // namespace whorl::gpu
