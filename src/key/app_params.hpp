// The family of parameters that app_params_100_bits is one of.
#pragma once

#include <cstdint>

#include <whorl/params.hpp>

namespace whorl {

/// The preset for applications with another blowup, and with the queries and the grinding of LogUp that `security_bits` take by
/// PROTOCOL.md 5.2 and 5.3; all else as there. Preconditions: kMinAppLogStackedHeight ≤ log_stacked_height,
/// log_stacked_height + log_blowup ≤ 27, security_bits > 0.
SystemParams app_params(std::uint32_t log_stacked_height, std::uint32_t log_blowup, double security_bits);

inline constexpr std::uint32_t kLeafLogStackedHeight = 21;
inline constexpr std::uint32_t kInternalLogStackedHeight = 19;
/// The presets of the proofs that verify app proofs, and of those that verify these, with another stacked height, within the
/// range of app_params.
SystemParams leaf_params(std::uint32_t log_stacked_height);
SystemParams internal_params(std::uint32_t log_stacked_height);

}  // namespace whorl
