#include "grid.hpp"

#include <fmt/format.h>
#include <tbb/task_arena.h>

#include <algorithm>
#include <atomic>
#include <deque>
#include <mutex>
#include <numeric>
#include <random>
#include <vector>

#include "device/sim/fiber.hpp"
#include "memory.hpp"
#include "threads/parallel.hpp"

namespace fake_metal {
namespace {

void run_threads();

/// Runs one thread of a group after another.
struct Lane {
    whorl::gpu::sim::Fiber fiber{&run_threads};
    FaultGuard guard;
    std::uint32_t thread = 0;
    bool is_done = true;
};

/// What one host thread needs to run groups with barriers; kept between them.
struct Worker {
    std::deque<Lane> lanes;
    std::vector<std::uint32_t> order;
    Lane* lane = nullptr;  // that runs
    const Grid* grid = nullptr;
    GroupPosition position{};
    std::optional<KernelFailure> failure;
};

Worker& worker() {
    thread_local Worker instance;
    return instance;
}

KernelFailure failure_at(const FaultGuard& guard) {
    return {guard.address, guard.is_write, {}};
}

void run_threads() {
    while (true) {
        Worker& w = worker();
        Lane& lane = *w.lane;
        if (sigsetjmp(lane.guard.environment, 0) == 0) {
            w.grid->kernel->run(w.grid->slots.data(), &w.position, lane.thread, 1);
        } else {
            worker().failure = failure_at(worker().lane->guard);
        }
        worker().lane->is_done = true;
        worker().lane->fiber.pause();
    }
}

/// Every thread up to its next barrier or its end, in the worker's order; stops at a failure.
void run_to_barrier(Worker& w) {
    std::size_t num_done = 0;
    for (const std::uint32_t thread : w.order) {
        w.lane = &w.lanes[thread];
        exchange_fault_guard(&w.lane->guard);
        w.lane->fiber.resume();
        exchange_fault_guard(nullptr);
        if (w.failure) return;
        if (w.lane->is_done) ++num_done;
    }
    if (num_done != 0 && num_done != w.order.size()) {
        w.failure = {nullptr, false,
                     fmt::format("{} of {} threads of a group ended while the others wait at a barrier", num_done,
                                 w.order.size())};
    }
}

std::optional<KernelFailure> run_group_with_barriers(const Grid& grid, const GroupPosition& position,
                                                     std::uint32_t num_threads, std::minstd_rand& random) {
    Worker& w = worker();
    w.grid = &grid;
    w.position = position;
    w.failure.reset();
    while (w.lanes.size() < num_threads) w.lanes.emplace_back();
    for (std::uint32_t thread = 0; thread < num_threads; ++thread) {
        w.lanes[thread].thread = thread;
        w.lanes[thread].is_done = false;
    }
    w.order.resize(num_threads);
    std::iota(w.order.begin(), w.order.end(), 0u);
    do {
        // A new order each time, at little cost: a rotation, forwards or backwards.
        std::ranges::rotate(w.order, w.order.begin() + static_cast<std::ptrdiff_t>(random() % num_threads));
        if (random() % 2 == 0) std::ranges::reverse(w.order);
        run_to_barrier(w);
    } while (!w.failure && !w.lanes[0].is_done);
    if (w.failure) w.lanes.clear();  // threads that have not ended are given up: kernels have nothing to destroy
    return w.failure;
}

std::optional<KernelFailure> run_plain_group(const Grid& grid, const GroupPosition& position,
                                             std::uint32_t num_threads) {
    FaultGuard guard;
    std::optional<KernelFailure> failure;
    if (sigsetjmp(guard.environment, 0) == 0) {
        exchange_fault_guard(&guard);
        grid.kernel->run(grid.slots.data(), &position, 0, num_threads);
    } else {
        failure = failure_at(guard);
    }
    exchange_fault_guard(nullptr);
    return failure;
}

std::optional<KernelFailure> run_group(const Grid& grid, std::uint64_t group, std::uint64_t seed) {
    const auto [gx, gy, gz] = grid.groups;
    const auto [sx, sy, sz] = grid.size;
    const GroupPosition position = {
        {static_cast<std::uint32_t>(group % gx), static_cast<std::uint32_t>(group / gx % gy),
         static_cast<std::uint32_t>(group / gx / gy)},
        {gx, gy, gz},
        {sx, sy, sz}};
    grid.kernel->poison_threadgroup_memory();
    if (!grid.kernel->has_barriers) return run_plain_group(grid, position, sx * sy * sz);
    std::minstd_rand random(static_cast<std::uint32_t>(seed + group));
    return run_group_with_barriers(grid, position, sx * sy * sz, random);
}

}  // namespace

std::optional<KernelFailure> run_grid(const Grid& grid, std::uint64_t seed) {
    const std::uint64_t num_groups = std::uint64_t{grid.groups[0]} * grid.groups[1] * grid.groups[2];
    std::mutex mutex;
    std::optional<KernelFailure> first;
    std::atomic<bool> has_failed = false;
    // A thread that helps out must not take up the program's other tasks: they may wait for the device in turn.
    tbb::this_task_arena::isolate([&] {
        whorl::for_each_index(std::uint64_t{0}, num_groups, [&](std::uint64_t group) {
            if (has_failed.load(std::memory_order_relaxed)) return;
            std::optional<KernelFailure> failure = run_group(grid, group, seed);
            if (!failure) return;
            const std::lock_guard lock(mutex);
            if (!has_failed.exchange(true)) first = std::move(failure);
        });
    });
    return first;
}

void wait_at_barrier() {
    worker().lane->fiber.pause();
}

}  // namespace fake_metal
