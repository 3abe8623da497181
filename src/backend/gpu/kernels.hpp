// Host handles of all kernels: kernel::fold_pairs is a Kernel<FoldPairsParams>.
#pragma once

#include "backend/gpu/runtime.hpp"
#include "kernels/all.h"

namespace whorl::gpu {

template <class Params>
struct Kernel {
    using ParamsType = Params;
    KernelInfo info;
};

namespace kernel {
#define WH_HANDLE(name, Params, threads, barriers, access) \
    inline constexpr Kernel<Params> name{{#name, threads, sizeof(Params), barriers, access}};
WH_ALL_KERNELS(WH_HANDLE)
#undef WH_HANDLE
}  // namespace kernel

/// Groups of a kernel that give every one of `count` items a thread.
template <class Params>
std::uint64_t groups_for(const Kernel<Params>& kernel, std::uint64_t count) {
    return (count + kernel.info.threads - 1) / kernel.info.threads;
}

}  // namespace whorl::gpu
