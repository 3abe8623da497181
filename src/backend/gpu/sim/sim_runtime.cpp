#include "backend/gpu/sim/sim_runtime.hpp"

#include <fmt/format.h>
#include <tbb/parallel_for.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <new>
#include <unordered_map>

#include <unistd.h>

#include "backend/gpu/sim/group.hpp"
#include "backend/gpu/sim/kernels.hpp"
#include "backend/gpu/sim/thread.hpp"

namespace whorl::gpu::sim {
namespace {

// An address is the number of a bound part and a byte offset in it, so that kernels are kept inside the part.
constexpr unsigned kOffsetBits = 40;
constexpr u64 kOffsetMask = (u64{1} << kOffsetBits) - 1;
constexpr std::size_t kMaxParts = std::size_t{1} << 16;

struct Part {
    std::byte* bytes = nullptr;
    u64 size = 0;
};

// Parts of all simulated devices of the process. Entries are only read while bound.
class PartTable {
public:
    Address bind(std::byte* bytes, u64 size) {
        const std::lock_guard lock(mutex_);
        std::uint32_t slot;
        if (!free_.empty()) {
            slot = free_.back();
            free_.pop_back();
        } else {
            if (next_ == kMaxParts) throw DeviceError("sim: too many buffers bound at once");
            slot = next_++;
        }
        parts_[slot] = {bytes, size};
        return u64{slot} << kOffsetBits;
    }
    void unbind(Address address) {
        const std::lock_guard lock(mutex_);
        const std::uint32_t slot = static_cast<std::uint32_t>(address >> kOffsetBits);
        parts_[slot] = {};
        free_.push_back(slot);
    }
    /// `size` bytes at `address`; 0 means all that follow.
    Part resolve(Address address, u64 size) const {
        const u64 slot = address >> kOffsetBits;
        const u64 offset = address & kOffsetMask;
        if (slot >= kMaxParts || parts_[slot].bytes == nullptr || offset > parts_[slot].size ||
            size > parts_[slot].size - offset) {
            throw std::runtime_error(fmt::format("address {:#x} (+{} bytes) is not inside a buffer", address, size));
        }
        return {parts_[slot].bytes + offset, parts_[slot].size - offset};
    }

private:
    std::mutex mutex_;
    std::array<Part, kMaxParts> parts_{};
    std::vector<std::uint32_t> free_;
    std::uint32_t next_ = 1;  // address 0 is nothing
};

PartTable& parts() {
    static PartTable table;
    return table;
}

// What the kernel of a dispatch declares of the buffers in its parameters, and of those whose addresses it finds in memory.
class Grants {
public:
    Grants(const char* letters, const std::byte* params) {
        for (; *letters != '\0'; ++letters, params += sizeof(Address)) {
            if (*letters == 't' || *letters == 'T') others_ |= *letters == 't' ? kReads : kReadsAndWrites;
            Address address;
            std::memcpy(&address, params, sizeof(Address));
            if (*letters != '-') fields_.push_back({address >> kOffsetBits, access_of(*letters)});
        }
    }
    u32 of(Address address) const {
        u32 access = 0;
        for (const Field& field : fields_) {
            if (field.slot == address >> kOffsetBits) access |= field.access;
        }
        return access != 0 ? access : others_;
    }

private:
    struct Field {
        u64 slot;
        u32 access;
    };
    static u32 access_of(char letter) {
        return letter == 'w' ? kWrites : letter == 'x' || letter == 'T' ? kReadsAndWrites : kReads;
    }

    std::vector<Field> fields_;
    u32 others_ = 0;
};
// Of the dispatch that the host thread works for; null: all is allowed.
thread_local const Grants* grants = nullptr;

class GrantsInForce {
public:
    explicit GrantsInForce(const Grants& of_dispatch) { grants = &of_dispatch; }
    ~GrantsInForce() { grants = nullptr; }
    GrantsInForce(const GrantsInForce&) = delete;
    GrantsInForce& operator=(const GrantsInForce&) = delete;
};

class SimRuntime final : public Runtime {
public:
    explicit SimRuntime(const Options& options) : seed_(options.seed) {
        info_.id = "sim";
        info_.name = "simulated device";
        const std::uint64_t host_memory =
            static_cast<std::uint64_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
        info_.memory = options.memory != 0 ? options.memory : host_memory;
        info_.max_buffer = options.max_buffer;
        info_.is_unified = options.is_unified;
    }
    ~SimRuntime() override {
        for (const auto& [id, memory] : blocks_) std::free(memory);
    }

    const DeviceInfo& info() const override { return info_; }
    std::uint64_t free_memory() const override { return info_.memory - allocated_; }

    Block allocate(std::uint64_t bytes) override {
        Block block = allocate_shared(bytes);
        if (!info_.is_unified) block.host = nullptr;
        return block;
    }
    Block allocate_shared(std::uint64_t bytes) override {
        const std::uint64_t size = (std::max<std::uint64_t>(bytes, 1) + 255) / 256 * 256;
        if (info_.max_buffer != 0 && size > info_.max_buffer) {
            throw DeviceError(
                fmt::format("sim: {} bytes of memory asked for at once, at most {}", size, info_.max_buffer));
        }
        auto* memory = size <= free_memory() ? static_cast<std::byte*>(std::aligned_alloc(256, size)) : nullptr;
        if (memory == nullptr) {
            throw DeviceError(
                fmt::format("sim: {} bytes of memory asked for, {} of {} are free", size, free_memory(), info_.memory));
        }
        allocated_ += size;
        const std::uint32_t id = ++next_block_;
        blocks_[id] = memory;
        return {id, size, memory};
    }
    void release(const Block& block) override {
        std::free(blocks_.at(block.id));
        allocated_ -= block.bytes;
        blocks_.erase(block.id);
    }

    Address bind(const Block& block, std::uint64_t offset, std::uint64_t bytes) override {
        return parts().bind(blocks_.at(block.id) + offset, bytes);
    }
    Address wrap(const void* host, std::uint64_t bytes) override {
        if (!info_.is_unified) throw std::logic_error("sim: host memory wrapped on a device with memory of its own");
        return parts().bind(static_cast<std::byte*>(const_cast<void*>(host)), bytes);
    }
    void unbind(Address address) override { parts().unbind(address); }

    void submit(const Submission& submission) override {
        for (const Submission::Stage& stage : submission.stages) {
            for (std::uint32_t c = stage.first; c < stage.first + stage.count; ++c)
                run(submission, submission.commands[c]);
        }
    }
    void wait() override {}

private:
    void run(const Submission& submission, const Command& command) {
        switch (command.kind) {
            case Command::Kind::kDispatch:
                dispatch(*command.kernel, command.groups, submission.params.data() + command.params);
                break;
            case Command::Kind::kCopy:
                std::memmove(parts().resolve(command.destination, command.bytes).bytes,
                             parts().resolve(command.source, command.bytes).bytes, command.bytes);
                break;
            case Command::Kind::kFill:
                std::memset(parts().resolve(command.destination, command.bytes).bytes, command.byte, command.bytes);
                break;
            case Command::Kind::kUpload:
                std::memcpy(parts().resolve(command.destination, command.bytes).bytes, command.host, command.bytes);
                break;
        }
    }

    void dispatch(const KernelInfo& kernel, std::uint32_t groups, const std::byte* params) {
        KernelBody& body = bodies_[&kernel];
        if (body == nullptr) body = find_kernel(kernel.name);
        if (body == nullptr) throw DeviceError(fmt::format("sim: no kernel \"{}\"", kernel.name));
        const Grants declared(kernel.access, params);
        try {
            tbb::parallel_for(std::uint32_t{0}, groups, [&](std::uint32_t group) {
                const Thread where{0, kernel.threads, group, groups};
                const GrantsInForce in_force(declared);
                if (kernel.has_barriers) {
                    run_barrier_group(body, params, where, seed_);
                } else {
                    run_plain_group(body, params, where);
                }
            });
        } catch (const std::runtime_error& e) {
            throw DeviceError(fmt::format("sim: kernel {}: {}", kernel.name, e.what()));
        }
    }

    std::uint64_t seed_;
    DeviceInfo info_;
    std::uint64_t allocated_ = 0;
    std::map<std::uint32_t, std::byte*> blocks_;
    std::uint32_t next_block_ = 0;
    std::unordered_map<const KernelInfo*, KernelBody> bodies_;
};

}  // namespace

Words words_at(u64 address) {
    const Part part = parts().resolve(address, 0);
    return {reinterpret_cast<u32*>(part.bytes), part.size / 4,
            grants != nullptr ? grants->of(address) : kReadsAndWrites};
}

void atomic_min(const Words& words, u64 i, u32 value) {
    std::atomic_ref<u32> word(words.shared(i));
    u32 current = word.load(std::memory_order_relaxed);
    while (value < current && !word.compare_exchange_weak(current, value, std::memory_order_relaxed)) {
    }
}

void atomic_add(const Words& words, u64 i, u32 value) {
    std::atomic_ref<u32>(words.shared(i)).fetch_add(value, std::memory_order_relaxed);
}

std::unique_ptr<Runtime> make_runtime(const Options& options) {
    return std::make_unique<SimRuntime>(options);
}

}  // namespace whorl::gpu::sim
