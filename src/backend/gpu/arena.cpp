#include "backend/gpu/arena.hpp"

#include <algorithm>
#include <numeric>
#include <stdexcept>

namespace whorl::gpu {
namespace {

constexpr std::uint64_t kAlignment = 256;

std::uint64_t round_up(std::uint64_t bytes) {
    return (std::max<std::uint64_t>(bytes, 1) + kAlignment - 1) / kAlignment * kAlignment;
}

// Offsets so that buffers in use at the same time do not overlap: largest first, each at the lowest place that is free
// during its life.
void place_buffers(MemoryPlan& plan) {
    std::vector<std::uint32_t> by_size(plan.buffers.size());
    std::iota(by_size.begin(), by_size.end(), 0u);
    // Not std::stable_sort: clang 19 warns of what libstdc++ 12 does in it.
    std::ranges::sort(by_size, [&](std::uint32_t a, std::uint32_t b) {
        const std::uint64_t bytes_a = plan.buffers[a].bytes, bytes_b = plan.buffers[b].bytes;
        return bytes_a != bytes_b ? bytes_a > bytes_b : a < b;
    });
    std::vector<std::uint32_t> placed;  // by offset
    for (const std::uint32_t i : by_size) {
        PlannedBuffer& buffer = plan.buffers[i];
        std::uint64_t offset = 0;
        for (const std::uint32_t other_index : placed) {
            const PlannedBuffer& other = plan.buffers[other_index];
            if (other.returned < buffer.taken || buffer.returned < other.taken) continue;
            if (other.offset >= offset + buffer.bytes) break;
            offset = std::max(offset, other.offset + other.bytes);
        }
        buffer.offset = offset;
        plan.arena_bytes = std::max(plan.arena_bytes, offset + buffer.bytes);
        const auto at =
            std::ranges::lower_bound(placed, offset, {}, [&](std::uint32_t p) { return plan.buffers[p].offset; });
        placed.insert(at, i);
    }
}

std::uint64_t peak_live(const MemoryPlan& plan) {
    std::vector<std::pair<std::uint32_t, std::int64_t>> changes;
    for (const PlannedBuffer& buffer : plan.buffers) {
        changes.emplace_back(buffer.taken, static_cast<std::int64_t>(buffer.bytes));
        changes.emplace_back(buffer.returned, -static_cast<std::int64_t>(buffer.bytes));
    }
    std::ranges::sort(changes);
    std::int64_t live = 0, peak = 0;
    for (const auto& [event, change] : changes) peak = std::max(peak, live += change);
    return static_cast<std::uint64_t>(peak);
}

}  // namespace

Buffer::~Buffer() {
    if (arena_ != nullptr) arena_->give_back(index_, address_);
}

Arena::~Arena() {
    if (block_.bytes != 0) runtime_.release(block_);
}

void Arena::start_planning() {
    is_planning_ = true;
    draft_ = {};
    num_events_ = 0;
}

MemoryPlan Arena::finish_planning() {
    is_planning_ = false;
    for (PlannedBuffer& buffer : draft_.buffers) {
        if (buffer.returned == 0) throw std::logic_error("planned buffer " + buffer.name + " is never given back");
    }
    place_buffers(draft_);
    draft_.peak_live_bytes = peak_live(draft_);
    return std::move(draft_);
}

void Arena::follow(const MemoryPlan& plan) {
    if (block_.bytes < plan.arena_bytes) {
        if (block_.bytes != 0) runtime_.release(block_);
        block_ = {};
        block_ = runtime_.allocate(plan.arena_bytes);
        ++num_device_allocations_;
        num_bytes_allocated_ += plan.arena_bytes;
    }
    plan_ = &plan;
    next_ = 0;
}

Buffer Arena::take(std::string_view name, std::uint64_t bytes) {
    bytes = round_up(bytes);
    if (is_planning_) {
        const std::uint32_t index = static_cast<std::uint32_t>(draft_.buffers.size());
        draft_.buffers.push_back(
            {.name = std::string(name), .stage = stage_, .last_stage = {}, .bytes = bytes, .taken = ++num_events_});
        return Buffer(this, index, 0, bytes);
    }
    if (plan_ == nullptr || next_ == plan_->buffers.size() || plan_->buffers[next_].name != name ||
        plan_->buffers[next_].bytes != bytes) {
        throw std::logic_error("buffer " + std::string(name) + " is not the next one of the memory plan");
    }
    const PlannedBuffer& planned = plan_->buffers[next_];
    return Buffer(this, next_++, runtime_.bind(block_, planned.offset, bytes), bytes);
}

void Arena::give_back(std::uint32_t index, Address address) noexcept {
    if (is_planning_) {
        draft_.buffers[index].returned = ++num_events_;
        draft_.buffers[index].last_stage = stage_;
    } else {
        runtime_.unbind(address);
    }
}

}  // namespace whorl::gpu
