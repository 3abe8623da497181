// Work split over the threads of the calling oneTBB arena: use these and not oneTBB's algorithms themselves.
#pragma once

#include <tbb/blocked_range.h>
#include <tbb/parallel_for.h>
#include <tbb/partitioner.h>

#include <mutex>

#include "machine/stop.hpp"

#if defined(__SANITIZE_THREAD__)
#define WHORL_TSAN
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define WHORL_TSAN
#endif
#endif
#ifdef WHORL_TSAN
extern "C" void __tsan_acquire(void* address);  // NOLINT(bugprone-reserved-identifier)
extern "C" void __tsan_release(void* address);  // NOLINT(bugprone-reserved-identifier)
#endif

namespace whorl {

/// What a parallel call orders: all before it comes before each task, each task before all after it, and no two tasks before
/// one another. oneTBB's library sees to that where ThreadSanitizer does not look, so it is told here; else this is nothing.
class TaskOrder {
public:
    TaskOrder() { release(); }
    ~TaskOrder() { acquire(); }
    TaskOrder(const TaskOrder&) = delete;
    TaskOrder& operator=(const TaskOrder&) = delete;

    /// Lives while a task of the call runs.
    class Task {
    public:
        explicit Task(const TaskOrder& order) : order_(order) { order_.acquire(); }
        ~Task() { order_.release(); }
        Task(const Task&) = delete;
        Task& operator=(const Task&) = delete;

    private:
        const TaskOrder& order_;
    };

private:
#ifdef WHORL_TSAN
    void acquire() const { __tsan_acquire(const_cast<TaskOrder*>(this)); }
    void release() const { __tsan_release(const_cast<TaskOrder*>(this)); }
#else
    void acquire() const {}
    void release() const {}
#endif
};

/// body(range) for parts of `range`. Throws Stopped where the calling thread's call is to stop, like all of these: tasks that have
/// not begun are left out.
template <class Value, class Body>
void for_each_part(const tbb::blocked_range<Value>& range, const Body& body) {
    const TaskOrder order;
    tbb::parallel_for(range, [&, flag = stop_flag()](const tbb::blocked_range<Value>& part) {
        const TaskOrder::Task task(order);
        const StopScope scope(flag);
        check_stop();
        body(part);
    });
}

/// body(i) for i in [first, last).
template <class Value, class Body>
void for_each_index(Value first, Value last, const Body& body) {
    for_each_part(tbb::blocked_range<Value>(first, last), [&](const tbb::blocked_range<Value>& part) {
        for (Value i = part.begin(); i != part.end(); ++i) body(i);
    });
}

/// body(i) for i < num_tasks, each a task of its own, whatever its size.
template <class Body>
void for_each_task(unsigned num_tasks, const Body& body) {
    const TaskOrder order;
    tbb::parallel_for(
        0U, num_tasks,
        [&, flag = stop_flag()](unsigned i) {
            const TaskOrder::Task task(order);
            const StopScope scope(flag);
            check_stop();
            body(i);
        },
        tbb::simple_partitioner{});
}

/// join(…) of identity and body(range, identity) over the parts of `range`, in any order.
template <class Range, class Value, class Body, class Join>
Value reduce_parts(const Range& range, const Value& identity, const Body& body, const Join& join) {
    Value result = identity;
    std::mutex mutex;
    for_each_part(range, [&](const Range& part) {
        const Value value = body(part, identity);
        const std::lock_guard lock(mutex);
        result = join(result, value);
    });
    return result;
}

}  // namespace whorl
