// What programs encode: passes of dispatches or copies, and signals and waits between them.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "buffer.hpp"
#include "fake_metal.hpp"
#include "foundation.hpp"
#include "grid.hpp"
#include "library.hpp"

namespace fake_metal {

class CommandBuffer;
class CommandQueue;
struct Step;

/// MTLSize and NSRange.
struct Size {
    std::uint64_t width, height, depth;
};
struct Range {
    std::uint64_t location, length;
};

class Fence final : public Object {
public:
    Fence() : Object("MTLFence") {}
    void set_label(const String*) {}
    ~Fence() override { check_unused(*this); }
    std::shared_ptr<Step> last_update;  // of the passes committed so far
};

class SharedEvent final : public Object {
public:
    SharedEvent() : Object("MTLSharedEvent") {}
    ~SharedEvent() override { check_unused(*this); }
    void set_label(const String*) {}
    std::uint64_t value();
    void set_value(std::uint64_t value);
    bool wait_for(std::uint64_t value, std::uint64_t milliseconds);

    /// What the device or the host has set, without asking the device to go on.
    std::atomic<std::uint64_t> reached = 0;
    std::atomic<std::uint32_t> num_polls = 0;
};

/// One command of a pass.
struct Command {
    enum class Kind : std::uint8_t { kDispatch, kBarrier, kCopy, kFill };
    Kind kind = Kind::kDispatch;
    // kDispatch
    Grid grid;
    std::vector<std::shared_ptr<const std::vector<std::max_align_t>>> bytes;  // that slots of the grid point to
    // The buffers that the command may reach; those of the copy or fill come first.
    std::shared_ptr<const Residency> residency;
    // kCopy, kFill
    std::byte* destination = nullptr;
    const std::byte* source = nullptr;
    std::uint64_t size = 0;
    std::uint8_t value = 0;
};

/// A part of a command buffer that the device carries out as a whole: a pass, a signal or a wait.
struct Step {
    enum class Kind : std::uint8_t { kPass, kSignal, kWait };
    enum class State : std::uint8_t { kPending, kDone, kFailed };
    Kind kind = Kind::kPass;
    State state = State::kPending;
    CommandBuffer* command_buffer = nullptr;
    std::vector<std::shared_ptr<Step>> dependencies;
    // kPass
    std::string label;
    std::vector<std::string> signposts;
    bool is_concurrent = false;
    std::vector<Command> commands;
    Residency buffers;  // all that the pass uses
    std::vector<Fence*> waits, updates;
    // kSignal, kWait
    SharedEvent* event = nullptr;
    std::uint64_t value = 0;
};

/// What compute and blit encoders share: their pass, until it is ended.
class Encoder : public Object {
public:
    Encoder(const char* class_name, CommandBuffer* command_buffer);
    ~Encoder() override;

    void end();
    void set_label(const String* label);
    String* label() const { return make_string(step_->label); }
    void push_group(const String* name);
    void pop_group();
    void add_signpost(const String* name);
    void wait_for(Fence* fence);
    void update(Fence* fence);

protected:
    /// The pass; misuse where it is ended.
    Step& open(const char* operation);
    void keep(Object* object);
    void use(Buffer* buffer, bool is_writable);

private:
    Ref<CommandBuffer> command_buffer_;
    std::shared_ptr<Step> step_;
    std::uint32_t num_groups_ = 0;
    bool has_ended_ = false;
};

class ComputeEncoder final : public Encoder {
public:
    ComputeEncoder(CommandBuffer* command_buffer, bool is_concurrent);
    void set_pipeline(Pipeline* pipeline);
    void set_bytes(const void* bytes, std::uint64_t length, std::uint64_t slot);
    void set_buffer(Buffer* buffer, std::uint64_t offset, std::uint64_t slot);
    void use_resource(Buffer* buffer, std::uint64_t usage);
    void use_resources(const void* const* buffers, std::uint64_t count, std::uint64_t usage);
    void barrier(std::uint64_t scope);
    /// Taken for one of all memory: what a bindless dispatch reaches is not known before it runs.
    void barrier_of_resources(const void* const* buffers, std::uint64_t count);
    void dispatch(Size groups, Size size);

private:
    struct Slot {
        Buffer* buffer = nullptr;
        std::uint64_t offset = 0;
        std::shared_ptr<const std::vector<std::max_align_t>> bytes;
    };
    const std::shared_ptr<const Residency>& residency();

    Pipeline* pipeline_ = nullptr;
    std::array<Slot, kNumSlots> slots_{};
    Residency used_;
    std::shared_ptr<const Residency> residency_;  // for the next dispatch; null where it has changed
};

class BlitEncoder final : public Encoder {
public:
    explicit BlitEncoder(CommandBuffer* command_buffer) : Encoder("MTLBlitCommandEncoder", command_buffer) {}
    void copy(Buffer* source, std::uint64_t source_offset, Buffer* destination, std::uint64_t destination_offset,
              std::uint64_t size);
    void fill(Buffer* buffer, Range range, std::uint8_t value);
};

class CommandBufferDescriptor final : public Object {
public:
    CommandBufferDescriptor() : Object("MTLCommandBufferDescriptor") {}
    void set_error_options(std::uint64_t options) { wants_encoder_info = (options & 1) != 0; }
    void set_retained_references(bool is_retained) { retains_references = is_retained; }

    bool wants_encoder_info = false;
    bool retains_references = true;
};

class CommandBuffer final : public Object {
public:
    enum class Status : std::uint64_t { kNotEnqueued = 0, kCommitted = 2, kCompleted = 4, kError = 5 };

    CommandBuffer(CommandQueue* queue, bool retains_references, bool wants_encoder_info);
    ~CommandBuffer() override;

    ComputeEncoder* serial_encoder() { return compute_encoder(0); }
    ComputeEncoder* compute_encoder(std::uint64_t dispatch_type);
    BlitEncoder* blit_encoder();
    void encode_signal(SharedEvent* event, std::uint64_t value);
    void encode_wait(SharedEvent* event, std::uint64_t value);
    void commit();
    Status status();
    Error* error() const { return error_.get(); }
    void wait();
    void set_label(const String* label) { label_ = text_of(label); }
    String* label() const { return make_string(label_); }
    double start_time() const { return start_time_; }
    double end_time() const { return end_time_; }

    // For encoders
    std::shared_ptr<Step> begin_step(Step::Kind kind);
    void end_pass() { has_open_encoder_ = false; }
    /// For as long as the work takes; without retained references it is an error if the object dies before.
    void keep(Object* object);

    // For the queue
    bool keeps(const Object& object) const;
    std::uint64_t number() const { return number_; }
    CommandQueue* queue() const { return queue_.get(); }
    const std::vector<std::shared_ptr<Step>>& steps() const { return steps_; }
    bool is_complete() const { return status_ >= Status::kCompleted; }
    void note_time(double start, double end);
    /// Ends the command buffer, successfully where `what` is empty.
    void complete(CommandBufferError code, const std::string& what);

private:
    void drop_used();

    Ref<CommandQueue> queue_;
    bool retains_references_, wants_encoder_info_;
    bool has_open_encoder_ = false;
    std::atomic<Status> status_ = Status::kNotEnqueued;
    std::uint64_t number_ = 0;  // counts commits from 1
    std::uint32_t num_polls_ = 0;
    std::string label_;
    std::vector<std::shared_ptr<Step>> steps_;
    std::set<Object*> used_;  // each with a reference, if the command buffer retains
    Ref<Error> error_;
    double start_time_ = 0, end_time_ = 0;
};

/// State of a pass in a failed command buffer's error.
class EncoderInfo final : public Object {
public:
    enum class State : std::int64_t { kCompleted = 1, kPending = 3, kFaulted = 4 };
    EncoderInfo(const Step& step, State state)
        : Object("MTLCommandBufferEncoderInfo"), label_(step.label), signposts_(step.signposts), state_(state) {}
    String* label() const { return make_string(label_); }
    State state() const { return state_; }
    Array* signposts() const;

private:
    std::string label_;
    std::vector<std::string> signposts_;
    State state_;
};

class CommandQueue final : public Object {
public:
    CommandQueue() : Object("MTLCommandQueue") {}
    void set_label(const String*) {}
    CommandBuffer* command_buffer();
    CommandBuffer* unretained_command_buffer();
    CommandBuffer* command_buffer_as(const CommandBufferDescriptor* descriptor);

    std::atomic<std::uint32_t> num_unfinished = 0;  // command buffers
};

}  // namespace fake_metal
