// The devices that proofs are made on, and what a proof takes there.
#pragma once

#include <span>
#include <vector>

#include <whorl/device_types.hpp>
#include <whorl/error.hpp>
#include <whorl/key.hpp>
#include <whorl/prove.hpp>
#include <whorl/trace.hpp>

namespace whorl {

/// Everything that this build knows of, usable or not. Errors: kMachine (memory).
Result<std::vector<DeviceReport>> list_devices() noexcept;

/// The plan of a proof of `traces`, whose values do not matter, on options.device.
/// Errors: those of prove().
Result<MemoryPlan> plan_memory(const VerifyingKey& vk, std::span<const AirTrace> traces,
                               const ProverOptions& options) noexcept;

}  // namespace whorl
