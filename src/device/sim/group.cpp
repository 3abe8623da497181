#include "device/sim/group.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <exception>
#include <numeric>
#include <stdexcept>
#include <utility>
#include <vector>

#include "device/sim/fiber.hpp"
#include "device/sim/thread.hpp"

namespace whorl::gpu::sim {
namespace {

// Threadgroup memory that every device offers.
constexpr std::uint32_t kMaxSharedWords = 8192;

// Unwinds threads at a barrier after another thread failed.
struct Abandoned {};

void run_threads();

// Runs one thread of a group after another.
struct Lane {
    Fiber fiber{&run_threads};
    Thread thread{};
    bool is_done = true;
};

struct SharedArray {
    std::uint32_t key = 0;
    std::vector<SharedWord> words;
};

// What one host thread needs to run groups; kept between them.
struct Worker {
    Moment now;
    std::vector<SharedArray> shared;
    std::deque<Lane> lanes;
    std::vector<std::uint32_t> order;
    Lane* lane = nullptr;            // that runs
    std::size_t num_at_buffers = 0;  // threads that wait at a barrier for buffers
    KernelBody body = nullptr;
    const std::byte* params = nullptr;
    std::exception_ptr error;  // of the first thread that failed
};

Worker& worker() {
    thread_local Worker instance;
    return instance;
}

class Random {
public:
    explicit Random(std::uint64_t seed) : state_(seed * 0x9E3779B97F4A7C15u + 1) {}
    std::uint64_t next() {
        state_ ^= state_ << 13;
        state_ ^= state_ >> 7;
        state_ ^= state_ << 17;
        return state_;
    }

private:
    std::uint64_t state_;
};

void run_threads() {
    Worker& w = worker();
    while (true) {
        Lane& lane = *w.lane;
        try {
            if (!w.error) w.body(w.params, lane.thread);
        } catch (const Abandoned&) {
        } catch (...) {
            if (!w.error) w.error = std::current_exception();
        }
        lane.is_done = true;
        lane.fiber.pause();
    }
}

void run_lane(Worker& w, std::uint32_t tid) {
    w.now.tid = tid;
    w.lane = &w.lanes[tid];
    w.lane->fiber.resume();
}

// Every thread up to its next barrier or its end, in the worker's order; stops at an error.
void run_to_barrier(Worker& w) {
    std::size_t num_done = 0;
    w.num_at_buffers = 0;
    for (const std::uint32_t tid : w.order) {
        run_lane(w, tid);
        if (w.error) return;
        if (w.lanes[tid].is_done) ++num_done;
    }
    if (num_done != 0 && num_done != w.order.size()) {
        w.error = std::make_exception_ptr(std::runtime_error(fmt::format(
            "{} of {} threads of a group returned while the others wait at a barrier", num_done, w.order.size())));
    } else if (w.num_at_buffers != 0 && w.num_at_buffers != w.order.size()) {
        w.error = std::make_exception_ptr(
            std::runtime_error(fmt::format("{} of {} threads of a group wait at a barrier for buffers, the others at "
                                           "one for threadgroup memory",
                                           w.num_at_buffers, w.order.size())));
    }
    ++w.now.epoch;
    if (w.num_at_buffers != 0) ++w.now.phase;
}

}  // namespace

Moment& moment() {
    return worker().now;
}

SharedWords shared_words(u32 key, u32 size) {
    Worker& w = worker();
    auto at = std::ranges::find(w.shared, key, &SharedArray::key);
    if (at == w.shared.end()) {
        w.shared.push_back({key, {}});
        at = w.shared.end() - 1;
    }
    if (size > kMaxSharedWords)
        throw std::runtime_error(fmt::format("{} words of threadgroup memory asked for, 8192 are the most", size));
    // Arrays of other kernels may have left words behind; their epochs are old.
    if (at->words.size() < size) at->words.resize(size);
    return {at->words.data(), size, &w.now};
}

void barrier() {
    Worker& w = worker();
    w.lane->fiber.pause();
    if (w.error) throw Abandoned();
}

void buffer_barrier() {
    ++worker().num_at_buffers;
    barrier();
}

void run_plain_group(KernelBody body, const std::byte* params, Thread where) {
    Moment& now = worker().now;
    for (where.tid = 0; where.tid < where.size; ++where.tid) {
        now.tid = where.tid;
        body(params, where);
    }
}

void run_barrier_group(KernelBody body, const std::byte* params, Thread where, std::uint64_t seed) {
    Worker& w = worker();
    w.body = body;
    w.params = params;
    w.now.first_epoch = ++w.now.epoch;
    while (w.lanes.size() < where.size) w.lanes.emplace_back();
    for (where.tid = 0; where.tid < where.size; ++where.tid) {
        w.lanes[where.tid].thread = where;
        w.lanes[where.tid].is_done = false;
    }
    w.order.resize(where.size);
    std::iota(w.order.begin(), w.order.end(), 0u);
    Random random(seed + where.group);
    do {
        // A new order each time, at little cost: a rotation, forwards or backwards.
        std::ranges::rotate(w.order, w.order.begin() + static_cast<std::ptrdiff_t>(random.next() % where.size));
        if (random.next() % 2 == 0) std::ranges::reverse(w.order);
        run_to_barrier(w);
    } while (!w.lanes[0].is_done && !w.error);
    if (!w.error) return;
    for (const std::uint32_t tid : w.order) {
        if (!w.lanes[tid].is_done) run_lane(w, tid);
    }
    std::rethrow_exception(std::exchange(w.error, nullptr));
}

void fail_bounds(u64 index, u64 size) {
    throw std::runtime_error(fmt::format("word {} of a buffer of {} words accessed", index, size));
}
void fail_access(bool is_write) {
    throw std::runtime_error(is_write ? "a buffer written that the kernel's list does not declare as written"
                                      : "a buffer read that the kernel's list does not declare as read");
}
void fail_race(u32 index, u32 other_thread) {
    if (other_thread == kManyReaders) {
        throw std::runtime_error(
            fmt::format("race on threadgroup word {}: thread {} writes what others read since the last barrier", index,
                        moment().tid));
    }
    throw std::runtime_error(fmt::format("race on threadgroup word {}: threads {} and {} since the last barrier", index,
                                         moment().tid, other_thread));
}
void fail_unwritten(u32 index) {
    throw std::runtime_error(fmt::format("threadgroup word {} read before it is written", index));
}

}  // namespace whorl::gpu::sim
