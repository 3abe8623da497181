#include "backend/gpu/sim/group.hpp"

#include <fmt/format.h>
#include <boost/context/fiber.hpp>

#include <algorithm>
#include <exception>
#include <numeric>
#include <optional>
#include <stdexcept>
#include <vector>

#include "backend/gpu/sim/thread.hpp"

namespace whorl::gpu::sim {
namespace {

namespace context = boost::context;

constexpr std::size_t kStackBytes = 64 * 1024;
// Threadgroup memory that every device offers.
constexpr std::uint32_t kMaxSharedWords = 8192;

// A fiber stack out of a worker's pool.
class StackPool {
public:
    context::stack_context allocate() {
        if (free_.empty()) return source_.allocate();
        const context::stack_context stack = free_.back();
        free_.pop_back();
        return stack;
    }
    void deallocate(const context::stack_context& stack) { free_.push_back(stack); }
    ~StackPool() {
        for (context::stack_context& stack : free_) source_.deallocate(stack);
    }

private:
    context::fixedsize_stack source_{kStackBytes};
    std::vector<context::stack_context> free_;
};

// Handed to every fiber by value, as the library asks.
struct PooledStack {
    StackPool* pool;
    context::stack_context allocate() { return pool->allocate(); }
    void deallocate(context::stack_context& stack) noexcept { pool->deallocate(stack); }
};

struct SharedArray {
    std::uint32_t key = 0;
    std::vector<SharedWord> words;
};

// What one host thread needs to run groups; kept between them.
struct Worker {
    StackPool stacks;
    Moment now;
    std::vector<SharedArray> shared;
    std::vector<std::uint32_t> order;
    context::fiber* scheduler = nullptr;  // of the fiber that runs
    std::exception_ptr error;
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

void begin_group(Worker& w) {
    w.now.first_epoch = ++w.now.epoch;
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
    *w.scheduler = std::move(*w.scheduler).resume();
}

void run_plain_group(KernelBody body, const std::byte* params, Thread where) {
    for (where.tid = 0; where.tid < where.size; ++where.tid) body(params, where);
}

void run_barrier_group(KernelBody body, const std::byte* params, Thread where, std::uint64_t seed) {
    Worker& w = worker();
    begin_group(w);
    w.error = nullptr;
    std::vector<context::fiber> fibers(where.size);
    // Where each fiber goes back to when it waits.
    std::vector<context::fiber> schedulers(where.size);
    std::vector<bool> is_done(where.size);
    for (std::uint32_t tid = 0; tid < where.size; ++tid) {
        Thread thread = where;
        thread.tid = tid;
        fibers[tid] =
            context::fiber(std::allocator_arg, PooledStack{&w.stacks}, [&, thread](context::fiber&& scheduler) {
                schedulers[thread.tid] = std::move(scheduler);
                try {
                    body(params, thread);
                } catch (const context::detail::forced_unwind&) {
                    throw;
                } catch (...) {
                    if (!w.error) w.error = std::current_exception();
                }
                is_done[thread.tid] = true;
                return std::move(schedulers[thread.tid]);
            });
    }
    w.order.resize(where.size);
    std::iota(w.order.begin(), w.order.end(), 0u);
    Random random(seed + where.group);
    for (std::uint32_t num_live = where.size; num_live != 0;) {
        // A new order each time, at little cost: a rotation, forwards or backwards.
        std::ranges::rotate(w.order, w.order.begin() + static_cast<std::ptrdiff_t>(random.next() % where.size));
        if (random.next() % 2 == 0) std::ranges::reverse(w.order);
        std::uint32_t num_done = 0;
        for (const std::uint32_t tid : w.order) {
            w.now.tid = tid;
            w.scheduler = &schedulers[tid];
            fibers[tid] = std::move(fibers[tid]).resume();
            if (w.error) std::rethrow_exception(w.error);
            if (is_done[tid]) ++num_done;
        }
        if (num_done != 0 && num_done != num_live) {
            throw std::runtime_error(fmt::format(
                "{} of {} threads of a group returned while the others wait at a barrier", num_done, num_live));
        }
        if (num_done != 0) num_live = 0;
        ++w.now.epoch;
    }
}

void fail_bounds(u64 index, u64 size) {
    throw std::runtime_error(fmt::format("word {} of a buffer of {} words accessed", index, size));
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
