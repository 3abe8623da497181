#include "machine/memory_plan.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace whorl {

std::uint64_t peak_live_bytes(const MemoryPlan& plan) {
    std::vector<std::pair<std::uint32_t, std::int64_t>> changes;
    for (const PlannedBuffer& buffer : plan.buffers) {
        changes.emplace_back(buffer.taken, static_cast<std::int64_t>(buffer.bytes));
        changes.emplace_back(buffer.returned, -static_cast<std::int64_t>(buffer.bytes));
    }
    std::ranges::sort(changes);
    std::int64_t live = 0, peak = 0;
    for (const auto& [event, change] : changes) peak = std::max(peak, live += change);
    return static_cast<std::uint64_t>(peak);
}

}  // namespace whorl
