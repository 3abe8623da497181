// Security estimate of parameters and keys: the soundness error of each step of the protocol, in bits.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include <whorl/error.hpp>
#include <whorl/key.hpp>
#include <whorl/params.hpp>

namespace whorl {

/// Upper bounds, over all proofs that a key admits, of what the estimate depends on besides the parameters.
struct CircuitBounds {
    std::uint64_t max_constraints_per_air = 1;
    std::uint64_t num_airs = 1;
    std::uint32_t max_constraint_degree = 1;
    std::uint32_t max_log_height = 0;       ///< log2 of the tallest trace
    std::uint64_t num_columns = 1;          ///< trace columns of all AIRs together
    std::uint64_t num_stacked_columns = 2;  ///< over all commitments
    std::uint32_t n_logup = 0;              ///< hypercube variables of LogUp's input layer
    friend bool operator==(const CircuitBounds&, const CircuitBounds&) = default;
};

/// The bounds that follow from `vk`: all AIRs present, each trace as tall as a stacked column, w_stack stacked columns.
/// For any key; takes no memory.
CircuitBounds circuit_bounds(const VerifyingKey& vk) noexcept;

/// Security of one WHIR round, in bits, grinding included. Infinity where a step does not exist; minus infinity where the
/// theorem that bounds it does not hold (list decoding with a radius that is not positive).
struct WhirRoundSecurity {
    double fold = 0;            ///< worst fold of the round: proximity gap and sumcheck together
    double proximity_gap = 0;   ///< part of fold
    double sumcheck = 0;        ///< part of fold
    double shift = 0;           ///< queries and the batching of their claims together
    double query = 0;           ///< part of shift
    double gamma_batching = 0;  ///< part of shift
    double out_of_domain =
        std::numeric_limits<double>::infinity();  ///< sample of the next codeword; none in the last round

    double least() const;
};

/// Security of a protocol run, step by step, in bits: −log2 of the probability with which a prover who has no valid traces
/// passes that step, grinding counted as hash evaluations. docs/statement.md names the assumptions.
struct SecurityBits {
    double logup = 0;                ///< sampling of α and β
    double gkr_sumcheck = 0;         ///< worst sumcheck round of GKR
    double gkr_batching = 0;         ///< batching between the layers of GKR
    double zerocheck_sumcheck = 0;   ///< worst round of the batch constraint sumcheck
    double constraint_batching = 0;  ///< batching of constraints and AIRs
    double stacked_reduction = 0;    ///< worst step of the stacked opening reduction
    double mu_batching = 0;          ///< batching of the stacked columns before WHIR
    std::vector<WhirRoundSecurity> whir_rounds;

    /// The least of mu_batching and all WHIR rounds.
    double whir() const;
    /// The least of all steps: the security of the whole, as the published calculator counts it (round by round).
    double total() const;
    /// Names the step that total() is the security of, e.g. "WHIR round 0, shift".
    std::string weakest() const noexcept;
};

/// Estimates the security of `params` for circuits within `bounds`, by the formulas of the published soundness
/// calculator (openvm-stark-backend 2.0.1, without its optional brute-force search). Where that calculator stops the
/// process, the nearest values that it takes are used: at least one AIR, one constraint and two stacked columns.
/// Errors: kInvalidArgument where check_params refuses `params`; kMachine (memory).
Result<SecurityBits> security_bits(const SystemParams& params, const CircuitBounds& bounds) noexcept;
/// The same for all proofs under `vk`: security_bits(vk.params, circuit_bounds(vk)).
Result<SecurityBits> security_bits(const VerifyingKey& vk) noexcept;

}  // namespace whorl
