#include "device/recorder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <stdexcept>

#include "machine/poison.hpp"
#include "machine/stop.hpp"

namespace whorl::gpu {
namespace {

constexpr std::uint64_t kAlignment = 16;

std::uint64_t round_up(std::uint64_t bytes) {
    return (bytes + kAlignment - 1) / kAlignment * kAlignment;
}

}  // namespace

Recorder::~Recorder() {
    release();
}

void Recorder::release() {
    for (Block* block : {&staging_, &uploads_, &mailbox_}) {
        if (block->bytes == 0) continue;
        runtime_.unbind(block == &staging_   ? staging_address_
                        : block == &uploads_ ? uploads_address_
                                             : mailbox_address_);
        runtime_.release(*block);
        *block = {};
    }
}

void Recorder::start_planning() {
    is_planning_ = true;
    max_upload_ = max_mailbox_ = 0;
    upload_begin_ = upload_end_ = mailbox_end_ = 0;
    planning_mailbox_.clear();
}

void Recorder::finish_planning(MemoryPlan& plan) {
    plan.upload_bytes = max_upload_;
    plan.mailbox_bytes = max_mailbox_;
    plan.device_bytes = plan.arena_bytes + (runtime_.info().is_unified ? max_upload_ + max_mailbox_ : max_upload_);
    is_planning_ = false;
    planning_mailbox_ = {};
    upload_begin_ = upload_end_ = mailbox_end_ = 0;
    submission_.clear();
}

void Recorder::follow(const MemoryPlan& plan) {
    wait();  // for what a proof that failed has left behind
    submission_.clear();
    upload_begin_ = upload_end_ = mailbox_end_ = 0;
    if (staging_.bytes >= plan.upload_bytes && mailbox_.bytes >= plan.mailbox_bytes && staging_.bytes != 0) return;
    release();
    const std::uint64_t upload = std::max(plan.upload_bytes, kAlignment);
    const std::uint64_t mailbox = std::max(plan.mailbox_bytes, kAlignment);
    staging_ = runtime_.allocate_shared(upload);
    // All of it: a device may give more than was asked for, and what is there is used before more is asked for.
    staging_address_ = runtime_.bind(staging_, 0, staging_.bytes);
    mailbox_ = runtime_.allocate_shared(mailbox);
    mailbox_address_ = runtime_.bind(mailbox_, 0, mailbox_.bytes);
    num_device_allocations_ += 2;
    num_bytes_allocated_ += upload + mailbox;
    if (!runtime_.info().is_unified) {
        uploads_ = runtime_.allocate(staging_.bytes);
        uploads_address_ = runtime_.bind(uploads_, 0, uploads_.bytes);
        ++num_device_allocations_;
        num_bytes_allocated_ += upload;
    }
}

void Recorder::add(const Command& command) {
    if (submission_.stages.empty()) submission_.stages.push_back({0, 0});
    submission_.commands.push_back(command);
    ++submission_.stages.back().count;
}

void Recorder::add_dispatch(const KernelInfo& kernel, std::uint64_t groups, const void* params) {
    if (groups == 0 || groups > std::numeric_limits<std::int32_t>::max()) {
        throw std::logic_error(fmt::format("kernel {} dispatched with {} threadgroups", kernel.name, groups));
    }
    Command command;
    command.kernel = &kernel;
    command.groups = static_cast<std::uint32_t>(groups);
    command.params = static_cast<std::uint32_t>(round_up(submission_.params.size()));
    submission_.params.resize(command.params + kernel.params_size);
    std::memcpy(submission_.params.data() + command.params, params, kernel.params_size);
    add(command);
}

void Recorder::copy(Address destination, Address source, std::uint64_t bytes) {
    if (bytes == 0) return;
    Command command;
    command.kind = Command::Kind::kCopy;
    command.destination = destination;
    command.source = source;
    command.bytes = bytes;
    add(command);
}

void Recorder::fill(Address destination, std::uint64_t bytes, std::uint8_t byte) {
    if (bytes == 0) return;
    Command command;
    command.kind = Command::Kind::kFill;
    command.destination = destination;
    command.bytes = bytes;
    command.byte = byte;
    add(command);
}

void Recorder::upload_to(Address destination, const void* host, std::uint64_t bytes) {
    if (bytes == 0) return;
    Command command;
    command.kind = Command::Kind::kUpload;
    command.destination = destination;
    command.host = host;
    command.bytes = bytes;
    add(command);
}

Address Recorder::upload_bytes(const void* data, std::uint64_t bytes) {
    const std::uint64_t offset = upload_end_;
    upload_end_ += round_up(bytes);
    max_upload_ = std::max(max_upload_, upload_end_);
    if (is_planning_) return 0;
    if (upload_end_ > staging_.bytes) throw std::logic_error("more parameters than the memory plan has room for");
    if (bytes != 0) std::memcpy(staging_.host + offset, data, bytes);
    return (runtime_.info().is_unified ? staging_address_ : uploads_address_) + offset;
}

std::uint64_t Recorder::take_mailbox(std::uint64_t bytes) {
    if (mailbox_is_read_) {
        mailbox_end_ = 0;
        planning_mailbox_.clear();
        mailbox_is_read_ = false;
    }
    const std::uint64_t offset = mailbox_end_;
    mailbox_end_ += round_up(bytes);
    max_mailbox_ = std::max(max_mailbox_, mailbox_end_);
    if (is_planning_) {
        planning_mailbox_.emplace_back(round_up(bytes));
        return offset;
    }
    if (mailbox_end_ > mailbox_.bytes) throw std::logic_error("more results than the memory plan has room for");
    poison_fresh(mailbox_.host + offset, bytes);
    return offset;
}

void Recorder::next_stage() {
    if (submission_.stages.empty() || submission_.stages.back().count == 0) return;
    submission_.stages.push_back({static_cast<std::uint32_t>(submission_.commands.size()), 0});
}

void Recorder::submit(std::int64_t expected_kernels) {
    check_stop();
    if (!submission_.stages.empty() && submission_.stages.back().count == 0) submission_.stages.pop_back();
    std::int64_t num_kernels = 0;
    std::int64_t num_encoders = 0;
    for (const Submission::Stage& stage : submission_.stages) {
        bool has_kernels = false, has_copies = false;
        for (std::uint32_t c = stage.first; c < stage.first + stage.count; ++c) {
            const bool is_kernel = submission_.commands[c].kind == Command::Kind::kDispatch;
            num_kernels += is_kernel ? 1 : 0;
            (is_kernel ? has_kernels : has_copies) = true;
        }
        num_encoders += (has_kernels ? 1 : 0) + (has_copies ? 1 : 0);
    }
    if (num_kernels != expected_kernels) {
        throw std::logic_error(fmt::format("a submission of {} kernels was recorded where {} were expected",
                                           num_kernels, expected_kernels));
    }
    if (!runtime_.info().is_unified && upload_end_ != upload_begin_) {
        // Parameters go over in one piece, before anything reads them.
        Command command;
        command.kind = Command::Kind::kCopy;
        command.destination = uploads_address_ + upload_begin_;
        command.source = staging_address_ + upload_begin_;
        command.bytes = upload_end_ - upload_begin_;
        submission_.stages.insert(submission_.stages.begin(),
                                  {static_cast<std::uint32_t>(submission_.commands.size()), 1});
        submission_.commands.push_back(command);
        ++num_encoders;
    }
    upload_begin_ = upload_end_;
    if (!is_planning_) {
        submission_.label = spans_ != nullptr ? spans_->current() : std::string_view();
        runtime_.submit(submission_);
        counts_.expected_kernels += expected_kernels;
        counts_.kernels += num_kernels;
        counts_.encoders += num_encoders;
        ++counts_.command_buffers;
    }
    is_pending_ = true;
    submission_.clear();
}

void Recorder::settle() noexcept {
    try {
        wait();
    } catch (...) {  // the proof has failed already
    }
}

void Recorder::abandon() noexcept {
    settle();
    is_planning_ = false;
    planning_mailbox_.clear();
    submission_.clear();
    upload_begin_ = upload_end_ = mailbox_end_ = 0;
}

void Recorder::wait() {
    if (!is_pending_) return;
    is_pending_ = false;
    if (!is_planning_) {
        runtime_.wait();
        ++counts_.syncs;
    }
    upload_begin_ = upload_end_ = 0;
    mailbox_is_read_ = true;
}

}  // namespace whorl::gpu
