// The table of kernels compiled for the host.
#pragma once

#include <cstddef>
#include <string_view>

#include "kernels/types.h"

namespace whorl::gpu::sim {

/// Runs one thread of a kernel.
using KernelBody = void (*)(const std::byte* params, const Thread& thread);
/// Null for a name that is not in the lists.
KernelBody find_kernel(std::string_view name);

}  // namespace whorl::gpu::sim
