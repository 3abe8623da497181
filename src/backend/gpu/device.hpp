// A GPU at work on proofs: its memory, its recorder and how it dispatches.
#pragma once

#include <cstdint>
#include <memory>

#include <whorl/prove.hpp>

#include "device/arena.hpp"
#include "device/recorder.hpp"
#include "device/runtime.hpp"

namespace whorl::gpu {

class Device {
public:
    Device(std::unique_ptr<Runtime> runtime, Dispatch dispatch)
        : runtime_(std::move(runtime)), arena_(*runtime_), recorder_(*runtime_), dispatch_(dispatch) {}

    Runtime& runtime() { return *runtime_; }
    const Runtime& runtime() const { return *runtime_; }
    const DeviceInfo& info() const { return runtime_->info(); }
    Arena& arena() { return arena_; }
    Recorder& recorder() { return recorder_; }
    const Recorder& recorder() const { return recorder_; }
    Dispatch dispatch() const { return dispatch_; }

    void start_planning() {
        is_planning_ = true;
        arena_.start_planning();
        recorder_.start_planning();
    }
    MemoryPlan finish_planning() {
        is_planning_ = false;
        MemoryPlan plan = arena_.finish_planning();
        recorder_.finish_planning(plan);
        return plan;
    }
    bool is_planning() const { return is_planning_; }
    /// Gets ready for another proof after one that failed, planned or made, whose buffers have been given back.
    void abandon() noexcept {
        is_planning_ = false;
        arena_.abandon();
        recorder_.abandon();
    }
    /// The spans that plans, errors and captures name as the stage of the proof; they must outlive their use.
    void set_spans(const Telemetry* spans) {
        arena_.set_spans(spans);
        recorder_.set_spans(spans);
    }
    /// Whether what `plan` needs beyond what is held is free.
    bool has_memory_for(const MemoryPlan& plan) const;
    /// Gets ready for the proof that `plan` is of. Errors: DeviceError with the figures where it does not fit.
    void follow(const MemoryPlan& plan);
    /// Runs `work` twice: dry, for what it takes, and then on the device. Returns what it does the second time.
    template <class Work>
    auto plan_and_run(const Work& work) {
        try {
            start_planning();
            work();
            const MemoryPlan plan = finish_planning();
            follow(plan);
            return work();
        } catch (...) {
            abandon();
            throw;
        }
    }
    /// Times that memory was asked of the device: constant once a prover has made its first proof of a shape.
    std::uint64_t num_allocations() const {
        return arena_.num_device_allocations() + recorder_.num_device_allocations() + num_scratch_allocations_;
    }
    std::uint64_t num_bytes_allocated() const {
        return arena_.num_bytes_allocated() + recorder_.num_bytes_allocated() + num_scratch_bytes_;
    }
    void count_scratch_allocation(std::uint64_t bytes) {
        ++num_scratch_allocations_;
        num_scratch_bytes_ += bytes;
    }

private:
    std::uint64_t missing_bytes(const MemoryPlan& plan) const;
    std::uint64_t available_bytes() const { return runtime_->free_memory() + arena_.held_bytes(); }
    void fill_arena(std::uint8_t byte);

    std::unique_ptr<Runtime> runtime_;
    Arena arena_;
    Recorder recorder_;
    Dispatch dispatch_;
    bool is_planning_ = false;
    std::uint64_t num_scratch_allocations_ = 0;
    std::uint64_t num_scratch_bytes_ = 0;
};

}  // namespace whorl::gpu
