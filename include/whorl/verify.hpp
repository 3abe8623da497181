// From a proof to yes or no.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <whorl/error.hpp>
#include <whorl/key.hpp>
#include <whorl/proof.hpp>
#include <whorl/transcript.hpp>

namespace whorl {

/// One kind for every rule of the protocol (PROTOCOL.md section 17), in the order in which they are checked.
enum class VerifyErrorKind : std::uint8_t {
    kUnworkableParams,  ///< the key's parameters fail check_params
    kInvalidKey,        ///< the key fails check_key

    // Shape: lengths against the key, before any transcript work.
    kNoTraces,                     ///< no AIR has a trace
    kTraceDataCount,               ///< trace data for another number of AIRs than the key's
    kPublicValuesListCount,        ///< public values for another number of AIRs than the key's
    kRequiredAirAbsent,            ///< a required AIR has no trace
    kPublicValuesWithoutTrace,     ///< public values of an AIR that has no trace
    kCachedCommitmentCount,        ///< cached commitments of an AIR
    kLogHeightOutOfRange,          ///< a trace taller than a stacked column
    kPublicValueCount,             ///< public values of an AIR
    kGkrLayerCount,                ///< layers of the fraction tree
    kGkrSumcheckCount,             ///< sumchecks between the layers
    kGkrRoundCount,                ///< rounds of one layer's sumcheck
    kNumeratorTermCount,           ///< LogUp numerator terms, one per trace
    kDenominatorTermCount,         ///< LogUp denominator terms, one per trace
    kUnivariateCoeffCount,         ///< coefficients of the batch constraint sumcheck's first round
    kSumcheckRoundCount,           ///< further rounds of the batch constraint sumcheck
    kOpeningTraceCount,            ///< column openings, one list per trace
    kSumcheckValueCount,           ///< values of one round of the batch constraint sumcheck
    kOpeningPartCount,             ///< parts of one trace's column openings
    kCommonMainOpeningCount,       ///< openings of a common main part
    kPreprocessedOpeningCount,     ///< openings of a preprocessed part
    kCachedMainOpeningCount,       ///< openings of a cached part
    kStackingCoeffCount,           ///< coefficients of the stacked reduction's first round
    kStackingRoundCount,           ///< further rounds of the stacked reduction
    kStackedWidthTooLarge,         ///< more stacked columns than w_stack
    kStackingCommitmentCount,      ///< lists of stacking openings, one per commitment
    kStackingOpeningCount,         ///< stacking openings of one commitment
    kWhirSumcheckCount,            ///< WHIR sumcheck rounds
    kWhirCommitmentCount,          ///< codeword commitments
    kWhirOutOfDomainCount,         ///< out-of-domain values
    kWhirFoldingWitnessCount,      ///< folding proof-of-work witnesses
    kWhirQueryWitnessCount,        ///< query phase proof-of-work witnesses
    kInitialRowsCommitmentCount,   ///< opened rows of the initial round, one list per commitment
    kInitialPathsCommitmentCount,  ///< Merkle paths of the initial round, one list per commitment
    kCodewordValuesRoundCount,     ///< opened codeword values, one list per later round
    kCodewordPathsRoundCount,      ///< codeword Merkle paths, one list per later round
    kFinalPolyLength,              ///< coefficients of the final polynomial
    kInitialRowsQueryCount,        ///< queries of the initial round: opened rows
    kInitialPathsQueryCount,       ///< queries of the initial round: Merkle paths
    kInitialRowCount,              ///< rows of one opened leaf
    kInitialRowWidth,              ///< columns of one opened row
    kInitialPathDepth,             ///< siblings of one initial Merkle path
    kCodewordValuesQueryCount,     ///< queries of a later round: opened values
    kCodewordPathsQueryCount,      ///< queries of a later round: Merkle paths
    kCodewordValueCount,           ///< values of one opened leaf
    kCodewordPathDepth,            ///< siblings of one codeword Merkle path
    kTraceHeightsTooLarge,         ///< a trace height constraint of the key is violated
    kPreprocessedHeightMismatch,   ///< a trace's height is not that of its preprocessed columns

    // LogUp and GKR.
    kLogupProofOfWork,    ///< LogUp witness
    kGkrEmptyRoot,        ///< without interactions the root denominator must be 1
    kGkrRootNumerator,    ///< the sum of all fractions is not zero
    kGkrRootDenominator,  ///< the first layer does not give the root denominator
    kGkrLayerClaim,       ///< a layer's sumcheck does not end in its claims

    // Batch constraint sumcheck.
    kNumeratorSum,     ///< numerator terms do not add up to GKR's claim
    kDenominatorSum,   ///< denominator terms do not add up to GKR's claim
    kUnivariateSum,    ///< the first round does not sum to the claim over the skip domain
    kConstraintClaim,  ///< the sumcheck does not end in the constraints at the openings

    // Stacked opening reduction.
    kStackingUnivariateSum,  ///< the first round does not sum to the column openings
    kStackingClaim,          ///< the sumcheck does not end in the stacking openings

    // WHIR.
    kMuProofOfWork,       ///< witness before the columns are batched
    kFoldingProofOfWork,  ///< witness before a folding challenge
    kQueryProofOfWork,    ///< witness before a round's queries
    kInitialMerklePath,   ///< opened rows are not under a commitment
    kCodewordMerklePath,  ///< opened values are not under a codeword commitment
    kFinalPolyClaim,      ///< the final polynomial does not explain all that was claimed

    // The statement (whorl/statement.hpp): checked before all others, and only where there is one.
    kStatementParams,                 ///< the key has other parameters
    kStatementPreHash,                ///< it is another key
    kStatementSecurity,               ///< the key is weaker than asked for
    kStatementAirIndex,               ///< the statement is about an AIR that the key does not have
    kStatementAirAbsent,              ///< an AIR of the statement has no trace
    kStatementHeight,                 ///< the trace of an AIR has another height
    kStatementPublicValueCount,       ///< another number of public values of an AIR
    kStatementPublicValue,            ///< another public value
    kStatementCachedCommitmentCount,  ///< another number of cached commitments of an AIR
    kStatementCachedCommitment,       ///< another cached commitment
    kStatementOtherAir,               ///< an AIR that the statement does not list has a trace

    // No judgement of the proof.
    kMachine,   ///< memory ran out before there was an answer
    kInternal,  ///< a bug in whorl
};

/// Why a proof is rejected: an ordinary answer, not a fault. Where is_judgement(kind) is false: why there is no answer.
struct VerifyError {
    VerifyErrorKind kind;
    std::string stage;     ///< e.g. "gkr.layer3"
    std::string place;     ///< e.g. "AIR 2, cached part 0"; may be empty
    std::string expected;  ///< may be empty
    std::string found;     ///< may be empty
};

/// A short name for machines, e.g. "gkr_layer_claim".
std::string_view name(VerifyErrorKind kind) noexcept;
/// Whether an error of this kind means that the proof was judged, and rejected.
constexpr bool is_judgement(VerifyErrorKind kind) {
    return kind != VerifyErrorKind::kMachine && kind != VerifyErrorKind::kInternal;
}
/// Whether an error of this kind means that key or proof are not those of the statement. The proof may be valid.
constexpr bool is_about_statement(VerifyErrorKind kind) {
    return VerifyErrorKind::kStatementParams <= kind && kind <= VerifyErrorKind::kStatementOtherAir;
}
/// "stage: place: message, expected X, found Y"; "out of memory" where there is none for that text.
std::string to_string(const VerifyError& error) noexcept;

/// What changes the time of a verdict and never the verdict.
struct VerifierOptions {
    /// Threads that open the queries' leaves, the caller's among them; 0 counts as 1, and there are never more than one for 16
    /// queries. Where the system starts fewer, fewer work.
    std::uint32_t num_threads = 1;
};

/// Judges the proof alone: whether traces exist that satisfy `vk` with the public values and cached commitments that stand
/// in `proof`. Whether these, the key and its security are what the caller wants, it must check itself, or give a Statement
/// (whorl/statement.hpp; docs/statement.md). Time and memory are bounded by the key. Both may be
/// anything: a key that fails check_key is an answer too (kInvalidKey), at a cost linear in the key's size. Errors: those of
/// VerifyErrorKind, of which kMachine and kInternal say nothing about the proof.
Result<void, VerifyError> verify(const VerifyingKey& vk, const Proof& proof,
                                 const VerifierOptions& options = {}) noexcept;
/// The same for a proof that goes on from `transcript` (ProveControl::transcript), which is left as the prover's is after the
/// proof; where the proof is not accepted, as it was.
Result<void, VerifyError> verify(const VerifyingKey& vk, const Proof& proof, Transcript& transcript,
                                 const VerifierOptions& options = {}) noexcept;

/// The bytes (encode_proof) of the largest proof that `vk` admits: all AIRs present, each trace as high as a stacked
/// column. No longer proof is accepted, so that a reader need not take more. 0 where check_params refuses the key's
/// parameters; at most 2^64 − 1.
std::uint64_t max_proof_bytes(const VerifyingKey& vk) noexcept;

}  // namespace whorl
