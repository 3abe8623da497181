#include "backend/gpu/compiled/sim/sim_gpu.hpp"

// First: the dialect.
#include "device/sim/compat.h"

#include "kernels/all.h"
#include "kernels/gkr.h"
#include "kernels/grind.h"
#include "kernels/leaves.h"
#include "kernels/merkle.h"
#include "kernels/message.h"
#include "kernels/mle.h"
#include "kernels/ntt.h"
#include "kernels/round0.h"
#include "kernels/sponge.h"
#include "kernels/stacking.h"
#include "kernels/traces.h"
#include "kernels/vectors.h"
#include "kernels/whir.h"

namespace whorl::gpu::sim {
namespace {

template <class Params, void (*kKernel)(const Params&, const Thread&)>
void call(const std::byte* params, const Thread& thread) {
    kKernel(*reinterpret_cast<const Params*>(params), thread);
}

}  // namespace

KernelBody find_kernel(std::string_view name) {
#define WH_ENTRY(kernel, Params, threads, barriers, access) \
    if (name == #kernel) return &call<Params, kernel>;
    WH_ALL_KERNELS(WH_ENTRY)
#undef WH_ENTRY
    return nullptr;
}

std::unique_ptr<Runtime> make_runtime(const Options& options) {
    return make_runtime(&find_kernel, options);
}

}  // namespace whorl::gpu::sim
