// Parameters for a circuit, by what a proof of traces of given heights takes under them.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <whorl/air.hpp>
#include <whorl/error.hpp>
#include <whorl/key.hpp>
#include <whorl/params.hpp>

namespace whorl {

/// No parameters have more bits of security: a challenge has no more.
inline constexpr double kMaxSecurityBits = 124;

/// Parameters, and what a proof takes with them. Sizes are exact; memory and time are estimates.
struct ParamsChoice {
    SystemParams params;
    double security_bits = 0;               ///< security_bits(vk)->total() of a key with these parameters
    std::uint64_t num_stacked_columns = 0;  ///< over all commitments
    std::uint64_t proof_bytes = 0;          ///< of encode_proof
    std::uint64_t memory_bytes = 0;         ///< on the CPU, beside the traces (MemoryPlan::device_bytes)
    double core_seconds = 0;                ///< of proving, on one core with AVX2, all parts committed in the proof

    friend bool operator==(const ParamsChoice&, const ParamsChoice&) = default;
};

enum class ParamsGoal : std::uint8_t {
    kBalanced,    ///< the least proof_bytes of those that take at most a tenth more than the least core_seconds
    kFastProver,  ///< the least core_seconds
    kSmallProof,  ///< the least proof_bytes
};

/// Parameters with at least `security_bits` for proofs of `airs` with traces of `heights`: a choice for each log_blowup from 1 to 3
/// and each stacked height that can have them, ascending. They are those of app_params_100_bits with queries and grinding for
/// the bits that are asked for, the least max_constraint_degree that the AIRs allow, and a larger w_stack or
/// log_max_message_length where these AIRs and heights take it. `heights` has one entry an AIR, 0 where it has no trace.
/// Traces much taller, or of other AIRs, than those of `heights` may not fit the parameters.
/// Errors: kInvalidArgument: what keygen says of the AIRs; more than 2^22 columns; heights that no parameters fit, with the
/// problems of the largest stacked height; bits that cannot be reached, with the step that is in the way. kMachine (memory).
Result<std::vector<ParamsChoice>> list_params(std::span<const AnyAir> airs, std::span<const std::uint64_t> heights,
                                              double security_bits = 100) noexcept;
/// The same for the circuits of a key, whatever its own parameters are. `air_names` are for messages.
Result<std::vector<ParamsChoice>> list_params(const VerifyingKey& vk, std::span<const std::uint64_t> heights,
                                              double security_bits = 100,
                                              std::span<const std::string> air_names = {}) noexcept;

/// The best of list_params by `goal`; of equal ones the smaller proof, or the faster.
Result<ParamsChoice> choose_params(std::span<const AnyAir> airs, std::span<const std::uint64_t> heights,
                                   double security_bits = 100, ParamsGoal goal = ParamsGoal::kBalanced) noexcept;
/// The best of `choices`. Errors: kInvalidArgument (an empty list).
Result<ParamsChoice> choose_params(std::span<const ParamsChoice> choices,
                                   ParamsGoal goal = ParamsGoal::kBalanced) noexcept;

}  // namespace whorl
