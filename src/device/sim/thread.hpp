// What kernel text needs on the simulated device: bounds-checked buffers, threadgroup memory whose races are found, and
// barriers. kernels find it through device/sim/compat.h.
#pragma once

#include <cstdint>

#include "kernels/types.h"

namespace whorl::gpu::sim {

[[noreturn]] void fail_bounds(u64 index, u64 size);
[[noreturn]] void fail_access(bool is_write);
[[noreturn]] void fail_race(u32 index, u32 other_thread);
[[noreturn]] void fail_unwritten(u32 index);

/// What a kernel declares that it does with a buffer (kernels/types.h).
enum Access : u32 { kReads = 1, kWrites = 2, kReadsAndWrites = 3 };
/// Beside them: every access is checked for races.
inline constexpr u32 kIsWatched = 4;

/// Errors: std::runtime_error for a race with another thread of the stage.
void check_read(const u32* word);
void check_write(const u32* word);

/// Part of a device buffer, as 32-bit words.
class Words {
public:
    class Ref {
    public:
        Ref(u32* word, u32 access) : word_(word), access_(access) {}
        operator u32() const {
            if ((access_ & kReads) == 0) fail_access(false);
            if ((access_ & kIsWatched) != 0) check_read(word_);
            return *word_;
        }
        const Ref& operator=(u32 value) const {
            if ((access_ & kWrites) == 0) fail_access(true);
            if ((access_ & kIsWatched) != 0) check_write(word_);
            *word_ = value;
            return *this;
        }
        const Ref& operator=(const Ref& other) const { return *this = static_cast<u32>(other); }

    private:
        u32* word_;
        u32 access_;
    };

    Words(u32* words, u64 size, u32 access) : words_(words), size_(size), access_(access) {}
    Ref operator[](u64 i) const {
        if (i >= size_) fail_bounds(i, size_);
        return {words_ + i, access_};
    }
    Words operator+(u64 offset) const {
        if (offset > size_) fail_bounds(offset, size_);
        return {words_ + offset, size_ - offset, access_};
    }
    /// Word i for an atomic operation.
    u32& shared(u64 i) const;

private:
    u32* words_;
    u64 size_;
    u32 access_;
};
Words words_at(u64 address);
void atomic_min(const Words& words, u64 i, u32 value);
void atomic_add(const Words& words, u64 i, u32 value);

/// The thread that runs and a count of barriers met, which also tells groups apart: what race checks compare.
struct Moment {
    u64 group = 0;  // by its number in the stage
    u32 phase = 0;  // how many barriers for buffers the group has met
    u32 tid = 0;
    u32 epoch = 1;
    u32 first_epoch = 1;  // of the group that runs
};
Moment& moment();

/// A word of threadgroup memory and who touched it last.
struct SharedWord {
    u32 value = 0;
    u32 write_epoch = 0, writer = 0;
    u32 read_epoch = 0, reader = 0;  // reader kManyReaders: several in that epoch
};
inline constexpr u32 kManyReaders = 0xFFFFFFFFu;

class SharedWords {
public:
    class Ref {
    public:
        Ref(SharedWord* word, u32 index, const Moment* now) : word_(word), index_(index), now_(now) {}
        operator u32() const {
            if (word_->write_epoch < now_->first_epoch) fail_unwritten(index_);
            if (word_->write_epoch == now_->epoch && word_->writer != now_->tid) fail_race(index_, word_->writer);
            if (word_->read_epoch != now_->epoch) {
                word_->read_epoch = now_->epoch;
                word_->reader = now_->tid;
            } else if (word_->reader != now_->tid) {
                word_->reader = kManyReaders;
            }
            return word_->value;
        }
        const Ref& operator=(u32 value) const {
            if (word_->write_epoch == now_->epoch && word_->writer != now_->tid) fail_race(index_, word_->writer);
            if (word_->read_epoch == now_->epoch && word_->reader != now_->tid) fail_race(index_, word_->reader);
            word_->write_epoch = now_->epoch;
            word_->writer = now_->tid;
            word_->value = value;
            return *this;
        }
        const Ref& operator=(const Ref& other) const { return *this = static_cast<u32>(other); }

    private:
        SharedWord* word_;
        u32 index_;
        const Moment* now_;
    };

    SharedWords(SharedWord* words, u32 size, const Moment* now) : words_(words), size_(size), now_(now) {}
    Ref operator[](u32 i) const {
        if (i >= size_) fail_bounds(i, size_);
        return {words_ + i, i, now_};
    }
    SharedWords operator+(u32 offset) const {
        if (offset > size_) fail_bounds(offset, size_);
        return {words_ + offset, size_ - offset, now_};
    }

private:
    SharedWord* words_;
    u32 size_;
    const Moment* now_;
};

/// The group's array number `key`, made by the first thread that asks for it.
SharedWords shared_words(u32 key, u32 size);
void barrier();
void buffer_barrier();

}  // namespace whorl::gpu::sim
