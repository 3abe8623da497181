// Work whose stages need each other in order, to see whether a GPU keeps it.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "device/runtime.hpp"

namespace whorl {

inline constexpr std::uint32_t kNumOrderedStages = 160;

/// Copies, fills and kernels drawn from `seed`, in submissions that nobody waits for until the last: stages read what those
/// before wrote, and overwrite what they read and wrote. Returns the words that are there in the end, the same on every
/// device. Errors: gpu::DeviceError.
std::vector<std::uint32_t> run_ordered_stages(std::unique_ptr<gpu::Runtime> runtime, std::uint64_t seed);

}  // namespace whorl
