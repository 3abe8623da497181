// Finds races on device memory: what one thread of a stage writes, no other thread of that stage may touch. The one
// exception are threads of a group with a WH_BUFFER_BARRIER() between them: other barriers order threadgroup memory alone
// (kernels/compat.h).
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "kernels/types.h"

namespace whorl::gpu::sim {

/// When and by whom a word is touched in a stage.
struct TouchedBy {
    u64 group = 0;  ///< by its number in the stage
    u32 phase = 0;  ///< how many barriers for buffers the group has met
    u32 thread = 0;
};

class RaceCheck {
public:
    /// Memory to keep a record of: six bytes for each that it has. Memory that is not known here is not looked at.
    void add(const std::byte* memory, u64 bytes);
    void remove(const std::byte* memory);

    void begin_stage();
    /// Numbers the groups of the command that begins; all others of the stage have other numbers. Returns the first.
    u64 begin_command(std::string name, u64 num_groups);

    /// What a thread of the stage does with a word. Safe to call from several host threads. Errors: std::runtime_error
    /// naming both threads.
    void read(const u32* word, const TouchedBy& by);
    void write(const u32* word, const TouchedBy& by);
    void update_atomically(const u32* word, const TouchedBy& by);

private:
    // Stage, group, phase and thread in one, for atomic exchange: the last to touch a word in one way. 0: nobody.
    using Touch = std::uint64_t;
    static constexpr unsigned kThreadBits = 12, kPhaseBits = 8, kGroupBits = 24, kStageBits = 20;
    static constexpr u64 kSeveralThreads = (u64{1} << kThreadBits) - 1;
    static constexpr u64 kSeveralGroups = (u64{1} << kGroupBits) - 1;

    struct Word {
        std::atomic<Touch> read = 0, written = 0, updated = 0;
    };
    struct Memory {
        u64 num_words = 0;
        std::unique_ptr<Word[]> words;
    };
    struct Groups {
        std::string name;
        u64 first = 0;
    };

    Word* find(const u32* word);
    Touch touch_of(u64 group, u64 phase, u64 thread) const;
    Touch touch_of(const TouchedBy& by) const { return touch_of(by.group, by.phase, by.thread); }
    // What stands for both touches of one kind: where the others were in an earlier phase of the group, the new one.
    Touch both(Touch before, const TouchedBy& by) const;
    void note(std::atomic<Touch>& touch, const TouchedBy& by);
    void check(Touch others, const TouchedBy& by, const char* what, const char* what_others) const;
    std::string name_of(Touch touch) const;

    std::map<const std::byte*, Memory> memories_;  // by where they begin
    std::vector<Groups> commands_;                 // of the stage
    std::uint64_t stage_ = 0;
    u64 num_groups_ = 0;
};

}  // namespace whorl::gpu::sim
