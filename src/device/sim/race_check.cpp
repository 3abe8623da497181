#include "device/sim/race_check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <stdexcept>
#include <utility>

namespace whorl::gpu::sim {
namespace {

u64 bits(u64 value, unsigned first, unsigned count) {
    return value >> first & ((u64{1} << count) - 1);
}

}  // namespace

void RaceCheck::add(const std::byte* memory, u64 bytes) {
    memories_[memory] = {bytes / sizeof(u32), std::make_unique<Word[]>(bytes / sizeof(u32))};
}

void RaceCheck::remove(const std::byte* memory) {
    memories_.erase(memory);
}

void RaceCheck::begin_stage() {
    commands_.clear();
    num_groups_ = 0;
    if (++stage_ < u64{1} << kStageBits) return;
    // Numbers start again, so nothing may be left that bears them.
    for (auto& [begin, memory] : memories_) memory.words = std::make_unique<Word[]>(memory.num_words);
    stage_ = 1;
}

u64 RaceCheck::begin_command(std::string name, u64 num_groups) {
    commands_.push_back({std::move(name), num_groups_});
    num_groups_ += num_groups;
    if (num_groups_ >= kSeveralGroups) throw std::logic_error("races: too many groups in a stage");
    return commands_.back().first;
}

void RaceCheck::read(const u32* word, const TouchedBy& by) {
    Word* touches = find(word);
    if (touches == nullptr) return;
    // Each notes first and looks then, so of two at the same time at least one sees the other.
    note(touches->read, by);
    check(touches->written, by, "reads", "wrote");
    check(touches->updated, by, "reads", "changed atomically");
}

void RaceCheck::write(const u32* word, const TouchedBy& by) {
    Word* touches = find(word);
    if (touches == nullptr) return;
    check(touches->written.exchange(touch_of(by)), by, "writes", "wrote");
    check(touches->read, by, "writes", "read");
    check(touches->updated, by, "writes", "changed atomically");
}

void RaceCheck::update_atomically(const u32* word, const TouchedBy& by) {
    Word* touches = find(word);
    if (touches == nullptr) return;
    note(touches->updated, by);
    check(touches->read, by, "changes atomically", "read");
    check(touches->written, by, "changes atomically", "wrote");
}

RaceCheck::Word* RaceCheck::find(const u32* word) {
    const auto* byte = reinterpret_cast<const std::byte*>(word);
    auto at = memories_.upper_bound(byte);
    if (at == memories_.begin()) return nullptr;
    --at;
    const u64 index = static_cast<u64>(byte - at->first) / sizeof(u32);
    return index < at->second.num_words ? &at->second.words[index] : nullptr;
}

RaceCheck::Touch RaceCheck::touch_of(u64 group, u64 phase, u64 thread) const {
    if (phase >> kPhaseBits != 0 || thread >> kThreadBits != 0)
        throw std::logic_error("races: too many threads in a group, or barriers for buffers");
    return ((stage_ << kGroupBits | group) << kPhaseBits | phase) << kThreadBits | thread;
}

RaceCheck::Touch RaceCheck::both(Touch before, const TouchedBy& by) const {
    const Touch own = touch_of(by);
    const auto is_same_from = [&](unsigned bit) { return before >> bit == own >> bit; };
    if (!is_same_from(kThreadBits + kPhaseBits + kGroupBits)) return own;
    if (!is_same_from(kThreadBits + kPhaseBits)) return touch_of(kSeveralGroups, 0, kSeveralThreads);
    if (!is_same_from(kThreadBits) || before == own) return own;
    return touch_of(by.group, by.phase, kSeveralThreads);
}

void RaceCheck::note(std::atomic<Touch>& touch, const TouchedBy& by) {
    Touch before = touch;
    while (true) {
        const Touch after = both(before, by);
        if (after == before || touch.compare_exchange_weak(before, after)) return;
    }
}

void RaceCheck::check(Touch others, const TouchedBy& by, const char* what, const char* what_others) const {
    if (bits(others, kThreadBits + kPhaseBits + kGroupBits, kStageBits) != stage_) return;
    if (bits(others, kThreadBits + kPhaseBits, kGroupBits) == by.group) {
        if (bits(others, kThreadBits, kPhaseBits) < by.phase) return;
        if (bits(others, 0, kThreadBits) == by.thread) return;
    }
    throw std::runtime_error(fmt::format("race on a word of device memory: {} {} what {} {} in the same stage",
                                         name_of(touch_of(by)), what, name_of(others), what_others));
}

std::string RaceCheck::name_of(Touch touch) const {
    const u64 group = bits(touch, kThreadBits + kPhaseBits, kGroupBits);
    const u64 thread = bits(touch, 0, kThreadBits);
    if (group == kSeveralGroups) return "threads of several groups";
    const Groups& command = *std::prev(std::ranges::upper_bound(commands_, group, {}, &Groups::first));
    const std::string who = thread == kSeveralThreads ? "several threads" : fmt::format("thread {}", thread);
    return fmt::format("{} of group {} of {}", who, group - command.first, command.name);
}

}  // namespace whorl::gpu::sim
