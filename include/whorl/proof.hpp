// A SWIRL proof and its bytes (PROTOCOL.md section 16). Field names are the reference's.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <whorl/error.hpp>
#include <whorl/field.hpp>

namespace whorl {

/// What the proof says of one AIR's trace.
struct TraceVData {
    std::uint32_t log_height = 0;
    std::vector<Digest> cached_commitments;
    friend bool operator==(const TraceVData&, const TraceVData&) = default;
};

struct GkrLayerClaims {
    Fp4 p_xi_0, p_xi_1, q_xi_0, q_xi_1;
    friend bool operator==(const GkrLayerClaims&, const GkrLayerClaims&) = default;
};

struct GkrProof {
    Fp logup_pow_witness;
    Fp4 q0_claim;
    std::vector<GkrLayerClaims> claims_per_layer;
    /// [layer − 1][round]: values at 1, 2, 3. Layer j has j rounds.
    std::vector<std::vector<std::array<Fp4, 3>>> sumcheck_polys;
    friend bool operator==(const GkrProof&, const GkrProof&) = default;
};

struct BatchConstraintProof {
    std::vector<Fp4> numerator_term_per_air;             ///< sorted order
    std::vector<Fp4> denominator_term_per_air;           ///< sorted order
    std::vector<Fp4> univariate_round_coeffs;            ///< constant first
    std::vector<std::vector<Fp4>> sumcheck_round_polys;  ///< [round]: values at 1 … d + 1
    /// [trace][part]: common main, preprocessed, cached 0, …; T(r), T_rot(r) alternate where the AIR needs rotations.
    std::vector<std::vector<std::vector<Fp4>>> column_openings;
    friend bool operator==(const BatchConstraintProof&, const BatchConstraintProof&) = default;
};

struct StackingProof {
    std::vector<Fp4> univariate_round_coeffs;
    std::vector<std::array<Fp4, 2>> sumcheck_round_polys;  ///< values at 1, 2
    std::vector<std::vector<Fp4>> stacking_openings;       ///< [commitment][stacked column]
    friend bool operator==(const StackingProof&, const StackingProof&) = default;
};

using MerklePath = std::vector<Digest>;  ///< siblings, leaf layer first

struct WhirProof {
    Fp mu_pow_witness;
    std::vector<std::array<Fp4, 2>> sumcheck_polys;  ///< values at 1, 2
    std::vector<Digest> codeword_commits;
    std::vector<Fp4> ood_values;
    std::vector<Fp> folding_pow_witnesses;
    std::vector<Fp> query_phase_pow_witnesses;
    /// [commitment][query][row in the leaf]: one row of the stacked code matrix.
    std::vector<std::vector<std::vector<std::vector<Fp>>>> initial_round_opened_rows;
    std::vector<std::vector<MerklePath>> initial_round_merkle_proofs;   ///< [commitment][query]
    std::vector<std::vector<std::vector<Fp4>>> codeword_opened_values;  ///< [round − 1][query][row in the leaf]
    std::vector<std::vector<MerklePath>> codeword_merkle_proofs;        ///< [round − 1][query]
    std::vector<Fp4> final_poly;
    friend bool operator==(const WhirProof&, const WhirProof&) = default;
};

struct Proof {
    Digest common_main_commit{};
    std::vector<std::optional<TraceVData>> trace_vdata;  ///< one per AIR of the key
    std::vector<std::vector<Fp>> public_values;          ///< one per AIR of the key
    GkrProof gkr;
    BatchConstraintProof batch_constraint;
    StackingProof stacking;
    WhirProof whir;
    friend bool operator==(const Proof&, const Proof&) = default;
};

inline constexpr std::uint32_t kCodecVersion = 3;

/// Errors: kMachine (memory).
Result<std::vector<std::byte>> encode_proof(const Proof& proof) noexcept;
/// Reads a proof from hostile bytes: no length is believed before the remaining bytes can hold it. Errors: kBadFormat,
/// with the section and byte offset; kMachine (memory).
Result<Proof> decode_proof(std::span<const std::byte> bytes) noexcept;

/// A stretch of an encoded proof, for `whorl inspect`.
struct ProofSection {
    std::string name;
    std::size_t size_bytes = 0;
};
/// The sections of encode_proof(proof) in order; their sizes add up to the whole. Errors: kMachine (memory).
Result<std::vector<ProofSection>> proof_sections(const Proof& proof) noexcept;

}  // namespace whorl
