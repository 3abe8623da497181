// Kernels compiled for the host.
#pragma once

#include <cstddef>
#include <string_view>

#include "kernels/types.h"

namespace whorl::gpu::sim {

/// Runs one thread of a kernel.
using KernelBody = void (*)(const std::byte* params, const Thread& thread);
/// What knows them by name: null for a name that it does not know.
using FindKernel = KernelBody (*)(std::string_view name);

}  // namespace whorl::gpu::sim
