// Device memory of a proof, planned before it starts.
//
// Which buffers a proof takes, in which order, depends on the key and the trace heights alone. A dry run of the whole
// driver over a device that does nothing writes that order down; from it follow the offsets of all buffers in one block,
// and so the peak; where the device limits the size of an allocation there are several blocks, and no
// buffer crosses from one to the next. The proof itself then takes the same buffers in the same order, and the device allocates nothing.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <whorl/device_types.hpp>
#include <whorl/telemetry.hpp>

#include "device/runtime.hpp"

namespace whorl::gpu {

class Arena;

/// A buffer of the arena, given back when it is destroyed.
class Buffer {
public:
    Buffer() = default;
    Buffer(Buffer&& other) noexcept { swap(other); }
    Buffer& operator=(Buffer&& other) noexcept {
        Buffer taken(std::move(other));
        swap(taken);
        return *this;
    }
    ~Buffer();

    Address address() const { return address_; }
    /// The address of word i.
    Address word(std::uint64_t i) const { return address_ + 4 * i; }
    /// The address of extension element i.
    Address ext(std::uint64_t i) const { return address_ + 16 * i; }
    std::uint64_t bytes() const { return bytes_; }
    explicit operator bool() const { return arena_ != nullptr; }

private:
    friend class Arena;
    Buffer(Arena* arena, std::uint32_t index, Address address, std::uint64_t bytes)
        : arena_(arena), index_(index), address_(address), bytes_(bytes) {}
    void swap(Buffer& other) noexcept {
        std::swap(arena_, other.arena_);
        std::swap(index_, other.index_);
        std::swap(address_, other.address_);
        std::swap(bytes_, other.bytes_);
    }

    Arena* arena_ = nullptr;
    std::uint32_t index_ = 0;
    Address address_ = 0;
    std::uint64_t bytes_ = 0;
};

class Arena {
public:
    explicit Arena(Runtime& runtime) : runtime_(runtime) {}
    ~Arena();
    Arena(const Arena&) = delete;
    Arena& operator=(const Arena&) = delete;

    /// From here on buffers are only written down (contents do not exist), until finish_planning().
    void start_planning();
    /// Errors: DeviceError with the figures for a buffer that is larger than any allocation may be.
    MemoryPlan finish_planning();
    /// Ends the planning of a proof that failed; its buffers have been given back.
    void abandon() noexcept { is_planning_ = false; }
    /// Follows `plan`, which outlives its use: blocks are made, or kept where they are large enough.
    void follow(const MemoryPlan& plan);

    /// The next buffer, aligned to 256 bytes, contents undefined. `name` and size are those of the plan.
    Buffer take_words(std::string_view name, std::uint64_t words) { return take(name, 4 * words); }
    Buffer take_exts(std::string_view name, std::uint64_t count) { return take(name, 16 * count); }

    /// The plan notes the innermost of these spans for each buffer; null: none.
    void set_spans(const Telemetry* spans) { spans_ = spans; }
    std::uint64_t num_device_allocations() const { return num_device_allocations_; }
    std::uint64_t num_bytes_allocated() const { return num_bytes_allocated_; }
    const std::vector<Block>& blocks() const { return blocks_; }
    /// Of all blocks.
    std::uint64_t held_bytes() const;

private:
    friend class Buffer;
    Buffer take(std::string_view name, std::uint64_t bytes);
    void give_back(std::uint32_t index, Address address) noexcept;

    std::string stage() const;
    void release();

    Runtime& runtime_;
    const Telemetry* spans_ = nullptr;
    std::vector<Block> blocks_;
    bool is_planning_ = false;
    MemoryPlan draft_;
    std::uint32_t num_events_ = 0;
    bool is_draft_whole_ = true;  // false: there was no memory to note a buffer's return
    const MemoryPlan* plan_ = nullptr;
    std::uint32_t next_ = 0;  // buffer of the plan
    std::uint64_t num_device_allocations_ = 0;
    std::uint64_t num_bytes_allocated_ = 0;
};

}  // namespace whorl::gpu
