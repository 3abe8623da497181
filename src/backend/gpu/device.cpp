#include "backend/gpu/device.hpp"

#include <fmt/format.h>

#include "machine/poison.hpp"

namespace whorl::gpu {

std::uint64_t Device::missing_bytes(const MemoryPlan& plan) const {
    return plan.arena_bytes > arena_.held_bytes() ? plan.device_bytes : 0;
}

bool Device::has_memory_for(const MemoryPlan& plan) const {
    return missing_bytes(plan) <= available_bytes();
}

void Device::follow(const MemoryPlan& plan) {
    const std::uint64_t missing = missing_bytes(plan), available = available_bytes();
    if (missing > available) {
        constexpr double kMiB = 1024.0 * 1024.0;
        throw DeviceError(
            fmt::format("the proof needs {:.0f} MiB of device memory, {} has {:.0f} MiB free of {:.0f} MiB "
                        "(`whorl plan` lists what it is for; shorter traces need less)",
                        static_cast<double>(missing) / kMiB, info().id, static_cast<double>(available) / kMiB,
                        static_cast<double>(info().memory) / kMiB));
    }
    arena_.follow(plan);
    recorder_.follow(plan);
    if (const auto byte = poison()) fill_arena(*byte);
}

// Counted like any other work: plans and counts are looked at without poison.
void Device::fill_arena(std::uint8_t byte) {
    std::vector<Address> bound;
    for (const Block& block : arena_.blocks()) {
        bound.push_back(runtime_->bind(block, 0, block.bytes));
        recorder_.fill(bound.back(), block.bytes, byte);
    }
    recorder_.submit_and_wait(0);
    for (const Address address : bound) runtime_->unbind(address);
}

}  // namespace whorl::gpu
