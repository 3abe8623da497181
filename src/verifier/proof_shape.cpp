#include "verifier/proof_shape.hpp"

#include <algorithm>
#include <bit>
#include <new>
#include <optional>
#include <vector>

#include "key/params_fault.hpp"

namespace whorl::verifier {
namespace {

using Kind = VerifyErrorKind;
using Rejection = std::optional<VerifyError>;

// A rule about one number: a length that must be `expected`.
Rejection expect(Kind kind, const char* stage, std::uint64_t expected, std::uint64_t found) {
    if (expected == found) return std::nullopt;
    return reject(kind, stage, "", expected, found);
}
template <class Place>
Rejection expect(Kind kind, const char* stage, std::uint64_t expected, std::uint64_t found, Place place) {
    if (expected == found) return std::nullopt;
    return reject(kind, stage, place(), expected, found);
}

// Runs a rule and returns its rejection, if any.
#define WHORL_RULE(rule) \
    if (Rejection rejection = (rule)) return rejection

Rejection check_traces(const VerifyingKey& vk, const Proof& proof) {
    constexpr const char* kStage = "shape.traces";
    if (std::ranges::none_of(proof.trace_vdata, [](const auto& vdata) { return vdata.has_value(); })) {
        return reject(Kind::kNoTraces, kStage);
    }
    WHORL_RULE(expect(Kind::kTraceDataCount, kStage, vk.airs.size(), proof.trace_vdata.size()));
    WHORL_RULE(expect(Kind::kPublicValuesListCount, kStage, vk.airs.size(), proof.public_values.size()));
    for (std::size_t i = 0; i < vk.airs.size(); ++i) {
        const AirVerifyingKey& air = vk.airs[i];
        const auto place = [i] { return fmt::format("AIR {}", i); };
        const std::size_t num_public_values = proof.public_values[i].size();
        if (!proof.trace_vdata[i]) {
            if (air.is_required) return reject(Kind::kRequiredAirAbsent, kStage, place());
            WHORL_RULE(expect(Kind::kPublicValuesWithoutTrace, kStage, 0, num_public_values, place));
            continue;
        }
        const TraceVData& vdata = *proof.trace_vdata[i];
        WHORL_RULE(expect(Kind::kCachedCommitmentCount, kStage, air.width.cached_mains.size(),
                          vdata.cached_commitments.size(), place));
        if (vdata.log_height > vk.params.log_stacked_height()) {
            return VerifyError{Kind::kLogHeightOutOfRange, kStage, place(),
                               fmt::format("at most {}", vk.params.log_stacked_height()),
                               fmt::format("{}", vdata.log_height)};
        }
        WHORL_RULE(expect(Kind::kPublicValueCount, kStage, air.num_public_values, num_public_values, place));
    }
    return std::nullopt;
}

Rejection check_gkr(const GkrProof& gkr, std::uint64_t num_layers) {
    constexpr const char* kStage = "shape.gkr";
    const std::uint64_t num_sumchecks = num_layers == 0 ? 0 : num_layers - 1;
    WHORL_RULE(expect(Kind::kGkrLayerCount, kStage, num_layers, gkr.claims_per_layer.size()));
    WHORL_RULE(expect(Kind::kGkrSumcheckCount, kStage, num_sumchecks, gkr.sumcheck_polys.size()));
    for (std::size_t j = 0; j < num_sumchecks; ++j) {
        WHORL_RULE(expect(Kind::kGkrRoundCount, kStage, j + 1, gkr.sumcheck_polys[j].size(),
                          [j] { return fmt::format("layer {}", j + 1); }));
    }
    return std::nullopt;
}

// `traces` in sorted order.
Rejection check_batch_constraint(const VerifyingKey& vk, const BatchConstraintProof& batch,
                                 std::span<const SortedTrace> traces) {
    constexpr const char* kStage = "shape.batch_constraints";
    const std::uint64_t num_evals = std::uint64_t{vk.params.max_constraint_degree} + 1;
    const std::uint64_t skip_degree = (std::uint64_t{1} << vk.params.l_skip) - 1;
    const std::uint32_t tallest = traces.front().log_height;
    const std::uint32_t n_max = tallest > vk.params.l_skip ? tallest - vk.params.l_skip : 0;
    WHORL_RULE(expect(Kind::kNumeratorTermCount, kStage, traces.size(), batch.numerator_term_per_air.size()));
    WHORL_RULE(expect(Kind::kDenominatorTermCount, kStage, traces.size(), batch.denominator_term_per_air.size()));
    WHORL_RULE(
        expect(Kind::kUnivariateCoeffCount, kStage, num_evals * skip_degree + 1, batch.univariate_round_coeffs.size()));
    WHORL_RULE(expect(Kind::kSumcheckRoundCount, kStage, n_max, batch.sumcheck_round_polys.size()));
    WHORL_RULE(expect(Kind::kOpeningTraceCount, kStage, traces.size(), batch.column_openings.size()));
    for (std::size_t round = 0; round < n_max; ++round) {
        WHORL_RULE(expect(Kind::kSumcheckValueCount, kStage, num_evals, batch.sumcheck_round_polys[round].size(),
                          [round] { return fmt::format("round {}", round + 1); }));
    }
    for (std::size_t t = 0; t < traces.size(); ++t) {
        const std::uint32_t air_id = traces[t].air_id;
        const AirVerifyingKey& air = vk.airs[air_id];
        const auto& parts = batch.column_openings[t];
        const std::uint64_t per_column = air.need_rot ? 2 : 1;
        const std::size_t num_preprocessed = air.preprocessed ? 1 : 0;
        const auto place = [air_id] { return fmt::format("AIR {}", air_id); };
        WHORL_RULE(expect(Kind::kOpeningPartCount, kStage, 1 + num_preprocessed + air.width.cached_mains.size(),
                          parts.size(), place));
        WHORL_RULE(
            expect(Kind::kCommonMainOpeningCount, kStage, air.width.common_main * per_column, parts[0].size(), place));
        if (air.preprocessed) {
            WHORL_RULE(expect(Kind::kPreprocessedOpeningCount, kStage, air.width.preprocessed.value_or(0) * per_column,
                              parts[1].size(), place));
        }
        for (std::size_t c = 0; c < air.width.cached_mains.size(); ++c) {
            WHORL_RULE(expect(Kind::kCachedMainOpeningCount, kStage, air.width.cached_mains[c] * per_column,
                              parts[1 + num_preprocessed + c].size(),
                              [&] { return fmt::format("AIR {}, cached part {}", air_id, c); }));
        }
    }
    return std::nullopt;
}

Rejection check_stacking_rounds(const VerifyingKey& vk, const StackingProof& stacking,
                                std::span<const int> log_heights) {
    constexpr const char* kStage = "shape.stacking";
    const std::uint64_t num_coeffs = 2 * ((std::uint64_t{1} << vk.params.l_skip) - 1) + 1;
    WHORL_RULE(expect(Kind::kStackingCoeffCount, kStage, num_coeffs, stacking.univariate_round_coeffs.size()));
    WHORL_RULE(expect(Kind::kStackingRoundCount, kStage, vk.params.n_stack, stacking.sumcheck_round_polys.size()));
    const std::uint64_t width = total_stacked_width(vk, log_heights);
    if (width > vk.params.w_stack) {
        return VerifyError{Kind::kStackedWidthTooLarge, kStage, "", fmt::format("at most {}", vk.params.w_stack),
                           fmt::format("{}", width)};
    }
    return std::nullopt;
}

Rejection check_stacking_openings(const StackingProof& stacking, const ProofLayout& layout) {
    constexpr const char* kStage = "shape.stacking";
    WHORL_RULE(
        expect(Kind::kStackingCommitmentCount, kStage, layout.commitments.size(), stacking.stacking_openings.size()));
    for (std::size_t c = 0; c < layout.commitments.size(); ++c) {
        WHORL_RULE(expect(Kind::kStackingOpeningCount, kStage, layout.commitments[c].stack.width,
                          stacking.stacking_openings[c].size(), [c] { return fmt::format("commitment {}", c); }));
    }
    return std::nullopt;
}

Rejection check_whir(const SystemParams& params, const WhirProof& whir, const ProofLayout& layout) {
    constexpr const char* kStage = "shape.whir";
    const std::uint64_t num_rounds = params.whir.num_rounds();
    const std::uint64_t num_folds = num_rounds * params.whir.k;
    const std::uint64_t num_commits = layout.commitments.size();
    const std::uint64_t rows_per_leaf = std::uint64_t{1} << params.whir.k;
    WHORL_RULE(expect(Kind::kWhirSumcheckCount, kStage, num_folds, whir.sumcheck_polys.size()));
    WHORL_RULE(expect(Kind::kWhirCommitmentCount, kStage, num_rounds - 1, whir.codeword_commits.size()));
    WHORL_RULE(expect(Kind::kWhirOutOfDomainCount, kStage, num_rounds - 1, whir.ood_values.size()));
    WHORL_RULE(expect(Kind::kWhirFoldingWitnessCount, kStage, num_folds, whir.folding_pow_witnesses.size()));
    WHORL_RULE(expect(Kind::kWhirQueryWitnessCount, kStage, num_rounds, whir.query_phase_pow_witnesses.size()));
    WHORL_RULE(expect(Kind::kInitialRowsCommitmentCount, kStage, num_commits, whir.initial_round_opened_rows.size()));
    WHORL_RULE(
        expect(Kind::kInitialPathsCommitmentCount, kStage, num_commits, whir.initial_round_merkle_proofs.size()));
    WHORL_RULE(expect(Kind::kCodewordValuesRoundCount, kStage, num_rounds - 1, whir.codeword_opened_values.size()));
    WHORL_RULE(expect(Kind::kCodewordPathsRoundCount, kStage, num_rounds - 1, whir.codeword_merkle_proofs.size()));
    WHORL_RULE(expect(Kind::kFinalPolyLength, kStage, std::uint64_t{1} << params.log_final_poly_len(),
                      whir.final_poly.size()));

    std::uint64_t num_queries = params.whir.num_queries[0];
    std::uint64_t depth = params.log_codeword_height() - params.whir.k;
    for (std::size_t c = 0; c < num_commits; ++c) {
        const auto& rows = whir.initial_round_opened_rows[c];
        const auto& paths = whir.initial_round_merkle_proofs[c];
        const auto commitment = [c] { return fmt::format("commitment {}", c); };
        WHORL_RULE(expect(Kind::kInitialRowsQueryCount, kStage, num_queries, rows.size(), commitment));
        WHORL_RULE(expect(Kind::kInitialPathsQueryCount, kStage, num_queries, paths.size(), commitment));
        for (std::size_t q = 0; q < num_queries; ++q) {
            const auto query = [c, q] { return fmt::format("commitment {}, query {}", c, q); };
            WHORL_RULE(expect(Kind::kInitialRowCount, kStage, rows_per_leaf, rows[q].size(), query));
            for (const auto& row : rows[q]) {
                WHORL_RULE(
                    expect(Kind::kInitialRowWidth, kStage, layout.commitments[c].stack.width, row.size(), query));
            }
            WHORL_RULE(expect(Kind::kInitialPathDepth, kStage, depth, paths[q].size(), query));
        }
    }
    for (std::size_t round = 1; round < num_rounds; ++round) {
        --depth;
        num_queries = params.whir.num_queries[round];
        const auto& values = whir.codeword_opened_values[round - 1];
        const auto& paths = whir.codeword_merkle_proofs[round - 1];
        const auto place = [round] { return fmt::format("round {}", round); };
        WHORL_RULE(expect(Kind::kCodewordValuesQueryCount, kStage, num_queries, values.size(), place));
        WHORL_RULE(expect(Kind::kCodewordPathsQueryCount, kStage, num_queries, paths.size(), place));
        for (std::size_t q = 0; q < num_queries; ++q) {
            const auto query = [round, q] { return fmt::format("round {}, query {}", round, q); };
            WHORL_RULE(expect(Kind::kCodewordValueCount, kStage, rows_per_leaf, values[q].size(), query));
            WHORL_RULE(expect(Kind::kCodewordPathDepth, kStage, depth, paths[q].size(), query));
        }
    }
    return std::nullopt;
}

Rejection check_trace_heights(const VerifyingKey& vk, std::span<const int> log_heights) {
    std::uint64_t sum = 0;
    const int violated = find_violated_height_constraint(vk, log_heights, &sum);
    if (violated < 0) return std::nullopt;
    return VerifyError{
        Kind::kTraceHeightsTooLarge, "shape.trace_heights", fmt::format("constraint {}", violated),
        fmt::format("below {}", vk.trace_height_constraints[static_cast<std::size_t>(violated)].threshold),
        fmt::format("{}", sum)};
}

Rejection check_shape(const VerifyingKey& vk, const Proof& proof, ProofLayout& layout) {
    if (const auto params = find_params_fault(vk.params); !params) {
        return VerifyError{Kind::kUnworkableParams, "shape.params", params.error().message, {}, {}};
    }
    if (const auto key = check_key(vk); !key) {
        if (key.error().code == ErrorCode::kMachine) throw std::bad_alloc();  // no judgement
        return VerifyError{Kind::kInvalidKey, "shape.key", key.error().message, {}, {}};
    }
    WHORL_RULE(check_traces(vk, proof));
    // From here on heights are known to be small enough for every shift.
    std::vector<int> log_heights;
    for (const auto& vdata : proof.trace_vdata) log_heights.push_back(vdata ? static_cast<int>(vdata->log_height) : -1);
    const std::vector<SortedTrace> traces = sorted_traces(log_heights);
    const std::uint64_t num_cells = count_logup_cells(vk, log_heights);
    WHORL_RULE(check_gkr(proof.gkr, static_cast<std::uint64_t>(std::bit_width(num_cells))));
    WHORL_RULE(check_batch_constraint(vk, proof.batch_constraint, traces));
    // The openings that the proof holds now bound the widths, so the layout takes no more memory than the proof.
    WHORL_RULE(check_stacking_rounds(vk, proof.stacking, log_heights));
    layout = make_proof_layout(vk, log_heights);
    WHORL_RULE(check_stacking_openings(proof.stacking, layout));
    WHORL_RULE(check_whir(vk.params, proof.whir, layout));
    return check_trace_heights(vk, log_heights);
}

#undef WHORL_RULE

}  // namespace

Result<ProofLayout, VerifyError> check_proof_shape(const VerifyingKey& vk, const Proof& proof) {
    ProofLayout layout;
    if (auto rejection = check_shape(vk, proof, layout)) return *std::move(rejection);
    return layout;
}

}  // namespace whorl::verifier
