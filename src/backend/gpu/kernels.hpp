// Host handles of all kernels: kernel::fold_pairs is a Kernel<FoldPairsParams>.
#pragma once

#include <whorl/field.hpp>

#include "device/runtime.hpp"
#include "kernels/all.h"

namespace whorl::gpu {

namespace kernel {
#define WH_HANDLE(name, Params, threads, barriers, access) \
    inline constexpr Kernel<Params> name{{#name, threads, sizeof(Params), barriers, access}};
WH_ALL_KERNELS(WH_HANDLE)
#undef WH_HANDLE
}  // namespace kernel

/// An extension element as a kernel's parameter.
inline ExtParam ext_param(const Fp4& x) {
    return {{x.c[0].montgomery(), x.c[1].montgomery(), x.c[2].montgomery(), x.c[3].montgomery()}};
}

}  // namespace whorl::gpu
