// Long calls on a thread of their own, so that Python's thread can see Ctrl-C and report progress meanwhile.
#pragma once

#include <nanobind/nanobind.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <utility>

#include <whorl/prove.hpp>

namespace whorl::python {

/// Ends the calls that were given it: whorl.Stop.
class Stop {
public:
    void set();
    bool is_set() const { return is_set_; }

    /// While it exists, set() sets `flag` too.
    class Attachment {
    public:
        Attachment(Stop* stop, std::atomic<bool>* flag);
        ~Attachment();
        Attachment(const Attachment&) = delete;
        Attachment& operator=(const Attachment&) = delete;

    private:
        Stop* stop_;
        std::atomic<bool>* flag_;
    };

private:
    std::mutex mutex_;
    std::set<std::atomic<bool>*> flags_;
    std::atomic<bool> is_set_ = false;
};

/// Runs call(control) on another thread, without the GIL, and waits. Meanwhile the calling thread, whenever something happens and
/// every 50 ms, handles Python's signals and calls `progress` (a callable of fraction and stage, or None) with the newest
/// progress. What either raises ends the call (ProveControl::stop), and is raised once it has ended.
class LongCall {
public:
    LongCall(nanobind::handle progress, Stop* stop);

    template <class Call>
    auto run(const Call& call) {
        std::optional<decltype(call(std::declval<const ProveControl&>()))> result;
        run_work([&] { result.emplace(call(control_)); });
        return *std::move(result);
    }
    ProveControl& control() { return control_; }

private:
    void run_work(const std::function<void()>& work);

    nanobind::handle progress_;
    std::atomic<bool> flag_ = false;
    Stop::Attachment attachment_;
    ProveControl control_;
    std::mutex mutex_;
    std::condition_variable changed_;
    bool is_done_ = false;
    bool is_new_ = false;
    double fraction_ = 0;
    std::string stage_;
};

}  // namespace whorl::python
