// What memory plans have in common, whatever device they are of.
#pragma once

#include <cstdint>

#include <whorl/device_types.hpp>

namespace whorl {

/// The most that the plan's buffers take at one time.
std::uint64_t peak_live_bytes(const MemoryPlan& plan);

}  // namespace whorl
