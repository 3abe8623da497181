#include "device/sim/dispatch.hpp"

#include <fmt/format.h>

#include <cstring>
#include <stdexcept>
#include <vector>

#include "device/access.hpp"
#include "device/sim/group.hpp"
#include "device/sim/parts.hpp"
#include "device/sim/race_check.hpp"
#include "device/sim/thread.hpp"
#include "threads/parallel.hpp"

namespace whorl::gpu::sim {
namespace {

// The memory of a dispatch, and what its kernel declares of the buffers in its parameters and of those whose addresses it
// finds in there.
class Grants {
public:
    Grants(const KernelInfo& kernel, const std::byte* params, const AddressSpace& memory, RaceCheck* races)
        : memory_(memory), races_(races) {
        for_each_address(kernel, params, [&](const AddressUse& use) {
            fields_.push_back({memory.part_of(use.address), access_of(use.is_read, use.is_written)});
            others_ |= access_of(use.is_named_read, use.is_named_written);
        });
    }
    Words words_at(Address address) const {
        const AddressSpace::Part part = memory_.resolve(address, 0);
        u32 access = 0;
        for (const Field& field : fields_) {
            if (field.part == part.id) access |= field.access;
        }
        if (access == 0) access = others_;
        if (races_ != nullptr) access |= kIsWatched;
        return {reinterpret_cast<u32*>(part.bytes), part.size / 4, access};
    }
    RaceCheck* races() const { return races_; }

private:
    struct Field {
        u64 part;
        u32 access;
    };
    static u32 access_of(bool is_read, bool is_written) {
        return (is_read ? kReads : 0u) | (is_written ? kWrites : 0u);
    }

    const AddressSpace& memory_;
    RaceCheck* races_;
    std::vector<Field> fields_;
    u32 others_ = 0;
};
// Of the dispatch that the host thread works for; null: the simulated device's memory, and all is allowed.
thread_local const Grants* grants = nullptr;

class GrantsInForce {
public:
    explicit GrantsInForce(const Grants& of_dispatch) { grants = &of_dispatch; }
    ~GrantsInForce() { grants = nullptr; }
    GrantsInForce(const GrantsInForce&) = delete;
    GrantsInForce& operator=(const GrantsInForce&) = delete;
};

TouchedBy this_thread() {
    const Moment& now = moment();
    return {now.group, now.phase, now.tid};
}

void run_dispatch(const KernelInfo& kernel, KernelBody body, std::uint32_t groups, const std::byte* params,
                  const AddressSpace& memory, std::uint64_t seed, RaceCheck* races) {
    if (body == nullptr) throw DeviceError(fmt::format("sim: no kernel \"{}\"", kernel.name));
    const Grants declared(kernel, params, memory, races);
    const u64 first_group = races != nullptr ? races->begin_command(kernel.name, groups) : 0;
    try {
        for_each_index(std::uint32_t{0}, groups, [&](std::uint32_t group) {
            const Thread where{0, kernel.threads, group, groups};
            const GrantsInForce in_force(declared);
            moment().group = first_group + group;
            moment().phase = 0;
            if (kernel.has_barriers) {
                run_barrier_group(body, params, where, seed);
            } else {
                run_plain_group(body, params, where);
            }
        });
    } catch (const std::runtime_error& e) {
        throw DeviceError(fmt::format("sim: kernel {}: {}", kernel.name, e.what()));
    }
}

// A copy, fill or upload as the work of one thread.
void check_transfer(const Command& command, const AddressSpace& memory, RaceCheck& races) {
    const char* name = command.kind == Command::Kind::kCopy   ? "a copy"
                       : command.kind == Command::Kind::kFill ? "a fill"
                                                              : "an upload";
    const TouchedBy by = {.group = races.begin_command(name, 1)};
    const auto for_each_word = [&](Address address, const auto& work) {
        const auto* words = reinterpret_cast<const u32*>(memory.resolve(address, command.bytes).bytes);
        for (u64 i = 0; i < command.bytes / sizeof(u32); ++i) work(words + i);
    };
    try {
        if (command.kind == Command::Kind::kCopy)
            for_each_word(command.source, [&](const u32* word) { races.read(word, by); });
        for_each_word(command.destination, [&](const u32* word) { races.write(word, by); });
    } catch (const std::runtime_error& e) {
        throw DeviceError(fmt::format("sim: {}", e.what()));
    }
}

}  // namespace

void run_command(const Submission& submission, const Command& command, FindKernel find_kernel,
                 const AddressSpace& memory, std::uint64_t seed, RaceCheck* races) {
    const auto bytes_at = [&](Address address) { return memory.resolve(address, command.bytes).bytes; };
    if (races != nullptr && command.kind != Command::Kind::kDispatch) check_transfer(command, memory, *races);
    switch (command.kind) {
        case Command::Kind::kDispatch:
            run_dispatch(*command.kernel, find_kernel(command.kernel->name), command.groups,
                         submission.params.data() + command.params, memory, seed, races);
            break;
        case Command::Kind::kCopy:
            std::memmove(bytes_at(command.destination), bytes_at(command.source), command.bytes);
            break;
        case Command::Kind::kFill:
            std::memset(bytes_at(command.destination), command.byte, command.bytes);
            break;
        case Command::Kind::kUpload:
            std::memcpy(bytes_at(command.destination), command.host, command.bytes);
            break;
    }
}

Words words_at(u64 address) {
    if (grants != nullptr) return grants->words_at(address);
    const AddressSpace::Part part = parts().resolve(address, 0);
    return {reinterpret_cast<u32*>(part.bytes), part.size / 4, kReadsAndWrites};
}

void check_read(const u32* word) {
    grants->races()->read(word, this_thread());
}

void check_write(const u32* word) {
    grants->races()->write(word, this_thread());
}

u32& Words::shared(u64 i) const {
    if (i >= size_) fail_bounds(i, size_);
    if ((access_ & kReadsAndWrites) != kReadsAndWrites) fail_access(true);
    if ((access_ & kIsWatched) != 0) grants->races()->update_atomically(words_ + i, this_thread());
    return words_[i];
}

// GCC and clang have these built in; std::atomic_ref is missing in the libraries of Xcode before 16.3.
void atomic_min(const Words& words, u64 i, u32 value) {
    u32* word = &words.shared(i);
    u32 current = __atomic_load_n(word, __ATOMIC_RELAXED);
    while (value < current &&
           !__atomic_compare_exchange_n(word, &current, value, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
    }
}

void atomic_add(const Words& words, u64 i, u32 value) {
    __atomic_fetch_add(&words.shared(i), value, __ATOMIC_RELAXED);
}

}  // namespace whorl::gpu::sim
