// The devices that proofs are made on, and what a proof takes there.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <whorl/error.hpp>
#include <whorl/key.hpp>
#include <whorl/prove.hpp>
#include <whorl/trace.hpp>

namespace whorl {

/// A device as ProverOptions::device names it.
struct DeviceReport {
    std::string id;                  ///< "cpu", "sim", "cuda:0"
    std::string name;                ///< as its maker calls it
    std::uint64_t memory_bytes = 0;  ///< all there is
    std::uint64_t free_bytes = 0;    ///< 0 where the device does not tell
    std::string driver;              ///< empty where there is none
    std::string problem;             ///< why it cannot be used; empty where it can
};
/// Everything that this build knows of, usable or not. Errors: kMachine (memory).
Result<std::vector<DeviceReport>> list_devices() noexcept;

/// One buffer of a memory plan.
struct PlannedBuffer {
    std::string name;
    std::string stage;       ///< the span in which it is taken
    std::string last_stage;  ///< the span in which it is given back
    std::uint64_t bytes = 0;
    std::uint64_t offset = 0;    ///< in the arena
    std::uint32_t taken = 0;     ///< position among all takings and returns, from 1
    std::uint32_t returned = 0;  ///< likewise
};

/// Everything that one proof takes on a device; key and trace heights decide it. On the CPU there is no arena: its size is that
/// of the peak, and offsets are 0.
struct MemoryPlan {
    std::vector<PlannedBuffer> buffers;  ///< in the order of taking
    std::uint64_t arena_bytes = 0;       ///< what holds them all
    std::uint64_t block_bytes = 0;       ///< the arena is allocated in blocks of so many bytes, which no buffer crosses
    std::uint64_t peak_live_bytes = 0;   ///< the most that is in use at once: no arena can be smaller
    std::uint64_t upload_bytes = 0;      ///< parameters: a copy on either side where memory is not shared
    std::uint64_t mailbox_bytes = 0;     ///< results that the host reads
    std::uint64_t device_bytes = 0;      ///< all of it that lies in the device's own memory
};

/// The plan of a proof of `traces`, whose values do not matter, on options.device.
/// Errors: those of prove().
Result<MemoryPlan> plan_memory(const VerifyingKey& vk, std::span<const AirTrace> traces,
                               const ProverOptions& options) noexcept;

}  // namespace whorl
