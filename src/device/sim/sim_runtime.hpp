// The simulated device: kernels run as host code, threadgroup by threadgroup, with barriers that really make threads wait,
// buffers whose bounds are checked and threadgroup memory whose races are found. It yields the bytes of every other device.
#pragma once

#include <memory>

#include "device/runtime.hpp"
#include "device/sim/kernels.hpp"

namespace whorl::gpu::sim {

/// What tests vary.
struct Options {
    std::uint64_t seed = 1;        ///< of the order in which the threads of a group take turns
    std::uint64_t memory = 0;      ///< bytes of device memory; 0: as much as the host has
    std::uint64_t max_buffer = 0;  ///< bytes of the largest allocation; 0: no limit
    bool finds_races = false;      ///< on device memory within a stage, at seven times the memory (race_check.hpp)
    bool is_unified = true;  ///< false: the host reaches shared memory alone, as on a device with memory of its own
};
/// A device with the kernels that `find_kernel` knows. Threadgroups run in parallel on the calling TBB arena; the threads of a
/// group that has barriers take turns.
std::unique_ptr<Runtime> make_runtime(FindKernel find_kernel, const Options& options);

}  // namespace whorl::gpu::sim
