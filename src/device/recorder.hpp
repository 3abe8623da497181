// Records the work of a stage of the proof and hands it to the device in one submission.
//
// Inside a stage of a submission commands are independent; next_stage() puts a barrier. What the host must know comes back
// through mailboxes, which kernels write to; wait() is the only point where the host stands still.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <deque>
#include <span>
#include <type_traits>
#include <vector>

#include <whorl/telemetry.hpp>

#include "device/arena.hpp"
#include "device/runtime.hpp"

namespace whorl::gpu {

/// What has been submitted so far.
struct DispatchCounts {
    std::int64_t expected_kernels = 0;
    std::int64_t command_buffers = 0;
    std::int64_t encoders = 0;
    std::int64_t kernels = 0;
    std::int64_t syncs = 0;
};

/// Room for `size()` results. The values are there after wait(), until the first mailbox asked for after that.
template <class T>
class Mailbox {
public:
    Mailbox() = default;
    Mailbox(Address address, const std::byte* host, std::size_t size) : address_(address), host_(host), size_(size) {}
    Address address() const { return address_; }
    std::size_t size() const { return size_; }
    T operator[](std::size_t i) const {
        T value;
        std::memcpy(&value, host_ + i * sizeof(T), sizeof(T));
        return value;
    }
    std::vector<T> values() const {
        std::vector<T> out(size_);
        copy_to(out.data(), size_);
        return out;
    }
    void copy_to(T* out, std::size_t count) const {
        if (count != 0) std::memcpy(out, host_, count * sizeof(T));
    }

private:
    Address address_ = 0;
    const std::byte* host_ = nullptr;
    std::size_t size_ = 0;
};

class Recorder {
public:
    explicit Recorder(Runtime& runtime) : runtime_(runtime) {}
    ~Recorder();
    Recorder(const Recorder&) = delete;
    Recorder& operator=(const Recorder&) = delete;

    /// Nothing is carried out and mailboxes read zero; what host-visible memory is needed goes into the plan.
    void start_planning();
    void finish_planning(MemoryPlan& plan);
    /// Makes the host-visible memory of `plan`, or keeps what is large enough.
    void follow(const MemoryPlan& plan);

    template <class Params>
    void dispatch(const Kernel<Params>& kernel, std::uint64_t groups, const std::type_identity_t<Params>& params) {
        static_assert(std::is_trivially_copyable_v<Params>);
        add_dispatch(kernel.info, groups, &params);
    }
    /// The same for a kernel that is not in the lists, which must stay until the submission is done.
    template <class Params>
    void dispatch(const KernelInfo& kernel, std::uint64_t groups, const Params& params) {
        static_assert(std::is_trivially_copyable_v<Params>);
        add_dispatch(kernel, groups, &params);
    }
    void copy(Address destination, Address source, std::uint64_t bytes);
    /// Sets every byte.
    void fill(Address destination, std::uint64_t bytes, std::uint8_t byte);
    /// Copies host memory, which must stay until the submission is done, into a buffer.
    void upload_to(Address destination, const void* host, std::uint64_t bytes);
    /// Little data for the kernels of the next submission; gone once it has been waited for.
    template <class T>
    Address upload(std::span<const T> values) {
        static_assert(std::is_trivially_copyable_v<T>);
        return upload_bytes(values.data(), values.size_bytes());
    }
    template <class T>
    Address upload(const std::vector<T>& values) {
        return upload(std::span<const T>(values));
    }
    template <class T>
    Mailbox<T> mailbox(std::size_t count) {
        static_assert(std::is_trivially_copyable_v<T>);
        const std::uint64_t offset = take_mailbox(count * sizeof(T));
        return {mailbox_address_ + offset, is_planning_ ? planning_mailbox_.back().data() : mailbox_.host + offset,
                count};
    }

    /// What follows waits for what was recorded.
    void next_stage();
    /// Starts what was recorded. `expected_kernels`: how many kernels the caller means it to have; another number is an error.
    void submit(std::int64_t expected_kernels);
    void wait();
    /// Waits for work that nobody asks for any more, whatever becomes of it.
    void settle() noexcept;
    /// Forgets what was recorded and not submitted, and a plan that was begun: the proof has failed.
    void abandon() noexcept;
    void submit_and_wait(std::int64_t expected_kernels) {
        submit(expected_kernels);
        wait();
    }

    /// Submissions carry the name of the innermost of these spans; null: none.
    void set_spans(const Telemetry* spans) { spans_ = spans; }

    const DispatchCounts& counts() const { return counts_; }
    std::uint64_t num_device_allocations() const { return num_device_allocations_; }
    std::uint64_t num_bytes_allocated() const { return num_bytes_allocated_; }

private:
    void add_dispatch(const KernelInfo& kernel, std::uint64_t groups, const void* params);
    void add(const Command& command);
    Address upload_bytes(const void* data, std::uint64_t bytes);
    std::uint64_t take_mailbox(std::uint64_t bytes);
    void release();

    Runtime& runtime_;
    const Telemetry* spans_ = nullptr;
    Submission submission_;
    bool is_pending_ = false;  // submitted and not waited for
    DispatchCounts counts_;
    std::uint64_t num_device_allocations_ = 0;
    std::uint64_t num_bytes_allocated_ = 0;

    Block staging_, uploads_, mailbox_;  // uploads_: the device's copy of staging_, where memory is not unified
    Address staging_address_ = 0, uploads_address_ = 0, mailbox_address_ = 0;
    std::uint64_t upload_begin_ = 0, upload_end_ = 0;  // staged and not yet submitted
    std::uint64_t mailbox_end_ = 0;
    bool mailbox_is_read_ = false;  // the next mailbox starts anew

    bool is_planning_ = false;
    std::uint64_t max_upload_ = 0, max_mailbox_ = 0;
    std::deque<std::vector<std::byte>> planning_mailbox_;  // results while planning: all zero
};

}  // namespace whorl::gpu
