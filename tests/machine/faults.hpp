// A machine without memory or threads: allocations and thread starts of this program fail when told to.
#pragma once

#include <atomic>
#include <cstdint>
#include <limits>

namespace whorl::test {

/// How allocations fail. Those of the C++ runtime's own tables are among them, those of the system below malloc are not.
struct AllocationFaults {
    static constexpr std::uint64_t kNever = std::numeric_limits<std::uint64_t>::max();

    std::atomic<std::uint64_t> num_allocations{0};  ///< since the last reset
    std::atomic<std::uint64_t> first_failing{kNever};
    std::atomic<std::uint64_t> num_failing{1};       ///< so many from `first_failing` on
    std::atomic<std::uint64_t> smallest_failing{0};  ///< in bytes; smaller ones are granted
    std::atomic<std::uint64_t> live_bytes{0};
    std::atomic<std::uint64_t> peak_bytes{0};
};
AllocationFaults& allocation_faults();

inline constexpr std::int64_t kAnyNumberOfThreads = std::numeric_limits<std::int64_t>::max();
/// How many more threads may run at once; further ones are refused with EAGAIN. To be set before the first starts.
std::atomic<std::int64_t>& num_threads_granted();

/// Makes allocation `k` of those from now on fail, and the `count` − 1 after it.
class FailingAllocations {
public:
    explicit FailingAllocations(std::uint64_t k, std::uint64_t count = 1, std::uint64_t smallest = 0);
    ~FailingAllocations();
    FailingAllocations(const FailingAllocations&) = delete;
    FailingAllocations& operator=(const FailingAllocations&) = delete;
    /// Allocations since this was made.
    std::uint64_t num_seen() const;
};

}  // namespace whorl::test
