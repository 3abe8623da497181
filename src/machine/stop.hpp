// Calls that their callers stop.
#pragma once

#include <atomic>

namespace whorl {

/// Thrown where a call finds that it shall stop; becomes ErrorCode::kCancelled (guard.hpp).
struct Stopped {};

/// The flag of the call that this thread works for; null: none. Work that other threads do for it takes it along
/// (threads/parallel.hpp).
const std::atomic<bool>* stop_flag() noexcept;

/// While it lives, this thread works for the call with that flag.
class StopScope {
public:
    explicit StopScope(const std::atomic<bool>* flag) noexcept;
    ~StopScope();
    StopScope(const StopScope&) = delete;
    StopScope& operator=(const StopScope&) = delete;

private:
    const std::atomic<bool>* outer_;
};

/// Throws Stopped where the call shall stop.
inline void check_stop() {
    const std::atomic<bool>* flag = stop_flag();
    if (flag != nullptr && flag->load(std::memory_order_relaxed)) throw Stopped();
}

}  // namespace whorl
