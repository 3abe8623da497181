#include "device/mirror/mirror_runtime.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <functional>
#include <iterator>
#include <stdexcept>
#include <string_view>

#include "device/access.hpp"

namespace whorl::gpu::mirror {
namespace {

constexpr std::uint64_t kWindowBytes = std::uint64_t{4} << 20;
// What memory starts with: no field element, so that it shows in results.
constexpr std::uint8_t kPoison = 0xA5;
// The order in which the host's threads take turns does not matter to a kernel without races.
constexpr std::uint64_t kSeed = 1;

std::string_view name_of(const Command& command) {
    switch (command.kind) {
        case Command::Kind::kDispatch:
            return command.kernel->name;
        case Command::Kind::kCopy:
            return "copy";
        case Command::Kind::kFill:
            return "fill";
        case Command::Kind::kUpload:
            break;
    }
    return "upload";
}

std::uint32_t word_at(const std::byte* bytes) {
    std::uint32_t word;
    std::memcpy(&word, bytes, sizeof(word));
    return word;
}

}  // namespace

void ShadowMemory::bind(Address address, std::uint64_t bytes, std::byte* shadow) {
    bound_.insert(std::ranges::upper_bound(bound_, address, {}, &Bound::begin), {address, bytes, shadow});
}

void ShadowMemory::unbind(Address address) {
    bound_.erase(std::ranges::lower_bound(bound_, address, {}, &Bound::begin));
}

const ShadowMemory::Bound* ShadowMemory::find(Address address) const {
    const auto after = std::ranges::upper_bound(bound_, address, {}, &Bound::begin);
    if (after == bound_.begin()) return nullptr;
    const Bound& bound = *std::prev(after);
    return address - bound.begin <= bound.bytes ? &bound : nullptr;
}

const ShadowMemory::Bound* ShadowMemory::find(const std::byte* word) const {
    const auto at = std::ranges::find_if(bound_, [&](const Bound& bound) {
        return std::less_equal<>()(bound.shadow, word) && std::less<>()(word, bound.shadow + bound.bytes);
    });
    return at != bound_.end() ? &*at : nullptr;
}

sim::AddressSpace::Part ShadowMemory::resolve(Address address, u64 size) const {
    const Bound* bound = find(address);
    if (bound == nullptr || size > bound->bytes - (address - bound->begin)) {
        throw std::runtime_error(fmt::format("address {:#x} (+{} bytes) is not inside a buffer", address, size));
    }
    const u64 offset = address - bound->begin;
    return {bound->shadow + offset, bound->bytes - offset, bound->begin};
}

u64 ShadowMemory::part_of(Address address) const {
    const Bound* bound = find(address);
    return bound != nullptr ? bound->begin : ~u64{0};
}

// What one command got wrong.
struct MirrorRuntime::Differences {
    std::uint64_t num_words = 0;
    const std::byte* first = nullptr;  // in a shadow
    std::uint32_t expected = 0, found = 0;

    void add(const std::byte* shadow, const std::byte* device, std::uint64_t bytes) {
        for (std::uint64_t i = 0; i + 4 <= bytes; i += 4) {
            const std::uint32_t a = word_at(shadow + i), b = word_at(device + i);
            if (a == b) continue;
            if (num_words++ != 0) continue;
            first = shadow + i;
            expected = a;
            found = b;
        }
    }

    // Which buffer it is to a person who reads the kernel.
    static std::string place(const ShadowMemory::Bound* bound, const ShadowMemory& memory, const Submission& submission,
                             const Command& command) {
        if (bound == nullptr) return "memory that is no buffer";
        if (command.kind != Command::Kind::kDispatch) {
            return memory.part_of(command.destination) == bound->begin ? "its destination" : "another buffer";
        }
        const std::string_view access = command.kernel->access;
        std::size_t parameter = access.size();  // the first that means this buffer, rather one that may be written
        bool is_written = false;
        for_each_address(*command.kernel, submission.params.data() + command.params, [&](const AddressUse& use) {
            if (memory.part_of(use.address) != bound->begin) return;
            if (parameter != access.size() && (is_written || !use.is_written)) return;
            parameter = use.index;
            is_written = use.is_written;
        });
        if (parameter != access.size()) {
            return fmt::format("the buffer of its parameter {} of {} (\"{}\")", parameter + 1, access.size(),
                               access[parameter]);
        }
        return access.find_first_of("tT") == access.npos ? "a buffer that is none of its own"
                                                         : "a buffer that is no parameter";
    }

    std::string text(const ShadowMemory& memory, const Submission& submission, const Command& command) const {
        const ShadowMemory::Bound* bound = memory.find(first);
        std::string text = fmt::format("expected {:#010x}, found {:#010x} in ", expected, found);
        if (bound != nullptr) text += fmt::format("word {} of {} of ", (first - bound->shadow) / 4, bound->bytes / 4);
        text += place(bound, memory, submission, command);
        text += num_words == 1 ? "; no other word differs" : fmt::format("; {} words differ", num_words);
        if (command.kind == Command::Kind::kDispatch) text += fmt::format(", threadgroups: {}", command.groups);
        return text;
    }
};

MirrorRuntime::MirrorRuntime(Runtime& device, sim::FindKernel find_kernel, Log& log)
    : device_(device), find_kernel_(find_kernel), log_(log), window_(device.allocate_shared(kWindowBytes)) {
    window_address_ = device_.bind(window_, 0, kWindowBytes);
}

MirrorRuntime::~MirrorRuntime() {
    device_.unbind(window_address_);
    device_.release(window_);
}

Block MirrorRuntime::allocate(std::uint64_t bytes) {
    const Block block = device_.allocate(bytes);
    Shadow& shadow = blocks_[block.id];
    shadow.bytes.assign(block.bytes, std::byte{kPoison});
    shadow.host = block.host;
    shadow.address = device_.bind(block, 0, block.bytes);
    Command poison;
    poison.kind = Command::Kind::kFill;
    poison.destination = shadow.address;
    poison.bytes = block.bytes;
    poison.byte = kPoison;
    run_alone(poison);
    return block;
}

Block MirrorRuntime::allocate_shared(std::uint64_t bytes) {
    const Block block = device_.allocate_shared(bytes);
    Shadow& shadow = blocks_[block.id];
    shadow.bytes.assign(block.bytes, std::byte{kPoison});
    shadow.host = block.host;
    shadow.is_shared = true;
    std::memset(block.host, kPoison, block.bytes);
    return block;
}

void MirrorRuntime::release(const Block& block) {
    if (const Shadow& shadow = shadow_of(block); !shadow.is_shared) device_.unbind(shadow.address);
    blocks_.erase(block.id);
    device_.release(block);
}

Address MirrorRuntime::bind(const Block& block, std::uint64_t offset, std::uint64_t bytes) {
    const Address address = device_.bind(block, offset, bytes);
    memory_.bind(address, bytes, shadow_of(block).bytes.data() + offset);
    return address;
}

Address MirrorRuntime::wrap(const void* host, std::uint64_t bytes) {
    const Address address = device_.wrap(host, bytes);
    Shadow& shadow = wrapped_[address];
    shadow.host = static_cast<std::byte*>(const_cast<void*>(host));
    shadow.bytes.assign(shadow.host, shadow.host + bytes);
    memory_.bind(address, bytes, shadow.bytes.data());
    return address;
}

void MirrorRuntime::unbind(Address address) {
    memory_.unbind(address);
    wrapped_.erase(address);
    device_.unbind(address);
}

void MirrorRuntime::submit(const Submission& submission) {
    for (auto& [id, shadow] : blocks_) {
        if (shadow.is_shared) std::memcpy(shadow.bytes.data(), shadow.host, shadow.bytes.size());
    }
    for (const Submission::Stage& stage : submission.stages) {
        for (std::uint32_t c = stage.first; c < stage.first + stage.count; ++c) {
            const Command& command = submission.commands[c];
            run_on_device(submission, command);
            sim::run_command(submission, command, find_kernel_, memory_, kSeed);
            compare(submission, command);
        }
    }
}

void MirrorRuntime::run_on_device(const Submission& submission, const Command& command) {
    Submission alone;
    alone.label = submission.label;
    alone.commands = {command};
    alone.stages = {{0, 1}};
    if (command.kind == Command::Kind::kDispatch) {
        const std::byte* params = submission.params.data() + command.params;
        alone.params.assign(params, params + command.kernel->params_size);
        alone.commands.front().params = 0;
    }
    Tally& tally = log_[std::string(name_of(command))];
    ++tally.count;
    const auto start = std::chrono::steady_clock::now();
    try {
        device_.submit(alone);
        device_.wait();
    } catch (const DeviceError& e) {
        if (tally.problem.empty()) tally.problem = e.what();
    }
    tally.time_ms += std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

void MirrorRuntime::compare(const Submission& submission, const Command& command) {
    Differences differences;
    const auto compare_shadow = [&](const Shadow& shadow) {
        for (std::uint64_t offset = 0; offset < shadow.bytes.size(); offset += kWindowBytes) {
            const std::uint64_t bytes = std::min(kWindowBytes, shadow.bytes.size() - offset);
            const std::byte* expected = shadow.bytes.data() + offset;
            const std::byte* found = read(shadow, offset, bytes);
            if (std::memcmp(expected, found, bytes) == 0) continue;
            differences.add(expected, found, bytes);
            mend(shadow, offset, bytes);
        }
    };
    for (const auto& [id, shadow] : blocks_) compare_shadow(shadow);
    for (const auto& [address, shadow] : wrapped_) compare_shadow(shadow);
    if (differences.num_words == 0) return;
    Tally& tally = log_.find(name_of(command))->second;
    if (!tally.problem.empty()) return;
    tally.problem = differences.text(memory_, submission, command);
    if (!submission.label.empty()) tally.problem += fmt::format(" (in {})", submission.label);
}

// The device's `bytes`, at most kWindowBytes, from `offset` on.
const std::byte* MirrorRuntime::read(const Shadow& shadow, std::uint64_t offset, std::uint64_t bytes) {
    if (shadow.host != nullptr) return shadow.host + offset;
    Command copy;
    copy.kind = Command::Kind::kCopy;
    copy.destination = window_address_;
    copy.source = shadow.address + offset;
    copy.bytes = bytes;
    run_alone(copy);
    return window_.host;
}

void MirrorRuntime::mend(const Shadow& shadow, std::uint64_t offset, std::uint64_t bytes) {
    if (shadow.host != nullptr) {
        std::memcpy(shadow.host + offset, shadow.bytes.data() + offset, bytes);
        return;
    }
    Command upload;
    upload.kind = Command::Kind::kUpload;
    upload.destination = shadow.address + offset;
    upload.host = shadow.bytes.data() + offset;
    upload.bytes = bytes;
    run_alone(upload);
}

void MirrorRuntime::run_alone(const Command& command) {
    Submission submission;
    submission.commands = {command};
    submission.stages = {{0, 1}};
    device_.submit(submission);
    device_.wait();
}

}  // namespace whorl::gpu::mirror
