// Trace height constraints: which heights keep counts and interactions from wrapping (PROTOCOL.md 6.6).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <whorl/error.hpp>
#include <whorl/key.hpp>
#include <whorl/params.hpp>

namespace whorl {

/// trace_height_bounds in the key's form: a coefficient for each AIR.
Result<std::vector<TraceHeightConstraint>> trace_height_constraints(const SystemParams& params,
                                                                    std::span<const AirVerifyingKey> airs,
                                                                    std::span<const std::string> air_names = {});

/// A trace height constraint and what it protects.
struct TraceHeightBound {
    std::optional<std::uint16_t> bus;  ///< the bus whose counts must not wrap; none: the number of interactions
    std::vector<std::pair<std::uint32_t, std::uint64_t>> weights;  ///< (AIR, coefficient ≠ 0), ascending AIRs
    std::uint32_t threshold = 0;
};

/// Per bus and over all buses, without those that another one implies, in the key's order (PROTOCOL.md 6.6). Takes memory
/// linear in the number of interactions.
/// Errors: kInvalidArgument when a coefficient exceeds 32 bits, a weighted sum of heights could exceed 64 bits, or there are
/// more than kMaxBuses buses; the message has the AIR's name where `air_names` has one.
Result<std::vector<TraceHeightBound>> trace_height_bounds(const SystemParams& params,
                                                          std::span<const AirVerifyingKey> airs,
                                                          std::span<const std::string> air_names = {});

}  // namespace whorl
