// The simulated device: kernels run as host code, threadgroup by threadgroup, with barriers that really make threads wait,
// buffers whose bounds are checked and threadgroup memory whose races are found. It yields the bytes of every other device.
#pragma once

#include <memory>

#include "backend/gpu/runtime.hpp"

namespace whorl::gpu::sim {

/// Threadgroups run in parallel on the calling TBB arena; the threads of a group that has barriers take turns, in an
/// order drawn from `seed`.
std::unique_ptr<Runtime> make_runtime(std::uint64_t seed = 1);

}  // namespace whorl::gpu::sim
