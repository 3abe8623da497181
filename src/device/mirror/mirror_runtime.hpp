// A device whose every command is carried out on the host too: what differs afterwards names the kernel that is wrong.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "device/runtime.hpp"
#include "device/sim/dispatch.hpp"

namespace whorl::gpu::mirror {

/// What a device did with a kernel, or with copies, fills and uploads.
struct Tally {
    std::uint64_t count = 0;
    double time_ms = 0;  ///< until the host knew that it was done, all of them
    std::string
        problem;  ///< the first: where the device's memory differs from the host's, or why it failed; empty: none
};
/// By the kernel's name, or "copy", "fill", "upload".
using Log = std::map<std::string, Tally, std::less<>>;

/// The shadows of what is bound on a device, at the device's addresses.
class ShadowMemory final : public sim::AddressSpace {
public:
    void bind(Address address, std::uint64_t bytes, std::byte* shadow);
    void unbind(Address address);
    Part resolve(Address address, u64 size) const override;
    /// Ids are the addresses at which parts begin.
    u64 part_of(Address address) const override;

    struct Bound {
        Address begin;
        std::uint64_t bytes;
        std::byte* shadow;
    };
    /// What `word`, an address in a shadow, is part of; null: nothing that is bound.
    const Bound* find(const std::byte* word) const;

private:
    const Bound* find(Address address) const;

    std::vector<Bound> bound_;  // by address
};

/// Passes everything on to `device`, one command at a time. Where the device's memory then differs from its shadow the
/// shadow counts: the device's is mended, so that one fault is not followed by others that are none. Memory starts with
/// the same contents on both sides.
class MirrorRuntime final : public Runtime {
public:
    /// On the host are the kernels that `find_kernel` knows. Device and log must outlive the mirror; `log` goes on from what it holds.
    MirrorRuntime(Runtime& device, sim::FindKernel find_kernel, Log& log);
    ~MirrorRuntime() override;
    MirrorRuntime(const MirrorRuntime&) = delete;
    MirrorRuntime& operator=(const MirrorRuntime&) = delete;

    const DeviceInfo& info() const override { return device_.info(); }
    std::uint64_t free_memory() const override { return device_.free_memory(); }
    Block allocate(std::uint64_t bytes) override;
    Block allocate_shared(std::uint64_t bytes) override;
    void release(const Block& block) override;
    Address bind(const Block& block, std::uint64_t offset, std::uint64_t bytes) override;
    Address wrap(const void* host, std::uint64_t bytes) override;
    void unbind(Address address) override;
    // compile() stays the base's: the host has no kernels that are made while the program runs.

    /// Waits. Errors: DeviceError where the device does not work at all; a command that fails alone goes into the log.
    void submit(const Submission& submission) override;
    void wait() override {}

private:
    struct Shadow {
        std::vector<std::byte> bytes;
        std::byte* host = nullptr;  // where the host sees the device's; null: through copies alone
        Address address = 0;        // of private memory
        bool is_shared = false;     // the host may write it between submissions
    };
    struct Differences;

    void run_on_device(const Submission& submission, const Command& command);
    void compare(const Submission& submission, const Command& command);
    const std::byte* read(const Shadow& shadow, std::uint64_t offset, std::uint64_t bytes);
    void mend(const Shadow& shadow, std::uint64_t offset, std::uint64_t bytes);
    void run_alone(const Command& command);
    Shadow& shadow_of(const Block& block) { return blocks_.at(block.id); }

    Runtime& device_;
    sim::FindKernel find_kernel_;
    Log& log_;
    Block window_;  // where private memory is read back to
    Address window_address_ = 0;
    ShadowMemory memory_;
    std::map<std::uint32_t, Shadow> blocks_;
    std::map<Address, Shadow> wrapped_;
};

}  // namespace whorl::gpu::mirror
