#include "device/arena.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <new>
#include <numeric>
#include <stdexcept>

#include "machine/memory_plan.hpp"

namespace whorl::gpu {
namespace {

constexpr std::uint64_t kAlignment = 256;
constexpr std::uint64_t kNoLimit = std::uint64_t{1} << 60;

std::uint64_t round_up(std::uint64_t bytes) {
    return (std::max<std::uint64_t>(bytes, 1) + kAlignment - 1) / kAlignment * kAlignment;
}

// Where a buffer goes that may not go below `offset`: it stays within a block.
std::uint64_t place_within_block(std::uint64_t offset, std::uint64_t bytes, std::uint64_t block_bytes) {
    const std::uint64_t next_block = offset / block_bytes * block_bytes + block_bytes;
    return offset + bytes <= next_block ? offset : next_block;
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
        std::uint64_t offset = 0;  // a block's start
        for (const std::uint32_t other_index : placed) {
            const PlannedBuffer& other = plan.buffers[other_index];
            if (other.returned < buffer.taken || buffer.returned < other.taken) continue;
            if (other.offset >= offset + buffer.bytes) break;
            offset = place_within_block(std::max(offset, other.offset + other.bytes), buffer.bytes, plan.block_bytes);
        }
        buffer.offset = offset;
        plan.arena_bytes = std::max(plan.arena_bytes, offset + buffer.bytes);
        const auto at =
            std::ranges::lower_bound(placed, offset, {}, [&](std::uint32_t p) { return plan.buffers[p].offset; });
        placed.insert(at, i);
    }
}

}  // namespace

Buffer::~Buffer() {
    if (arena_ != nullptr) arena_->give_back(index_, address_);
}

Arena::~Arena() {
    release();
}

void Arena::release() {
    for (const Block& block : blocks_) runtime_.release(block);
    blocks_.clear();
}

std::uint64_t Arena::held_bytes() const {
    std::uint64_t bytes = 0;
    for (const Block& block : blocks_) bytes += block.bytes;
    return bytes;
}

std::string Arena::stage() const {
    const std::string_view current = spans_ != nullptr ? spans_->current() : std::string_view();
    return current.empty() ? "end" : std::string(current);
}

void Arena::start_planning() {
    is_planning_ = true;
    draft_ = {};
    num_events_ = 0;
    is_draft_whole_ = true;
}

MemoryPlan Arena::finish_planning() {
    is_planning_ = false;
    if (!is_draft_whole_) throw std::bad_alloc();
    for (PlannedBuffer& buffer : draft_.buffers) {
        if (buffer.returned == 0) throw std::logic_error("planned buffer " + buffer.name + " is never given back");
    }
    const DeviceInfo& info = runtime_.info();
    draft_.block_bytes = info.max_buffer != 0 ? info.max_buffer / kAlignment * kAlignment : kNoLimit;
    for (const PlannedBuffer& buffer : draft_.buffers) {
        if (buffer.bytes <= draft_.block_bytes) continue;
        throw DeviceError(fmt::format("buffer {} of the proof ({}) has {} bytes, {} allocates at most {} at once",
                                      buffer.name, buffer.stage, buffer.bytes, info.id, info.max_buffer));
    }
    place_buffers(draft_);
    draft_.peak_live_bytes = peak_live_bytes(draft_);
    draft_.block_bytes = std::min(draft_.block_bytes, draft_.arena_bytes);
    return std::move(draft_);
}

void Arena::follow(const MemoryPlan& plan) {
    if (held_bytes() < plan.arena_bytes) {
        release();
        for (std::uint64_t offset = 0; offset < plan.arena_bytes; offset += plan.block_bytes) {
            blocks_.push_back(runtime_.allocate(std::min(plan.block_bytes, plan.arena_bytes - offset)));
            ++num_device_allocations_;
            num_bytes_allocated_ += blocks_.back().bytes;
        }
    }
    plan_ = &plan;
    next_ = 0;
}

Buffer Arena::take(std::string_view name, std::uint64_t bytes) {
    bytes = round_up(bytes);
    if (is_planning_) {
        const std::uint32_t index = static_cast<std::uint32_t>(draft_.buffers.size());
        draft_.buffers.push_back(
            {.name = std::string(name), .stage = stage(), .last_stage = {}, .bytes = bytes, .taken = ++num_events_});
        return Buffer(this, index, 0, bytes);
    }
    if (plan_ == nullptr || next_ == plan_->buffers.size() || plan_->buffers[next_].name != name ||
        plan_->buffers[next_].bytes != bytes) {
        throw std::logic_error("buffer " + std::string(name) + " is not the next one of the memory plan");
    }
    const PlannedBuffer& planned = plan_->buffers[next_];
    const Block& block = blocks_[planned.offset / plan_->block_bytes];
    return Buffer(this, next_++, runtime_.bind(block, planned.offset % plan_->block_bytes, bytes), bytes);
}

void Arena::give_back(std::uint32_t index, Address address) noexcept {
    if (is_planning_) {
        draft_.buffers[index].returned = ++num_events_;
        // Buffers are given back by destructors.
        try {
            draft_.buffers[index].last_stage = stage();
        } catch (const std::bad_alloc&) {
            is_draft_whole_ = false;
        }
    } else {
        runtime_.unbind(address);
    }
}

}  // namespace whorl::gpu
