#include "device/metal/metal_runtime.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <map>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <thread>
#include <type_traits>

#include "device/access.hpp"
#include "device/metal/capture.hpp"
#include "device/metal/devices.hpp"
#include "device/metal/encoder_order.hpp"
#include "device/metal/library.hpp"
#include "device/metal/memory.hpp"
#include "device/metal/objects.hpp"

namespace whorl::gpu::metal {
namespace {

// Most submissions are done by then; who waits longer sleeps until the event, and looks for errors this often.
constexpr std::chrono::microseconds kSpin{200};
constexpr std::uint64_t kPollMilliseconds = 100;

// Metal takes lengths of labels and errors in stride, people do not.
constexpr std::size_t kMaxNamedKernels = 4;

using Stage = Submission::Stage;

// The commands of a stage that go into one encoder.
enum class Part { kKernels, kCopies };

bool is_in(Part part, const Command& command) {
    return (command.kind == Command::Kind::kDispatch) == (part == Part::kKernels);
}

// Calls work(command) for each of the stage's commands in `part`.
template <class Work>
void for_each_command(const Submission& submission, const Stage& stage, Part part, const Work& work) {
    for (std::uint32_t c = stage.first; c < stage.first + stage.count; ++c) {
        if (is_in(part, submission.commands[c])) work(submission.commands[c]);
    }
}

bool has_commands(const Submission& submission, const Stage& stage, Part part) {
    bool found = false;
    for_each_command(submission, stage, part, [&](const Command&) { found = true; });
    return found;
}

// "zerocheck_ntt_eval_constraints, stage 2 of 3: round0_evaluate_cosets"
std::string label_of(const Submission& submission, const Stage& stage, Part part) {
    std::vector<std::string_view> names;
    for_each_command(submission, stage, part, [&](const Command& command) {
        const std::string_view name = part == Part::kKernels ? command.kernel->name : "copies";
        if (std::ranges::find(names, name) == names.end()) names.push_back(name);
    });
    std::string kernels;
    for (std::size_t i = 0; i < std::min(names.size(), kMaxNamedKernels); ++i) {
        kernels += fmt::format("{}{}", i == 0 ? "" : ", ", names[i]);
    }
    if (names.size() > kMaxNamedKernels) kernels += ", …";
    return fmt::format("{}{}stage {} of {}: {}", submission.label, submission.label.empty() ? "" : ", ",
                       &stage - submission.stages.data() + 1, submission.stages.size(), kernels);
}

// The encoders that a failed command buffer's error blames.
std::string blamed_encoders(const NS::Error* error) {
    if (error == nullptr || error->userInfo() == nullptr) return {};
    const auto* encoders = error->userInfo()->object<NS::Array>(MTL::CommandBufferEncoderInfoErrorKey);
    if (encoders == nullptr) return {};
    std::string faulted, affected;
    for (NS::UInteger i = 0; i < encoders->count(); ++i) {
        const auto* encoder = encoders->object<MTL::CommandBufferEncoderInfo>(i);
        const MTL::CommandEncoderErrorState state = encoder->errorState();
        if (state != MTL::CommandEncoderErrorStateFaulted && state != MTL::CommandEncoderErrorStateAffected) continue;
        std::string& named = state == MTL::CommandEncoderErrorStateFaulted ? faulted : affected;
        named += fmt::format("{}{}", named.empty() ? "" : "; ", text_of(encoder->label()));
    }
    return faulted.empty() ? affected : faulted;
}

class MetalRuntime final : public Runtime {
public:
    MetalRuntime(Ref<MTL::Device> device, unsigned index, const KernelText& kernels)
        : kernels_(kernels), device_(std::move(device)), memory_(*device_.get()), order_(*device_.get()) {
        const AutoreleasePool pool;
        queue_ = NS::TransferPtr(device_->newCommandQueue());
        event_ = NS::TransferPtr(device_->newSharedEvent());
        info_.id = fmt::format("metal:{}", index);
        info_.name = text_of(device_->name());
        info_.memory = memory_.total_bytes();
        info_.max_buffer = memory_.max_buffer();
        info_.is_unified = true;
        info_.limits = {
            {"system", system_version()},
            {"threads in a threadgroup", std::to_string(device_->maxThreadsPerThreadgroup().width)},
            {"threadgroup memory", fmt::format("{} bytes", device_->maxThreadgroupMemoryLength())},
            {"kernels", kernels_.library.empty() ? "compiled now" : "compiled with the program"},
        };
        guarded([&] {
            library_ = library_of(*device_.get(), kernels_);
            if (const char* path = std::getenv("WHORL_METAL_CAPTURE")) capture_.emplace(*queue_.get(), path);
        });
    }
    ~MetalRuntime() override {
        abandon();  // what is under way uses memory that goes with this
    }

    const DeviceInfo& info() const override { return info_; }
    std::uint64_t free_memory() const override { return memory_.free_bytes(); }

    Block allocate(std::uint64_t bytes) override {
        return guarded([&] { return memory_.allocate(bytes, MTL::StorageModePrivate); });
    }
    Block allocate_shared(std::uint64_t bytes) override {
        return guarded([&] { return memory_.allocate(bytes, MTL::StorageModeShared); });
    }
    void release(const Block& block) override {
        abandon();
        memory_.release(block);
    }

    Address bind(const Block& block, std::uint64_t offset, std::uint64_t bytes) override {
        return memory_.bind(block, offset, bytes);
    }
    Address wrap(const void* host, std::uint64_t bytes) override {
        return guarded([&] { return memory_.wrap(host, bytes); });
    }
    void unbind(Address address) override {
        // The host's memory may be gone after this. Only after an error is anything still under way here.
        if (memory_.is_wrapped(address)) abandon();
        memory_.unbind(address);
    }

    std::unique_ptr<Compilation> compile(const std::string& text, std::span<const KernelInfo> kernels) override {
        std::string whole = "#define WH_WITHOUT_KERNELS\n" + std::string(kernels_.text) + text;
        auto shared = std::make_shared<LibraryCompilation>(*device_.get(), std::move(whole), kernels);
        std::erase_if(compilations_, [](const auto& known) { return known.expired(); });
        compilations_.push_back(shared);
        return std::make_unique<SharedCompilation>(std::move(shared));
    }

    void submit(const Submission& submission) override {
        guarded([&] {
            check(submission);
            const auto descriptor = NS::TransferPtr(MTL::CommandBufferDescriptor::alloc()->init());
            descriptor->setErrorOptions(MTL::CommandBufferErrorOptionEncoderExecutionStatus);
            Ref<MTL::CommandBuffer> buffer = NS::RetainPtr(queue_->commandBuffer(descriptor.get()));
            buffer->setLabel(ns_string(submission.label));
            try {
                for (const Stage& stage : submission.stages) {
                    if (has_commands(submission, stage, Part::kKernels))
                        encode_kernels(*buffer.get(), submission, stage);
                    if (has_commands(submission, stage, Part::kCopies)) encode_copies(*buffer.get(), submission, stage);
                }
            } catch (...) {
                abandon();  // later work must not wait for encoders that never run
                throw;
            }
            // Submissions whose memory does not conflict may overtake each other; their signals may not.
            buffer->encodeWait(event_.get(), last_signal_);
            buffer->encodeSignalEvent(event_.get(), ++last_signal_);
            buffer->commit();
            in_flight_.push_back({std::move(buffer), last_signal_, submission.label});
        });
    }

    void wait() override {
        guarded([&] {
            const auto begin = std::chrono::steady_clock::now();
            while (event_->signaledValue() < last_signal_) {
                if (std::chrono::steady_clock::now() - begin < kSpin) {
                    std::this_thread::yield();
                } else if (!event_->waitUntilSignaledValue(last_signal_, kPollMilliseconds)) {
                    check_for_errors();
                }
            }
            check_for_errors();
            in_flight_.clear();
            order_.clear();
        });
    }

private:
    struct InFlight {
        Ref<MTL::CommandBuffer> buffer;
        std::uint64_t signal = 0;
        std::string label;
    };
    // What the caller keeps of a compilation that the runtime looks pipelines up in.
    class SharedCompilation final : public Compilation {
    public:
        explicit SharedCompilation(std::shared_ptr<LibraryCompilation> shared) : shared_(std::move(shared)) {}
        State state() override { return shared_->state(); }
        std::string problem() const override { return shared_->problem(); }

    private:
        std::shared_ptr<LibraryCompilation> shared_;
    };

    // Runs `work` with a pool for what it autoreleases. Errors say which device.
    template <class Work>
    std::invoke_result_t<const Work&> guarded(const Work& work) const {
        const AutoreleasePool pool;
        try {
            return work();
        } catch (const DeviceError& e) {
            throw DeviceError(fmt::format("{}: {}", info_.id, e.what()));
        }
    }

    // Ends an encoder whatever happens: Metal does not forgive one that is left open.
    template <class Encoder>
    struct EndOfEncoding {
        Encoder& encoder;
        ~EndOfEncoding() { encoder.endEncoding(); }
    };

    MTL::ComputePipelineState* pipeline(const KernelInfo& kernel) {
        const auto known = pipelines_.find(std::string_view(kernel.name));
        if (known != pipelines_.end()) return known->second.get();
        Ref<MTL::ComputePipelineState> found;
        for (std::size_t i = 0; !found && i < compilations_.size(); ++i) {
            if (const auto compilation = compilations_[i].lock()) found = compilation->pipeline(kernel);
        }
        if (!found) found = library_->pipeline(kernel);
        return pipelines_.emplace(kernel.name, std::move(found)).first->second.get();
    }

    // Finds what is wrong with a submission before any of it is encoded.
    void check(const Submission& submission) {
        for (const Command& command : submission.commands) {
            if (command.kind == Command::Kind::kDispatch) {
                pipeline(*command.kernel);
                continue;
            }
            memory_.resource_at(command.destination);
            if (command.kind == Command::Kind::kCopy) memory_.resource_at(command.source);
        }
    }

    // Adds what a dispatch does with memory, as its kernel declares it.
    void declare(const Command& command, const std::byte* params) {
        for_each_address(*command.kernel, params, [&](const AddressUse& use) {
            if (use.address == 0) return;
            const Range part = memory_.part_at(use.address);
            if (use.is_read) accesses_.reads.push_back(part);
            if (use.is_written) accesses_.writes.push_back(part);
            if (use.is_named_read) accesses_.reads.push_back(kEverywhere);
            if (use.is_named_written) accesses_.writes.push_back(kEverywhere);
        });
    }

    // Makes resident what an encoder's kernels reach through addresses.
    void use_resources(MTL::ComputeCommandEncoder& encoder) {
        const auto is_touched = [](const Memory::Resource& resource, const std::vector<Range>& ranges) {
            return std::ranges::any_of(ranges, [&](const Range& range) {
                return range.first < resource.first + resource.bytes && resource.first < range.end;
            });
        };
        std::vector<const MTL::Resource*> read, written;
        for (const auto& [first, resource] : memory_.resources()) {
            if (!resource.is_wrapped && is_touched(resource, accesses_.writes)) {
                written.push_back(resource.buffer.get());
            } else if (is_touched(resource, accesses_.reads) || is_touched(resource, accesses_.writes)) {
                read.push_back(resource.buffer.get());
            }
        }
        if (!read.empty()) encoder.useResources(read.data(), read.size(), MTL::ResourceUsageRead);
        if (!written.empty()) {
            encoder.useResources(written.data(), written.size(), MTL::ResourceUsageRead | MTL::ResourceUsageWrite);
        }
    }

    void encode_kernels(MTL::CommandBuffer& buffer, const Submission& submission, const Stage& stage) {
        accesses_.clear();
        for_each_command(submission, stage, Part::kKernels,
                         [&](const Command& command) { declare(command, submission.params.data() + command.params); });
        MTL::ComputeCommandEncoder& encoder = *buffer.computeCommandEncoder(MTL::DispatchTypeConcurrent);
        const EndOfEncoding<MTL::ComputeCommandEncoder> end{encoder};
        encoder.setLabel(ns_string(label_of(submission, stage, Part::kKernels)));
        order_.begin(encoder, accesses_);
        use_resources(encoder);
        for_each_command(submission, stage, Part::kKernels, [&](const Command& command) {
            encoder.setComputePipelineState(pipeline(*command.kernel));
            encoder.setBytes(submission.params.data() + command.params, command.kernel->params_size, 0);
            encoder.dispatchThreadgroups(MTL::Size(command.groups, 1, 1), MTL::Size(command.kernel->threads, 1, 1));
        });
        order_.end(encoder, accesses_);
    }

    void encode_copies(MTL::CommandBuffer& buffer, const Submission& submission, const Stage& stage) {
        accesses_.clear();
        for_each_command(submission, stage, Part::kCopies, [&](const Command& command) {
            accesses_.writes.push_back({command.destination, command.destination + command.bytes});
            if (command.kind == Command::Kind::kCopy) {
                accesses_.reads.push_back({command.source, command.source + command.bytes});
            }
        });
        MTL::BlitCommandEncoder& encoder = *buffer.blitCommandEncoder();
        const EndOfEncoding<MTL::BlitCommandEncoder> end{encoder};
        encoder.setLabel(ns_string(label_of(submission, stage, Part::kCopies)));
        order_.begin(encoder, accesses_);
        for_each_command(submission, stage, Part::kCopies, [&](const Command& command) { copy(encoder, command); });
        order_.end(encoder, accesses_);
    }

    void copy(MTL::BlitCommandEncoder& encoder, const Command& command) {
        const Memory::Resource& to = memory_.resource_at(command.destination);
        const std::uint64_t offset = command.destination - to.first;
        switch (command.kind) {
            case Command::Kind::kCopy: {
                const Memory::Resource& from = memory_.resource_at(command.source);
                encoder.copyFromBuffer(from.buffer.get(), command.source - from.first, to.buffer.get(), offset,
                                       command.bytes);
                break;
            }
            case Command::Kind::kFill:
                encoder.fillBuffer(to.buffer.get(), NS::Range::Make(offset, command.bytes), command.byte);
                break;
            case Command::Kind::kUpload: {
                const std::uint64_t piece = memory_.max_buffer();
                for (std::uint64_t done = 0; done < command.bytes; done += piece) {
                    const std::uint64_t bytes = std::min(piece, command.bytes - done);
                    const auto* host = static_cast<const std::byte*>(command.host) + done;
                    const Ref<MTL::Buffer> from = memory_.copy_of(host, bytes);
                    encoder.copyFromBuffer(from.get(), 0, to.buffer.get(), offset + done, bytes);
                }
                break;
            }
            case Command::Kind::kDispatch:
                throw std::logic_error("a dispatch among copies");
        }
    }

    void signal_at_least(std::uint64_t value) {
        if (event_->signaledValue() < value) event_->setSignaledValue(value);
    }

    // Waits for what is under way, whatever becomes of it, and forgets it.
    void abandon() {
        if (in_flight_.empty()) return;
        const AutoreleasePool pool;
        for (const InFlight& work : in_flight_) {
            signal_at_least(work.signal - 1);  // a submission that fails signals nothing, and the next waits for it
            work.buffer->waitUntilCompleted();
        }
        signal_at_least(last_signal_);
        in_flight_.clear();
        order_.clear();
    }

    // Throws where command buffers failed; all are forgotten then. After one fails Metal ignores the others of its queue, also
    // earlier ones that it overtook: the one to name is the one whose encoders are to blame.
    void check_for_errors() {
        std::string message, encoders;
        for (const InFlight& work : in_flight_) {
            if (work.buffer->status() != MTL::CommandBufferStatusError || !encoders.empty()) continue;
            encoders = blamed_encoders(work.buffer->error());
            if (!message.empty() && encoders.empty()) continue;
            message = fmt::format("the GPU failed in {}: {}", encoders.empty() ? work.label : encoders,
                                  text_of(work.buffer->error()));
        }
        if (message.empty()) return;
        abandon();
        throw DeviceError(message);
    }

    KernelText kernels_;
    Ref<MTL::Device> device_;
    DeviceInfo info_;
    Memory memory_;
    EncoderOrder order_;
    std::shared_ptr<Library> library_;
    std::vector<std::weak_ptr<LibraryCompilation>> compilations_;
    std::map<std::string, Ref<MTL::ComputePipelineState>, std::less<>> pipelines_;  // by kernel name
    Ref<MTL::CommandQueue> queue_;
    Ref<MTL::SharedEvent> event_;  // its value: how many submissions are done
    std::uint64_t last_signal_ = 0;
    std::vector<InFlight> in_flight_;
    Accesses accesses_;  // of the encoder under way
    std::optional<Capture> capture_;
};

}  // namespace

std::unique_ptr<Runtime> make_runtime(unsigned index, const KernelText& kernels) {
    if (const std::string problem = device_problem(index); !problem.empty()) {
        throw DeviceError(fmt::format("metal:{}: {}", index, problem));
    }
    return std::make_unique<MetalRuntime>(all_devices()[index], index, kernels);
}

}  // namespace whorl::gpu::metal
