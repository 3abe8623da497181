// Runs the threads of a threadgroup on the calling host thread.
#pragma once

#include <cstddef>
#include <cstdint>

#include "device/sim/kernels.hpp"

namespace whorl::gpu::sim {

/// Threads one after another: for kernels without barriers. `where` has the group's size, number and count.
void run_plain_group(KernelBody body, const std::byte* params, Thread where);
/// Threads as fibers that take turns at barriers, in an order drawn from `seed`. Errors: std::runtime_error for a race, for memory
/// read before it is written, and where some threads wait at a barrier that others never reach.
void run_barrier_group(KernelBody body, const std::byte* params, Thread where, std::uint64_t seed);

}  // namespace whorl::gpu::sim
