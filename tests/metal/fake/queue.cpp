#include "queue.hpp"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <iterator>
#include <mutex>
#include <optional>
#include <random>

#include "state.hpp"

namespace fake_metal {
namespace {

using StepPointer = std::shared_ptr<Step>;

double now_in_seconds() {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

struct PassFailure {
    CommandBufferError code;
    std::string what;
};

/// Everything that is committed and not complete, of all queues.
class Work {
public:
    std::recursive_mutex mutex;  // held while the device works; releases that follow from it come back here
    std::condition_variable_any changed;

    void submit(CommandBuffer& command_buffer);
    /// False where no step can be carried out.
    bool advance();
    void check_unused(const Object& object) const;

private:
    void add_dependencies(const StepPointer& step, CommandBuffer& command_buffer, std::size_t index);
    bool is_ready(const Step& step, const Options& options) const;
    void carry_out(Step& step);
    std::optional<PassFailure> run_pass(const Step& step);
    std::optional<PassFailure> run_command(const Command& command, std::uint64_t command_buffer);
    void complete_finished();
    void fail_queue(Step& step, const PassFailure& failure);

    std::vector<CommandBuffer*> command_buffers_;  // in the order of commits; each holds a reference
    std::uint64_t num_choices_ = 0;
};

Work& work() {
    static auto* instance = new Work;
    return *instance;
}

std::uint64_t draw(std::uint64_t seed, std::uint64_t number) {
    return std::mt19937_64(seed * 1000003 + number)();
}

bool conflict(const Step& a, const Step& b) {
    for (const ResidentBuffer& x : a.buffers) {
        for (const ResidentBuffer& y : b.buffers) {
            if (x.buffer == y.buffer && x.buffer->is_tracked() && (x.is_writable || y.is_writable)) return true;
        }
    }
    return false;
}

bool contains_kernel(const Step& step, const std::string& kernel) {
    return !kernel.empty() && std::ranges::any_of(step.commands, [&](const Command& command) {
        return command.kind == Command::Kind::kDispatch && kernel == command.grid.kernel->name;
    });
}

void Work::submit(CommandBuffer& command_buffer) {
    command_buffer.retain();
    command_buffers_.push_back(&command_buffer);
    for (std::size_t i = 0; i < command_buffer.steps().size(); ++i)
        add_dependencies(command_buffer.steps()[i], command_buffer, i);
    complete_finished();
    if (options().is_eager) {
        while (advance()) {
        }
    }
}

/// All that Metal orders: what follows a wait in its command buffer, a signal after all before it, fences, and tracked
/// buffers.
void Work::add_dependencies(const StepPointer& step, CommandBuffer& command_buffer, std::size_t index) {
    for (std::size_t i = 0; i < index; ++i) {
        const StepPointer& earlier = command_buffer.steps()[i];
        if (earlier->kind == Step::Kind::kWait || step->kind == Step::Kind::kSignal)
            step->dependencies.push_back(earlier);
    }
    for (const Fence* fence : step->waits) {
        if (fence->last_update != nullptr) step->dependencies.push_back(fence->last_update);
    }
    for (Fence* fence : step->updates) fence->last_update = step;
    for (const CommandBuffer* other : command_buffers_) {
        if (other->queue() != command_buffer.queue()) continue;
        for (const StepPointer& earlier : other->steps()) {
            if (earlier == step) return;
            if (conflict(*earlier, *step)) step->dependencies.push_back(earlier);
        }
    }
}

bool Work::is_ready(const Step& step, const Options& options) const {
    if (step.state != Step::State::kPending) return false;
    if (step.kind == Step::Kind::kWait && step.event->reached < step.value) return false;
    if (contains_kernel(step, options.hanging_kernel)) return false;
    return std::ranges::all_of(step.dependencies,
                               [](const StepPointer& other) { return other->state != Step::State::kPending; });
}

bool Work::advance() {
    const Options now = options();
    std::vector<StepPointer> ready;
    for (const CommandBuffer* command_buffer : command_buffers_) {
        std::ranges::copy_if(command_buffer->steps(), std::back_inserter(ready),
                             [&](const StepPointer& step) { return is_ready(*step, now); });
    }
    if (ready.empty()) return false;
    const std::size_t choice =
        now.seed == 0 ? ready.size() - 1 : static_cast<std::size_t>(draw(now.seed, num_choices_++) % ready.size());
    carry_out(*ready[choice]);
    complete_finished();
    changed.notify_all();
    return true;
}

void Work::carry_out(Step& step) {
    if (step.kind == Step::Kind::kSignal) {
        if (step.value <= step.event->reached)
            misuse("an event is signalled {} after {}", step.value, step.event->reached);
        step.event->reached = step.value;
    } else if (step.kind == Step::Kind::kPass) {
        const double start = now_in_seconds();
        const std::optional<PassFailure> failure = run_pass(step);
        step.command_buffer->note_time(start, now_in_seconds());
        if (failure) {
            fail_queue(step, *failure);
            return;
        }
    }
    step.state = Step::State::kDone;
    step.dependencies.clear();
}

std::optional<PassFailure> Work::run_pass(const Step& step) {
    const std::uint64_t seed = options().seed;
    auto begin = step.commands.begin();
    while (begin != step.commands.end()) {
        // Commands up to a barrier, in an order of ours where the program asked for none.
        const auto end =
            step.is_concurrent
                ? std::find_if(begin, step.commands.end(),
                               [](const Command& command) { return command.kind == Command::Kind::kBarrier; })
                : step.commands.end();
        std::vector<const Command*> commands;
        for (auto command = begin; command != end; ++command) commands.push_back(&*command);
        if (step.is_concurrent) {
            std::ranges::reverse(commands);
            if (seed != 0) std::ranges::shuffle(commands, std::mt19937_64(draw(seed, num_choices_++)));
        }
        for (const Command* command : commands) {
            if (auto failure = run_command(*command, step.command_buffer->number())) return failure;
        }
        begin = end == step.commands.end() ? end : end + 1;
    }
    return std::nullopt;
}

std::optional<PassFailure> Work::run_command(const Command& command, std::uint64_t command_buffer) {
    if (command.kind == Command::Kind::kBarrier) return std::nullopt;
    make_resident(*command.residency, command_buffer);
    if (command.kind == Command::Kind::kCopy) {
        std::memcpy(command.destination, command.source, command.size);
        return std::nullopt;
    }
    if (command.kind == Command::Kind::kFill) {
        std::memset(command.destination, command.value, command.size);
        return std::nullopt;
    }
    const Options now = options();
    const char* kernel = command.grid.kernel->name;
    if (now.failing_kernel == kernel) return PassFailure{now.failure, fmt::format("kernel {}: failed", kernel)};
    const std::optional<KernelFailure> failure = run_grid(command.grid, draw(now.seed, num_choices_++));
    if (!failure) return std::nullopt;
    if (failure->what.empty()) {
        return PassFailure{CommandBufferError::kPageFault,
                           fmt::format("kernel {}: {}", kernel, describe_access(failure->address, failure->is_write))};
    }
    return PassFailure{CommandBufferError::kInternal, fmt::format("kernel {}: {}", kernel, failure->what)};
}

/// The command buffer fails, and so does all that is committed to its queue.
void Work::fail_queue(Step& step, const PassFailure& failure) {
    step.state = Step::State::kFailed;
    const CommandQueue* queue = step.command_buffer->queue();
    for (CommandBuffer* command_buffer : command_buffers_) {
        if (command_buffer->queue() != queue || command_buffer->is_complete()) continue;
        const bool is_culprit = command_buffer == step.command_buffer;
        command_buffer->complete(is_culprit ? failure.code : CommandBufferError::kIgnored,
                                 is_culprit ? failure.what : "ignored: work before it on the queue failed");
    }
}

/// Command buffers of a queue complete in the order of commits.
void Work::complete_finished() {
    std::vector<CommandBuffer*> finished;
    std::vector<const CommandQueue*> busy;
    for (CommandBuffer* command_buffer : command_buffers_) {
        const bool is_done = std::ranges::all_of(
            command_buffer->steps(), [](const StepPointer& step) { return step->state == Step::State::kDone; });
        if (command_buffer->is_complete()) {
            finished.push_back(command_buffer);
        } else if (is_done && std::ranges::count(busy, command_buffer->queue()) == 0) {
            command_buffer->complete(CommandBufferError::kInternal, {});
            finished.push_back(command_buffer);
        } else {
            busy.push_back(command_buffer->queue());
        }
    }
    std::erase_if(command_buffers_,
                  [&](CommandBuffer* command_buffer) { return std::ranges::count(finished, command_buffer) != 0; });
    for (CommandBuffer* command_buffer : finished) command_buffer->release();
}

void Work::check_unused(const Object& object) const {
    for (const CommandBuffer* command_buffer : command_buffers_) {
        if (!command_buffer->is_complete() && command_buffer->keeps(object)) {
            misuse("a {} is released while a command buffer that does not retain it uses it",
                   object.object_class().name());
        }
    }
}

}  // namespace

void submit(CommandBuffer& command_buffer) {
    const std::lock_guard lock(work().mutex);
    work().submit(command_buffer);
}

void finish(CommandBuffer& command_buffer) {
    const std::lock_guard lock(work().mutex);
    while (!command_buffer.is_complete()) {
        if (!work().advance()) misuse("waitUntilCompleted would wait for ever");
    }
}

bool finish(SharedEvent& event, std::uint64_t value, std::uint64_t milliseconds) {
    const auto limit = std::chrono::milliseconds(std::min<std::uint64_t>(milliseconds, options().longest_wait_ms));
    const auto deadline = std::chrono::steady_clock::now() + limit;
    std::unique_lock lock(work().mutex);
    while (event.reached < value) {
        if (work().advance()) continue;
        if (work().changed.wait_until(lock, deadline) == std::cv_status::timeout) return event.reached >= value;
    }
    return true;
}

bool work_a_little() {
    const std::lock_guard lock(work().mutex);
    return work().advance();
}

void signal_from_host(SharedEvent& event, std::uint64_t value) {
    const std::lock_guard lock(work().mutex);
    if (value < event.reached) misuse("setSignaledValue: {} after {}", value, event.reached);
    event.reached = value;
    work().changed.notify_all();
}

void check_unused(const Object& object) {
    const std::lock_guard lock(work().mutex);
    work().check_unused(object);
}

}  // namespace fake_metal
