// How public calls that prove or commit run.
#pragma once

#include <fmt/format.h>

#include <atomic>

#include <whorl/error.hpp>
#include <whorl/prove.hpp>

#include "machine/guard.hpp"
#include "machine/stop.hpp"
#include "threads/thread_team.hpp"

namespace whorl {

/// Runs `work`, which returns a Result, on the threads that the options ask for, until `stop` is set; failures of the machine come
/// back as errors.
template <class Work>
auto run_guarded(const ProverOptions& options, const char* stage, const std::atomic<bool>* stop,
                 const Work& work) noexcept -> decltype(work()) {
    return guarded(stage, [&]() -> decltype(work()) {
        if (options.num_threads > kMaxThreads) {
            return Error{ErrorCode::kInvalidArgument, stage,
                         fmt::format("expected at most {} threads, found {}", kMaxThreads, options.num_threads)};
        }
        return ThreadTeam(options.num_threads).run([&] {
            const StopScope scope(stop);
            check_stop();
            return work();
        });
    });
}

}  // namespace whorl
