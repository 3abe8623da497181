// Every rule of the verifier broken alone, in key or proof.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <whorl/field.hpp>
#include <whorl/key.hpp>
#include <whorl/proof.hpp>
#include <whorl/verify.hpp>

#include "key/height_bounds.hpp"
#include "vectors.hpp"

namespace whorl::test {

struct RuleCase {
    VerifyErrorKind kind;
    std::string vector;
    std::function<void(VerifyingKey&, Proof&)> break_it;
    std::string stage;
};

inline void bump(Fp4& x) {
    x.c[0] += Fp::one();
}

// Vectors: fib_three_airs_one_absent has no interactions and lacks AIR 1; `mixture` has all kinds of parts;
// preprocessed_and_cached has one AIR with a preprocessed and two cached parts.
inline std::vector<RuleCase> rule_cases() {
    using Kind = VerifyErrorKind;
    const std::string fib = "fib_2e5";
    const std::string absent = "fib_three_airs_one_absent";
    const std::string buses = "interactions";
    const std::string parts = "preprocessed_and_cached";
    return {
        {Kind::kUnworkableParams, fib, [](auto& vk, auto&) { vk.params.whir.k = 0; }, "shape.params"},
        {Kind::kInvalidKey, fib, [](auto& vk, auto&) { vk.airs[0].constraint_idx[0] = 0xffffffff; }, "shape.key"},
        {Kind::kInvalidKey, buses, [](auto& vk, auto&) { vk.trace_height_constraints.pop_back(); }, "shape.key"},
        {Kind::kNoTraces, fib, [](auto&, auto& p) { p.trace_vdata[0].reset(); }, "shape.traces"},
        {Kind::kTraceDataCount, fib, [](auto&, auto& p) { p.trace_vdata.emplace_back(); }, "shape.traces"},
        {Kind::kPublicValuesListCount, fib, [](auto&, auto& p) { p.public_values.emplace_back(); }, "shape.traces"},
        {Kind::kRequiredAirAbsent, absent, [](auto& vk, auto&) { vk.airs[1].is_required = true; }, "shape.traces"},
        {Kind::kPublicValuesWithoutTrace, absent, [](auto&, auto& p) { p.public_values[1].emplace_back(); },
         "shape.traces"},
        {Kind::kCachedCommitmentCount, "cached",
         [](auto&, auto& p) { p.trace_vdata[0]->cached_commitments.emplace_back(); }, "shape.traces"},
        {Kind::kLogHeightOutOfRange, fib, [](auto&, auto& p) { p.trace_vdata[0]->log_height = 0xffffffff; },
         "shape.traces"},
        {Kind::kLogHeightOutOfRange, fib,
         [](auto& vk, auto& p) { p.trace_vdata[0]->log_height = vk.params.log_stacked_height() + 1; }, "shape.traces"},
        {Kind::kPublicValueCount, fib, [](auto&, auto& p) { p.public_values[0].pop_back(); }, "shape.traces"},
        {Kind::kGkrLayerCount, buses, [](auto&, auto& p) { p.gkr.claims_per_layer.pop_back(); }, "shape.gkr"},
        {Kind::kGkrLayerCount, fib, [](auto&, auto& p) { p.gkr.claims_per_layer.emplace_back(); }, "shape.gkr"},
        {Kind::kGkrSumcheckCount, buses, [](auto&, auto& p) { p.gkr.sumcheck_polys.emplace_back(); }, "shape.gkr"},
        {Kind::kGkrRoundCount, buses, [](auto&, auto& p) { p.gkr.sumcheck_polys[1].pop_back(); }, "shape.gkr"},
        {Kind::kNumeratorTermCount, buses,
         [](auto&, auto& p) { p.batch_constraint.numerator_term_per_air.emplace_back(); }, "shape.batch_constraints"},
        {Kind::kDenominatorTermCount, buses,
         [](auto&, auto& p) { p.batch_constraint.denominator_term_per_air.pop_back(); }, "shape.batch_constraints"},
        {Kind::kUnivariateCoeffCount, fib,
         [](auto&, auto& p) { p.batch_constraint.univariate_round_coeffs.pop_back(); }, "shape.batch_constraints"},
        {Kind::kSumcheckRoundCount, fib, [](auto&, auto& p) { p.batch_constraint.sumcheck_round_polys.pop_back(); },
         "shape.batch_constraints"},
        {Kind::kOpeningTraceCount, fib, [](auto&, auto& p) { p.batch_constraint.column_openings.emplace_back(); },
         "shape.batch_constraints"},
        {Kind::kSumcheckValueCount, fib, [](auto&, auto& p) { p.batch_constraint.sumcheck_round_polys[1].pop_back(); },
         "shape.batch_constraints"},
        {Kind::kOpeningPartCount, fib, [](auto&, auto& p) { p.batch_constraint.column_openings[0].emplace_back(); },
         "shape.batch_constraints"},
        {Kind::kCommonMainOpeningCount, parts,
         [](auto&, auto& p) { p.batch_constraint.column_openings[0][0].pop_back(); }, "shape.batch_constraints"},
        {Kind::kPreprocessedOpeningCount, parts,
         [](auto&, auto& p) { p.batch_constraint.column_openings[0][1].pop_back(); }, "shape.batch_constraints"},
        {Kind::kCachedMainOpeningCount, parts,
         [](auto&, auto& p) { p.batch_constraint.column_openings[0][3].emplace_back(); }, "shape.batch_constraints"},
        {Kind::kStackingCoeffCount, fib, [](auto&, auto& p) { p.stacking.univariate_round_coeffs.pop_back(); },
         "shape.stacking"},
        {Kind::kStackingRoundCount, fib, [](auto&, auto& p) { p.stacking.sumcheck_round_polys.emplace_back(); },
         "shape.stacking"},
        {Kind::kStackedWidthTooLarge, parts, [](auto& vk, auto&) { vk.params.w_stack = 3; }, "shape.stacking"},
        {Kind::kStackingCommitmentCount, parts, [](auto&, auto& p) { p.stacking.stacking_openings.pop_back(); },
         "shape.stacking"},
        {Kind::kStackingOpeningCount, parts, [](auto&, auto& p) { p.stacking.stacking_openings[2].emplace_back(); },
         "shape.stacking"},
        {Kind::kWhirSumcheckCount, fib, [](auto&, auto& p) { p.whir.sumcheck_polys.pop_back(); }, "shape.whir"},
        {Kind::kWhirCommitmentCount, fib, [](auto&, auto& p) { p.whir.codeword_commits.pop_back(); }, "shape.whir"},
        {Kind::kWhirOutOfDomainCount, fib, [](auto&, auto& p) { p.whir.ood_values.emplace_back(); }, "shape.whir"},
        {Kind::kWhirFoldingWitnessCount, fib, [](auto&, auto& p) { p.whir.folding_pow_witnesses.pop_back(); },
         "shape.whir"},
        {Kind::kWhirQueryWitnessCount, fib, [](auto&, auto& p) { p.whir.query_phase_pow_witnesses.pop_back(); },
         "shape.whir"},
        {Kind::kInitialRowsCommitmentCount, parts, [](auto&, auto& p) { p.whir.initial_round_opened_rows.pop_back(); },
         "shape.whir"},
        {Kind::kInitialPathsCommitmentCount, parts,
         [](auto&, auto& p) { p.whir.initial_round_merkle_proofs.emplace_back(); }, "shape.whir"},
        {Kind::kCodewordValuesRoundCount, fib, [](auto&, auto& p) { p.whir.codeword_opened_values.pop_back(); },
         "shape.whir"},
        {Kind::kCodewordPathsRoundCount, fib, [](auto&, auto& p) { p.whir.codeword_merkle_proofs.pop_back(); },
         "shape.whir"},
        {Kind::kFinalPolyLength, fib, [](auto&, auto& p) { p.whir.final_poly.pop_back(); }, "shape.whir"},
        {Kind::kInitialRowsQueryCount, parts, [](auto&, auto& p) { p.whir.initial_round_opened_rows[1].pop_back(); },
         "shape.whir"},
        {Kind::kInitialPathsQueryCount, parts, [](auto&, auto& p) { p.whir.initial_round_merkle_proofs[1].pop_back(); },
         "shape.whir"},
        {Kind::kInitialRowCount, fib, [](auto&, auto& p) { p.whir.initial_round_opened_rows[0][2].pop_back(); },
         "shape.whir"},
        {Kind::kInitialRowWidth, fib, [](auto&, auto& p) { p.whir.initial_round_opened_rows[0][2][1].emplace_back(); },
         "shape.whir"},
        {Kind::kInitialPathDepth, fib, [](auto&, auto& p) { p.whir.initial_round_merkle_proofs[0][3].pop_back(); },
         "shape.whir"},
        {Kind::kCodewordValuesQueryCount, fib, [](auto&, auto& p) { p.whir.codeword_opened_values[0].pop_back(); },
         "shape.whir"},
        {Kind::kCodewordPathsQueryCount, fib, [](auto&, auto& p) { p.whir.codeword_merkle_proofs[1].pop_back(); },
         "shape.whir"},
        {Kind::kCodewordValueCount, fib, [](auto&, auto& p) { p.whir.codeword_opened_values[1][0].pop_back(); },
         "shape.whir"},
        {Kind::kCodewordPathDepth, fib, [](auto&, auto& p) { p.whir.codeword_merkle_proofs[0][1].emplace_back(); },
         "shape.whir"},
        {Kind::kTraceHeightsTooLarge, buses,
         [](auto& vk, auto&) {
             vk.params.logup.max_interaction_count = 1;
             vk.trace_height_constraints = value_of(trace_height_constraints(vk.params, vk.airs));
         },
         "shape.trace_heights"},
        {Kind::kPreprocessedHeightMismatch, "preprocessed",
         [](auto& vk, auto&) { vk.airs[0].preprocessed->hypercube_dim -= 1; }, "preamble"},

        {Kind::kLogupProofOfWork, buses, [](auto&, auto& p) { p.gkr.logup_pow_witness += Fp::one(); }, "logup"},
        {Kind::kGkrEmptyRoot, fib, [](auto&, auto& p) { bump(p.gkr.q0_claim); }, "gkr.root"},
        {Kind::kGkrRootNumerator, buses, [](auto&, auto& p) { bump(p.gkr.claims_per_layer[0].p_xi_0); }, "gkr.root"},
        {Kind::kGkrRootDenominator, buses, [](auto&, auto& p) { bump(p.gkr.q0_claim); }, "gkr.root"},
        {Kind::kGkrLayerClaim, buses, [](auto&, auto& p) { bump(p.gkr.claims_per_layer[2].q_xi_1); }, "gkr.layer2"},
        {Kind::kGkrLayerClaim, buses, [](auto&, auto& p) { bump(p.gkr.sumcheck_polys[2][1][2]); }, "gkr.layer3"},
        {Kind::kNumeratorSum, buses, [](auto&, auto& p) { bump(p.batch_constraint.numerator_term_per_air[1]); },
         "batch_constraints"},
        {Kind::kDenominatorSum, buses, [](auto&, auto& p) { bump(p.batch_constraint.denominator_term_per_air[0]); },
         "batch_constraints"},
        {Kind::kUnivariateSum, fib, [](auto&, auto& p) { bump(p.batch_constraint.univariate_round_coeffs[0]); },
         "batch_constraints"},
        {Kind::kConstraintClaim, fib, [](auto&, auto& p) { bump(p.batch_constraint.univariate_round_coeffs[1]); },
         "batch_constraints"},
        {Kind::kConstraintClaim, fib, [](auto&, auto& p) { bump(p.batch_constraint.sumcheck_round_polys[0][3]); },
         "batch_constraints"},
        {Kind::kConstraintClaim, parts, [](auto&, auto& p) { bump(p.batch_constraint.column_openings[0][0][0]); },
         "batch_constraints"},
        {Kind::kStackingUnivariateSum, fib, [](auto&, auto& p) { bump(p.stacking.univariate_round_coeffs[0]); },
         "stacked_reduction"},
        {Kind::kStackingClaim, fib, [](auto&, auto& p) { bump(p.stacking.univariate_round_coeffs[1]); },
         "stacked_reduction"},
        {Kind::kStackingClaim, fib, [](auto&, auto& p) { bump(p.stacking.sumcheck_round_polys[3][1]); },
         "stacked_reduction"},
        {Kind::kStackingClaim, parts, [](auto&, auto& p) { bump(p.stacking.stacking_openings[2][0]); },
         "stacked_reduction"},
        {Kind::kMuProofOfWork, fib, [](auto&, auto& p) { p.whir.mu_pow_witness += Fp::one(); }, "whir"},
        {Kind::kFoldingProofOfWork, fib, [](auto&, auto& p) { p.whir.folding_pow_witnesses[4] += Fp::one(); },
         "whir.round1"},
        {Kind::kInitialMerklePath, fib,
         [](auto&, auto& p) { p.whir.initial_round_opened_rows[0][1][2][0] += Fp::one(); }, "whir.round0"},
        {Kind::kInitialMerklePath, parts,
         [](auto&, auto& p) { p.whir.initial_round_merkle_proofs[2][0].back()[7] += Fp::one(); }, "whir.round0"},
        {Kind::kCodewordMerklePath, fib, [](auto&, auto& p) { bump(p.whir.codeword_opened_values[0][3][1]); },
         "whir.round1"},
        {Kind::kCodewordMerklePath, fib, [](auto&, auto& p) { p.whir.codeword_merkle_proofs[1][0][0][0] += Fp::one(); },
         "whir.round2"},
    };
}

}  // namespace whorl::test
