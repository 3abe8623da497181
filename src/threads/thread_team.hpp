// Threads that the system grants.
#pragma once

#include <tbb/global_control.h>
#include <tbb/task_arena.h>

#include <cstdint>
#include <optional>

namespace whorl {

/// Threads that can be started beside the calling one, up to `wanted`: they are started at once, and ended again.
unsigned num_startable_threads(unsigned wanted) noexcept;

/// The threads that a call works on: the calling one and workers of oneTBB. oneTBB ends the process where it cannot start a
/// worker, so as many as the system grants are tried and then started here, before the work; where they are fewer than were
/// asked for, all of oneTBB's work in this process is limited to them from then on. Workers live as long as the process.
class ThreadTeam {
public:
    /// `wanted` threads; 0: one per core that this process may use. At most 2^16 are tried.
    explicit ThreadTeam(std::uint32_t wanted);

    /// How many threads work, at least 1.
    unsigned size() const { return size_; }
    /// How many were asked for.
    unsigned wanted() const { return wanted_; }
    /// Work outside run() uses no more threads than this while the returned object lives.
    tbb::global_control limit_all() const { return {tbb::global_control::max_allowed_parallelism, size_}; }

    template <class Work>
    auto run(const Work& work) const {
        tbb::task_arena arena(static_cast<int>(size_));
        return arena.execute(work);
    }

private:
    unsigned wanted_ = 1;
    unsigned size_ = 1;
    std::optional<tbb::global_control> allowed_;  // more threads than cores
};

}  // namespace whorl
