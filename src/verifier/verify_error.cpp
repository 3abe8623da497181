#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>
#include <whorl/verify.hpp>

#include "machine/guard.hpp"

namespace whorl {
namespace {

struct KindText {
    VerifyErrorKind kind;
    std::string_view name;
    std::string_view message;
};

using Kind = VerifyErrorKind;

constexpr auto kTexts = std::to_array<KindText>({
    {Kind::kUnworkableParams, "unworkable_params", "the key's parameters cannot be worked with"},
    {Kind::kInvalidKey, "invalid_key", "the key is not one that key generation makes"},
    {Kind::kNoTraces, "no_traces", "no AIR has a trace"},
    {Kind::kTraceDataCount, "trace_data_count", "wrong number of AIRs in the trace data"},
    {Kind::kPublicValuesListCount, "public_values_list_count", "wrong number of AIRs in the public values"},
    {Kind::kRequiredAirAbsent, "required_air_absent", "a required AIR has no trace"},
    {Kind::kPublicValuesWithoutTrace, "public_values_without_trace", "an AIR without a trace has public values"},
    {Kind::kCachedCommitmentCount, "cached_commitment_count", "wrong number of cached commitments"},
    {Kind::kLogHeightOutOfRange, "log_height_out_of_range", "log height out of range"},
    {Kind::kPublicValueCount, "public_value_count", "wrong number of public values"},
    {Kind::kGkrLayerCount, "gkr_layer_count", "wrong number of layers"},
    {Kind::kGkrSumcheckCount, "gkr_sumcheck_count", "wrong number of sumchecks"},
    {Kind::kGkrRoundCount, "gkr_round_count", "wrong number of sumcheck rounds"},
    {Kind::kNumeratorTermCount, "numerator_term_count", "wrong number of numerator terms"},
    {Kind::kDenominatorTermCount, "denominator_term_count", "wrong number of denominator terms"},
    {Kind::kUnivariateCoeffCount, "univariate_coeff_count", "wrong number of univariate coefficients"},
    {Kind::kSumcheckRoundCount, "sumcheck_round_count", "wrong number of sumcheck rounds"},
    {Kind::kOpeningTraceCount, "opening_trace_count", "wrong number of traces in the column openings"},
    {Kind::kSumcheckValueCount, "sumcheck_value_count", "wrong number of values in a sumcheck round"},
    {Kind::kOpeningPartCount, "opening_part_count", "wrong number of parts in the column openings"},
    {Kind::kCommonMainOpeningCount, "common_main_opening_count", "wrong number of common main openings"},
    {Kind::kPreprocessedOpeningCount, "preprocessed_opening_count", "wrong number of preprocessed openings"},
    {Kind::kCachedMainOpeningCount, "cached_main_opening_count", "wrong number of cached main openings"},
    {Kind::kStackingCoeffCount, "stacking_coeff_count", "wrong number of univariate coefficients"},
    {Kind::kStackingRoundCount, "stacking_round_count", "wrong number of sumcheck rounds"},
    {Kind::kStackedWidthTooLarge, "stacked_width_too_large", "too many stacked columns"},
    {Kind::kStackingCommitmentCount, "stacking_commitment_count", "wrong number of commitments"},
    {Kind::kStackingOpeningCount, "stacking_opening_count", "wrong number of stacking openings"},
    {Kind::kWhirSumcheckCount, "whir_sumcheck_count", "wrong number of sumcheck rounds"},
    {Kind::kWhirCommitmentCount, "whir_commitment_count", "wrong number of codeword commitments"},
    {Kind::kWhirOutOfDomainCount, "whir_out_of_domain_count", "wrong number of out-of-domain values"},
    {Kind::kWhirFoldingWitnessCount, "whir_folding_witness_count", "wrong number of folding witnesses"},
    {Kind::kWhirQueryWitnessCount, "whir_query_witness_count", "wrong number of query witnesses"},
    {Kind::kInitialRowsCommitmentCount, "initial_rows_commitment_count", "wrong number of commitments opened"},
    {Kind::kInitialPathsCommitmentCount, "initial_paths_commitment_count", "wrong number of commitments with paths"},
    {Kind::kCodewordValuesRoundCount, "codeword_values_round_count", "wrong number of rounds with opened values"},
    {Kind::kCodewordPathsRoundCount, "codeword_paths_round_count", "wrong number of rounds with paths"},
    {Kind::kFinalPolyLength, "final_poly_length", "wrong length of the final polynomial"},
    {Kind::kInitialRowsQueryCount, "initial_rows_query_count", "wrong number of queries opened"},
    {Kind::kInitialPathsQueryCount, "initial_paths_query_count", "wrong number of queries with paths"},
    {Kind::kInitialRowCount, "initial_row_count", "wrong number of rows in an opened leaf"},
    {Kind::kInitialRowWidth, "initial_row_width", "wrong width of an opened row"},
    {Kind::kInitialPathDepth, "initial_path_depth", "wrong depth of a Merkle path"},
    {Kind::kCodewordValuesQueryCount, "codeword_values_query_count", "wrong number of queries opened"},
    {Kind::kCodewordPathsQueryCount, "codeword_paths_query_count", "wrong number of queries with paths"},
    {Kind::kCodewordValueCount, "codeword_value_count", "wrong number of values in an opened leaf"},
    {Kind::kCodewordPathDepth, "codeword_path_depth", "wrong depth of a Merkle path"},
    {Kind::kTraceHeightsTooLarge, "trace_heights_too_large", "the traces are too tall together"},
    {Kind::kPreprocessedHeightMismatch, "preprocessed_height_mismatch",
     "the log height is not that of the preprocessed trace"},
    {Kind::kLogupProofOfWork, "logup_proof_of_work", "the LogUp proof-of-work witness does not work"},
    {Kind::kGkrEmptyRoot, "gkr_empty_root", "the root denominator of no interactions is not one"},
    {Kind::kGkrRootNumerator, "gkr_root_numerator", "the buses do not balance: the root numerator is not zero"},
    {Kind::kGkrRootDenominator, "gkr_root_denominator", "the first layer contradicts the root denominator"},
    {Kind::kGkrLayerClaim, "gkr_layer_claim", "the layer's sumcheck contradicts its claims"},
    {Kind::kNumeratorSum, "numerator_sum", "the numerator terms contradict GKR's claim"},
    {Kind::kDenominatorSum, "denominator_sum", "the denominator terms contradict GKR's claim"},
    {Kind::kUnivariateSum, "univariate_sum", "the univariate round contradicts the claimed sum"},
    {Kind::kConstraintClaim, "constraint_claim", "the sumcheck contradicts the constraints at the openings"},
    {Kind::kStackingUnivariateSum, "stacking_univariate_sum", "the univariate round contradicts the column openings"},
    {Kind::kStackingClaim, "stacking_claim", "the sumcheck contradicts the stacking openings"},
    {Kind::kMuProofOfWork, "mu_proof_of_work", "the batching proof-of-work witness does not work"},
    {Kind::kFoldingProofOfWork, "folding_proof_of_work", "a folding proof-of-work witness does not work"},
    {Kind::kQueryProofOfWork, "query_proof_of_work", "the query proof-of-work witness does not work"},
    {Kind::kInitialMerklePath, "initial_merkle_path", "the opened rows are not under the commitment"},
    {Kind::kCodewordMerklePath, "codeword_merkle_path", "the opened values are not under the codeword commitment"},
    {Kind::kFinalPolyClaim, "final_poly_claim", "the final polynomial contradicts the claims"},
    {Kind::kStatementParams, "statement_params", "the key has other parameters"},
    {Kind::kStatementPreHash, "statement_pre_hash", "it is another key"},
    {Kind::kStatementSecurity, "statement_security", "the key is weaker than asked for"},
    {Kind::kStatementAirIndex, "statement_air_index", "the key has no such AIR"},
    {Kind::kStatementAirAbsent, "statement_air_absent", "the AIR has no trace"},
    {Kind::kStatementHeight, "statement_height", "the trace has another log height"},
    {Kind::kStatementPublicValueCount, "statement_public_value_count", "another number of public values"},
    {Kind::kStatementPublicValue, "statement_public_value", "another public value"},
    {Kind::kStatementCachedCommitmentCount, "statement_cached_commitment_count",
     "another number of cached commitments"},
    {Kind::kStatementCachedCommitment, "statement_cached_commitment", "another cached commitment"},
    {Kind::kStatementOtherAir, "statement_other_air", "an AIR that the statement does not list has a trace"},
    {Kind::kMachine, "machine", "the proof could not be judged"},
    {Kind::kInternal, "internal", "the proof could not be judged, which is a bug in whorl: please report it"},
});

constexpr bool is_in_enum_order() {
    for (std::size_t i = 0; i < kTexts.size(); ++i) {
        if (static_cast<std::size_t>(kTexts[i].kind) != i) return false;
    }
    return kTexts.back().kind == Kind::kInternal;
}
static_assert(is_in_enum_order(), "every kind has its text, at its own index");

// Of a number that is no kind: that of kInternal.
const KindText& text_of(VerifyErrorKind kind) {
    return kTexts[std::min(static_cast<std::size_t>(kind), kTexts.size() - 1)];
}

}  // namespace

std::string_view name(VerifyErrorKind kind) noexcept {
    return text_of(kind).name;
}

std::string to_string(const VerifyError& error) noexcept {
    return guarded_text([&] {
        std::string text = error.stage;
        if (!error.place.empty()) text += ": " + error.place;
        text += ": ";
        text += text_of(error.kind).message;
        if (!error.expected.empty()) text += ", expected " + error.expected;
        if (!error.found.empty()) text += ", found " + error.found;
        return text;
    });
}

}  // namespace whorl
