#include "run.hpp"

#include <nanobind/stl/string.h>

#include "released.hpp"

namespace nb = nanobind;

namespace whorl::python {

void Stop::set() {
    const std::lock_guard lock(mutex_);
    is_set_ = true;
    for (std::atomic<bool>* flag : flags_) flag->store(true);
}

Stop::Attachment::Attachment(Stop* stop, std::atomic<bool>* flag) : stop_(stop), flag_(flag) {
    if (stop_ == nullptr) return;
    const std::lock_guard lock(stop_->mutex_);
    stop_->flags_.insert(flag_);
    if (stop_->is_set_) flag_->store(true);
}

Stop::Attachment::~Attachment() {
    if (stop_ == nullptr) return;
    const std::lock_guard lock(stop_->mutex_);
    stop_->flags_.erase(flag_);
}

LongCall::LongCall(nb::handle progress, Stop* stop) : progress_(progress), attachment_(stop, &flag_) {
    control_.stop = &flag_;
    if (!progress.is_none()) {
        control_.progress = [this](const Progress& p) {
            const std::lock_guard lock(mutex_);
            fraction_ = p.fraction;
            stage_ = p.stage;
            is_new_ = true;
            changed_.notify_one();
        };
    }
}

void LongCall::run_work(const std::function<void()>& work) {
    std::exception_ptr fault;
    std::exception_ptr raised;
    std::thread thread([&] {
        try {
            work();
        } catch (...) {
            fault = std::current_exception();
        }
        const std::lock_guard lock(mutex_);
        is_done_ = true;
        changed_.notify_one();
    });
    for (bool is_done = false; !is_done;) {
        std::optional<std::pair<double, std::string>> news;
        {
            const Released released;
            std::unique_lock lock(mutex_);
            changed_.wait_for(lock, std::chrono::milliseconds(50), [&] { return is_done_ || is_new_; });
            is_done = is_done_;
            if (is_new_) news.emplace(fraction_, stage_);
            is_new_ = false;
        }
        if (raised) continue;
        try {
            if (PyErr_CheckSignals() != 0) throw nb::python_error();
            if (news) progress_(news->first, news->second);
        } catch (...) {
            raised = std::current_exception();
            flag_.store(true);
        }
    }
    {
        const Released released;
        thread.join();
    }
    if (raised) std::rethrow_exception(raised);
    if (fault) std::rethrow_exception(fault);
}

}  // namespace whorl::python
