#include "backend/gpu/prover.hpp"

#include "backend/gpu/gpu_backend.hpp"
#include "prover/prove.hpp"

namespace whorl::gpu {
namespace {

/// Lets the spans of a proof count what the device was given.
class CountedSpans {
public:
    CountedSpans(Telemetry* telemetry, const Device& device) : telemetry_(telemetry) {
        if (telemetry_ == nullptr) return;
        telemetry_->set_counters([&device](auto& out) {
            const DispatchCounts& counts = device.recorder().counts();
            out.emplace_back("expected_kernel_count", counts.expected_kernels);
            out.emplace_back("command_buffer_count", counts.command_buffers);
            out.emplace_back("encoder_count", counts.encoders);
            out.emplace_back("kernel_count", counts.kernels);
            out.emplace_back("sync_count", counts.syncs);
            out.emplace_back("allocation_count", static_cast<std::int64_t>(device.num_allocations()));
            out.emplace_back("bytes_allocated", static_cast<std::int64_t>(device.num_bytes_allocated()));
        });
    }
    ~CountedSpans() {
        if (telemetry_ != nullptr) telemetry_->set_counters({});
    }
    CountedSpans(const CountedSpans&) = delete;
    CountedSpans& operator=(const CountedSpans&) = delete;

private:
    Telemetry* telemetry_;
};

}  // namespace

Digest GpuProver::commit(const CommittedMatrix& committed) {
    return residents_.make(*committed.state()).root();
}

const MemoryPlan& GpuProver::plan(const ProverInput& input) {
    if (keeps_parts_) residents_.prepare(input);
    return make_plan(input);
}

const MemoryPlan& GpuProver::make_plan(const ProverInput& input) {
    std::vector<std::uint32_t> shape;
    for (const SortedTrace& trace : input.layout.traces) {
        shape.push_back(trace.air_id);
        shape.push_back(trace.log_height);
    }
    for (const CommitmentLayout& commitment : input.layout.commitments) {
        shape.push_back(residents_.find(input.committed(commitment.parts[0])) != nullptr ? 1 : 0);
        for (const PartRef& part : commitment.parts) shape.push_back(input.part(part).is_on_device() ? 1 : 0);
    }
    const auto found = plans_.find(shape);
    if (found != plans_.end()) return found->second;

    // The driver itself says what it takes: it runs over a device that does nothing.
    device_.start_planning();
    ProverInput dry = input;
    dry.progress = nullptr;
    dry.transcript = nullptr;
    run(dry, nullptr);
    return plans_.emplace(std::move(shape), device_.finish_planning()).first->second;
}

// The device is told the stages of the proof by its spans, whether or not the caller collects them.
Proof GpuProver::run(ProverInput input, Telemetry* telemetry) {
    Telemetry own;
    input.telemetry = telemetry != nullptr ? telemetry : &own;
    device_.set_spans(input.telemetry);
    struct Reset {
        Device& device;
        ~Reset() { device.set_spans(nullptr); }
    } const reset{device_};
    std::unique_ptr<GpuBackend> backend;
    try {
        {
            const Span span(input.telemetry, "transport_traces");
            backend = std::make_unique<GpuBackend>(device_, residents_, programs_, generated_ ? &*generated_ : nullptr,
                                                   input);
        }
        return prove_on(*backend, input);
    } catch (...) {
        // What is under way still reads the caller's traces and the buffers that end here.
        device_.recorder().settle();
        backend.reset();
        device_.abandon();
        throw;
    }
}

Proof GpuProver::prove(const ProverInput& input) {
    const CountedSpans counted(input.telemetry, device_);
    if (generated_) generated_->prepare(input, programs_);
    {
        Span span(input.telemetry, "prepare_device");
        const MemoryPlan* planned = &plan(input);
        if (!residents_.is_empty() && !device_.has_memory_for(*planned)) {
            // The proof comes first; what does not stay is committed in it.
            keeps_parts_ = false;
            residents_.clear();
            planned = &make_plan(input);
        }
        const MemoryPlan& memory = *planned;
        span.set("peak_bytes", static_cast<std::int64_t>(memory.device_bytes));
        const std::uint64_t free_before = device_.runtime().free_memory();
        const std::uint64_t allocations_before = device_.num_allocations();
        device_.follow(memory);
        if (device_.num_allocations() != allocations_before) {
            // What the device says was taken, beside what the plan says.
            span.set("measured_bytes", static_cast<std::int64_t>(free_before - device_.runtime().free_memory()));
        }
    }
    return run(input, input.telemetry);
}

}  // namespace whorl::gpu
