#include "commands.hpp"

#include <algorithm>
#include <cstring>
#include <limits>

#include "queue.hpp"
#include "state.hpp"

namespace fake_metal {
namespace {

constexpr std::uint64_t kMaxBytes = 4096;  // that setBytes takes
constexpr std::uint64_t kUsageWrite = 2;
constexpr std::uint32_t kMaxUnfinished = 64;  // command buffers of a queue
constexpr std::uint64_t kCopyAlignment = 4;

void add_to(Residency& residency, Buffer* buffer, bool is_writable) {
    const bool is_there = std::ranges::any_of(residency, [&](const ResidentBuffer& used) {
        return used.buffer == buffer && used.is_writable == is_writable;
    });
    if (!is_there) residency.push_back({buffer, is_writable});
}

/// The bytes of a buffer from `offset` on; misuse where there are fewer than `size`.
std::byte* range_of(const char* operation, Buffer* buffer, std::uint64_t offset, std::uint64_t size) {
    if (buffer == nullptr) misuse("{}: nil", operation);
    if (offset > buffer->length() || size > buffer->length() - offset)
        misuse("{}: {} bytes at {} of {}, which has {}", operation, size, offset, buffer->name(), buffer->length());
    if (size == 0) misuse("{}: nothing", operation);
    if (offset % kCopyAlignment != 0 || size % kCopyAlignment != 0)
        misuse("{}: {} bytes at {}: not multiples of 4", operation, size, offset);
    return buffer->memory().device() + offset;
}

}  // namespace

std::uint64_t SharedEvent::value() {
    if (++num_polls >= options().polls_per_step) {
        num_polls = 0;
        work_a_little();
    }
    return reached;
}
void SharedEvent::set_value(std::uint64_t value) {
    signal_from_host(*this, value);
}
bool SharedEvent::wait_for(std::uint64_t value, std::uint64_t milliseconds) {
    return finish(*this, value, milliseconds);
}

Encoder::Encoder(const char* class_name, CommandBuffer* command_buffer)
    : Object(class_name), command_buffer_(command_buffer), step_(command_buffer->begin_step(Step::Kind::kPass)) {
    ++atomic_counts().encoders;
}

Encoder::~Encoder() {
    if (!has_ended_) misuse("encoder '{}' is released before endEncoding", step_->label);
}

Step& Encoder::open(const char* operation) {
    if (has_ended_) misuse("{} after endEncoding of encoder '{}'", operation, step_->label);
    return *step_;
}

void Encoder::end() {
    open("endEncoding");
    if (num_groups_ != 0) misuse("endEncoding with {} debug groups pushed", num_groups_);
    has_ended_ = true;
    command_buffer_->end_pass();
}

void Encoder::set_label(const String* label) {
    open("setLabel").label = text_of(label);
}
void Encoder::push_group(const String* name) {
    open("pushDebugGroup").signposts.push_back(text_of(name));
    ++num_groups_;
}
void Encoder::pop_group() {
    open("popDebugGroup");
    if (num_groups_ == 0) misuse("popDebugGroup without pushDebugGroup");
    --num_groups_;
}
void Encoder::add_signpost(const String* name) {
    open("insertDebugSignpost").signposts.push_back(text_of(name));
}

void Encoder::wait_for(Fence* fence) {
    Step& step = open("waitForFence");
    if (fence == nullptr) misuse("waitForFence: nil");
    if (std::ranges::count(step.updates, fence) != 0) misuse("waitForFence after updateFence of the same encoder");
    keep(fence);
    step.waits.push_back(fence);
}
void Encoder::update(Fence* fence) {
    Step& step = open("updateFence");
    if (fence == nullptr) misuse("updateFence: nil");
    keep(fence);
    step.updates.push_back(fence);
}

void Encoder::keep(Object* object) {
    command_buffer_->keep(object);
}
void Encoder::use(Buffer* buffer, bool is_writable) {
    if (is_writable && buffer->is_wrapped())
        misuse("{} is the host's memory: writing it is not implemented", buffer->name());
    keep(buffer);
    add_to(step_->buffers, buffer, is_writable);
}

ComputeEncoder::ComputeEncoder(CommandBuffer* command_buffer, bool is_concurrent)
    : Encoder("MTLComputeCommandEncoder", command_buffer) {
    open("computeCommandEncoder").is_concurrent = is_concurrent;
}

void ComputeEncoder::set_pipeline(Pipeline* pipeline) {
    open("setComputePipelineState");
    if (pipeline == nullptr) misuse("setComputePipelineState: nil");
    keep(pipeline);
    pipeline_ = pipeline;
}

void ComputeEncoder::set_bytes(const void* bytes, std::uint64_t length, std::uint64_t slot) {
    open("setBytes");
    if (slot >= kNumSlots) misuse("setBytes: there is no slot {}", slot);
    if (length == 0 || length > kMaxBytes) misuse("setBytes: {} bytes, at most {}", length, kMaxBytes);
    std::vector<std::max_align_t> copy((length + sizeof(std::max_align_t) - 1) / sizeof(std::max_align_t));
    std::memcpy(copy.data(), bytes, length);
    slots_[slot] = {nullptr, 0, std::make_shared<const std::vector<std::max_align_t>>(std::move(copy))};
    residency_.reset();
}

void ComputeEncoder::set_buffer(Buffer* buffer, std::uint64_t offset, std::uint64_t slot) {
    open("setBuffer");
    if (slot >= kNumSlots) misuse("setBuffer: there is no slot {}", slot);
    if (buffer != nullptr && offset >= buffer->length())
        misuse("setBuffer: offset {} of {}, which has {} bytes", offset, buffer->name(), buffer->length());
    if (offset % kCopyAlignment != 0) misuse("setBuffer: offset {} is not a multiple of 4", offset);
    slots_[slot] = {buffer, offset, nullptr};
    residency_.reset();
    if (buffer != nullptr) use(buffer, !buffer->is_wrapped());
}

void ComputeEncoder::use_resource(Buffer* buffer, std::uint64_t usage) {
    open("useResource");
    if (buffer == nullptr) misuse("useResource: nil");
    if (usage == 0) misuse("useResource of {}: for nothing", buffer->name());
    const bool is_writable = (usage & kUsageWrite) != 0;
    add_to(used_, buffer, is_writable);
    residency_.reset();
    use(buffer, is_writable);
}
void ComputeEncoder::use_resources(const void* const* buffers, std::uint64_t count, std::uint64_t usage) {
    for (std::uint64_t i = 0; i < count; ++i) use_resource(resolve_as<Buffer>(buffers[i]), usage);
}

void ComputeEncoder::barrier(std::uint64_t scope) {
    constexpr std::uint64_t kBuffers = 1;
    if (scope != kBuffers) misuse("memoryBarrierWithScope: {}: only buffers can be ordered", scope);
    Command command;
    command.kind = Command::Kind::kBarrier;
    open("memoryBarrier").commands.push_back(std::move(command));
}
void ComputeEncoder::barrier_of_resources(const void* const* buffers, std::uint64_t count) {
    if (count == 0) misuse("memoryBarrierWithResources: none");
    for (std::uint64_t i = 0; i < count; ++i) {
        if (resolve_as<Buffer>(buffers[i]) == nullptr) misuse("memoryBarrierWithResources: nil");
    }
    barrier(1);
}

const std::shared_ptr<const Residency>& ComputeEncoder::residency() {
    if (residency_ == nullptr) {
        Residency residency = used_;
        for (const Slot& slot : slots_) {
            if (slot.buffer != nullptr) residency.push_back({slot.buffer, !slot.buffer->is_wrapped()});
        }
        residency_ = std::make_shared<const Residency>(std::move(residency));
    }
    return residency_;
}

void ComputeEncoder::dispatch(Size groups, Size size) {
    Step& step = open("dispatchThreadgroups");
    if (pipeline_ == nullptr) misuse("dispatchThreadgroups without a pipeline");
    const KernelEntry& kernel = *pipeline_->kernel();
    const std::uint64_t threads = size.width * size.height * size.depth;
    if (groups.width == 0 || groups.height == 0 || groups.depth == 0 || threads == 0)
        misuse("kernel {}: the grid is empty", kernel.name);
    if (threads > pipeline_->max_threads())
        misuse("kernel {}: {} threads in a threadgroup, at most {}", kernel.name, threads, pipeline_->max_threads());
    if (std::max({groups.width, groups.height, groups.depth}) > std::numeric_limits<std::uint32_t>::max())
        misuse("kernel {}: {} x {} x {} threadgroups", kernel.name, groups.width, groups.height, groups.depth);

    Command command;
    command.grid.kernel = &kernel;
    const auto to_words = [](const Size& from) {
        return std::array{static_cast<std::uint32_t>(from.width), static_cast<std::uint32_t>(from.height),
                          static_cast<std::uint32_t>(from.depth)};
    };
    command.grid.groups = to_words(groups);
    command.grid.size = to_words(size);
    for (std::size_t slot = 0; slot < kNumSlots; ++slot) {
        const Slot& bound = slots_[slot];
        if (bound.buffer != nullptr) {
            command.grid.slots[slot] = bound.buffer->memory().device() + bound.offset;
        } else if (bound.bytes != nullptr) {
            command.grid.slots[slot] = bound.bytes->data();
            command.bytes.push_back(bound.bytes);
        } else if ((kernel.slots >> slot & 1) != 0) {
            misuse("kernel {}: nothing is bound to buffer({})", kernel.name, slot);
        }
    }
    command.residency = residency();
    step.commands.push_back(std::move(command));
    ++atomic_counts().dispatches;
}

void BlitEncoder::copy(Buffer* source, std::uint64_t source_offset, Buffer* destination,
                       std::uint64_t destination_offset, std::uint64_t size) {
    Step& step = open("copyFromBuffer");
    Command command;
    command.kind = Command::Kind::kCopy;
    command.source = range_of("copyFromBuffer", source, source_offset, size);
    command.destination = range_of("copyFromBuffer", destination, destination_offset, size);
    if (source == destination && source_offset < destination_offset + size && destination_offset < source_offset + size)
        misuse("copyFromBuffer: the ranges of {} overlap", source->name());
    command.size = size;
    command.residency = std::make_shared<const Residency>(Residency{{source, false}, {destination, true}});
    use(source, false);
    use(destination, true);
    step.commands.push_back(std::move(command));
}

void BlitEncoder::fill(Buffer* buffer, Range range, std::uint8_t value) {
    Step& step = open("fillBuffer");
    Command command;
    command.kind = Command::Kind::kFill;
    command.destination = range_of("fillBuffer", buffer, range.location, range.length);
    command.size = range.length;
    command.value = value;
    command.residency = std::make_shared<const Residency>(Residency{{buffer, true}});
    use(buffer, true);
    step.commands.push_back(std::move(command));
}

CommandBuffer::CommandBuffer(CommandQueue* queue, bool retains_references, bool wants_encoder_info)
    : Object("MTLCommandBuffer"),
      queue_(queue),
      retains_references_(retains_references),
      wants_encoder_info_(wants_encoder_info) {
    while (queue->num_unfinished >= kMaxUnfinished) {
        if (!work_a_little()) misuse("commandBuffer would wait for ever: {} are not complete", queue->num_unfinished);
    }
    ++queue->num_unfinished;
}

CommandBuffer::~CommandBuffer() {
    if (!is_complete()) --queue_->num_unfinished;
    drop_used();
}

std::shared_ptr<Step> CommandBuffer::begin_step(Step::Kind kind) {
    if (status_ != Status::kNotEnqueued) misuse("command buffer '{}' is encoded after commit", label_);
    if (has_open_encoder_) misuse("command buffer '{}' is encoded while an encoder is open", label_);
    has_open_encoder_ = kind == Step::Kind::kPass;
    auto step = std::make_shared<Step>();
    step->kind = kind;
    step->command_buffer = this;
    steps_.push_back(step);
    return step;
}

void CommandBuffer::keep(Object* object) {
    if (used_.insert(object).second && retains_references_) object->retain();
}
bool CommandBuffer::keeps(const Object& object) const {
    return used_.contains(const_cast<Object*>(&object));
}
void CommandBuffer::drop_used() {
    for (Object* object : std::exchange(used_, {})) {
        if (retains_references_) object->release();
    }
}

ComputeEncoder* CommandBuffer::compute_encoder(std::uint64_t dispatch_type) {
    constexpr std::uint64_t kConcurrent = 1;
    return autoreleased(new ComputeEncoder(this, dispatch_type == kConcurrent));
}
BlitEncoder* CommandBuffer::blit_encoder() {
    return autoreleased(new BlitEncoder(this));
}

void CommandBuffer::encode_signal(SharedEvent* event, std::uint64_t value) {
    if (event == nullptr) misuse("encodeSignalEvent: nil");
    const auto step = begin_step(Step::Kind::kSignal);
    step->event = event;
    step->value = value;
    keep(event);
}
void CommandBuffer::encode_wait(SharedEvent* event, std::uint64_t value) {
    if (event == nullptr) misuse("encodeWaitForEvent: nil");
    const auto step = begin_step(Step::Kind::kWait);
    step->event = event;
    step->value = value;
    keep(event);
}

void CommandBuffer::commit() {
    if (status_ != Status::kNotEnqueued) misuse("commit of command buffer '{}' twice", label_);
    if (has_open_encoder_) misuse("commit of command buffer '{}' while an encoder is open", label_);
    for (const Object* object : used_) resolve(object);
    status_ = Status::kCommitted;
    number_ = ++atomic_counts().command_buffers;
    submit(*this);
}

CommandBuffer::Status CommandBuffer::status() {
    if (status_ == Status::kCommitted && ++num_polls_ >= options().polls_per_step) {
        num_polls_ = 0;
        work_a_little();
    }
    return status_;
}

void CommandBuffer::wait() {
    if (status_ == Status::kNotEnqueued) misuse("waitUntilCompleted of command buffer '{}' before commit", label_);
    finish(*this);
}

void CommandBuffer::note_time(double start, double end) {
    if (start_time_ == 0) start_time_ = start;
    end_time_ = end;
}

void CommandBuffer::complete(CommandBufferError code, const std::string& what) {
    if (!what.empty()) {
        Dictionary::Entries user_info;
        if (wants_encoder_info_) {
            std::vector<Ref<Object>> infos;
            for (const auto& step : steps_) {
                if (step->kind != Step::Kind::kPass) continue;
                using enum EncoderInfo::State;
                const auto state = step->state == Step::State::kDone     ? kCompleted
                                   : step->state == Step::State::kFailed ? kFaulted
                                                                         : kPending;
                infos.push_back(owned<Object>(new EncoderInfo(*step, state)));
            }
            user_info.emplace_back(encoder_info_key(), owned<Object>(new Array(std::move(infos))));
        }
        error_ = owned<Error>(
            new Error("MTLCommandBufferErrorDomain", static_cast<std::int64_t>(code), what, std::move(user_info)));
    }
    status_ = what.empty() ? Status::kCompleted : Status::kError;
    for (const auto& step : steps_) {
        if (step->state == Step::State::kPending) step->state = Step::State::kFailed;
        step->dependencies.clear();
    }
    --queue_->num_unfinished;
    drop_used();
}

Array* EncoderInfo::signposts() const {
    std::vector<Ref<Object>> names;
    for (const std::string& name : signposts_) names.push_back(owned<Object>(new String(name)));
    return autoreleased(new Array(std::move(names)));
}

CommandBuffer* CommandQueue::command_buffer() {
    return autoreleased(new CommandBuffer(this, true, false));
}
CommandBuffer* CommandQueue::unretained_command_buffer() {
    return autoreleased(new CommandBuffer(this, false, false));
}
CommandBuffer* CommandQueue::command_buffer_as(const CommandBufferDescriptor* descriptor) {
    if (descriptor == nullptr) misuse("commandBufferWithDescriptor: nil");
    return autoreleased(new CommandBuffer(this, descriptor->retains_references, descriptor->wants_encoder_info));
}

namespace {

void add_encoder_methods(Class& encoder) {
    encoder.add<&Encoder::end>("endEncoding")
        .add<&Encoder::set_label>("setLabel:")
        .add<&Encoder::label>("label")
        .add<&Encoder::push_group>("pushDebugGroup:")
        .add<&Encoder::pop_group>("popDebugGroup")
        .add<&Encoder::add_signpost>("insertDebugSignpost:")
        .add<&Encoder::wait_for>("waitForFence:")
        .add<&Encoder::update>("updateFence:");
}

}  // namespace

void register_commands() {
    class_named("MTLFence").add<&Fence::set_label>("setLabel:");
    class_named("MTLSharedEvent")
        .add<&SharedEvent::value>("signaledValue")
        .add<&SharedEvent::set_value>("setSignaledValue:")
        .add<&SharedEvent::wait_for>("waitUntilSignaledValue:timeoutMS:")
        .add<&SharedEvent::set_label>("setLabel:");
    class_named("MTLCommandQueue")
        .add<&CommandQueue::command_buffer>("commandBuffer")
        .add<&CommandQueue::unretained_command_buffer>("commandBufferWithUnretainedReferences")
        .add<&CommandQueue::command_buffer_as>("commandBufferWithDescriptor:")
        .add<&CommandQueue::set_label>("setLabel:");
    class_named("MTLCommandBufferDescriptor")
        .add_static<&make<CommandBufferDescriptor>>("alloc")
        .add<&CommandBufferDescriptor::set_error_options>("setErrorOptions:")
        .add<&CommandBufferDescriptor::set_retained_references>("setRetainedReferences:");
    class_named("MTLCommandBuffer")
        .add<&CommandBuffer::serial_encoder>("computeCommandEncoder")
        .add<&CommandBuffer::compute_encoder>("computeCommandEncoderWithDispatchType:")
        .add<&CommandBuffer::blit_encoder>("blitCommandEncoder")
        .add<&CommandBuffer::encode_signal>("encodeSignalEvent:value:")
        .add<&CommandBuffer::encode_wait>("encodeWaitForEvent:value:")
        .add<&CommandBuffer::commit>("commit")
        .add<&CommandBuffer::status>("status")
        .add<&CommandBuffer::error>("error")
        .add<&CommandBuffer::wait>("waitUntilCompleted")
        .add<&CommandBuffer::set_label>("setLabel:")
        .add<&CommandBuffer::label>("label")
        .add<&CommandBuffer::start_time>("GPUStartTime")
        .add<&CommandBuffer::end_time>("GPUEndTime");
    class_named("MTLCommandBufferEncoderInfo")
        .add<&EncoderInfo::label>("label")
        .add<&EncoderInfo::state>("errorState")
        .add<&EncoderInfo::signposts>("debugSignposts");
    add_encoder_methods(class_named("MTLComputeCommandEncoder")
                            .add<&ComputeEncoder::set_pipeline>("setComputePipelineState:")
                            .add<&ComputeEncoder::set_bytes>("setBytes:length:atIndex:")
                            .add<&ComputeEncoder::set_buffer>("setBuffer:offset:atIndex:")
                            .add<&ComputeEncoder::use_resource>("useResource:usage:")
                            .add<&ComputeEncoder::use_resources>("useResources:count:usage:")
                            .add<&ComputeEncoder::barrier>("memoryBarrierWithScope:")
                            .add<&ComputeEncoder::barrier_of_resources>("memoryBarrierWithResources:count:")
                            .add<&ComputeEncoder::dispatch>("dispatchThreadgroups:threadsPerThreadgroup:"));
    add_encoder_methods(class_named("MTLBlitCommandEncoder")
                            .add<&BlitEncoder::copy>("copyFromBuffer:sourceOffset:toBuffer:destinationOffset:size:")
                            .add<&BlitEncoder::fill>("fillBuffer:range:value:"));
}

}  // namespace fake_metal
