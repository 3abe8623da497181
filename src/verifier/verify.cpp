// The verifier's outline: shape, preamble, LogUp with batch constraints, stacked reduction, WHIR.
#include <whorl/statement.hpp>
#include <whorl/verify.hpp>

#include "machine/guard.hpp"
#include "verifier/batch_constraints.hpp"
#include "verifier/preamble.hpp"
#include "verifier/proof_shape.hpp"
#include "verifier/stacked_reduction.hpp"
#include "verifier/statement.hpp"
#include "verifier/whir.hpp"

namespace whorl {
namespace {

Result<void, VerifyError> judge(const VerifyingKey& vk, const Proof& proof, Transcript& transcript,
                                const VerifierOptions& options) {
    auto layout = verifier::check_proof_shape(vk, proof);
    if (!layout) return std::move(layout).error();
    if (auto preamble = verifier::observe_preamble(vk, proof, transcript); !preamble) return preamble;
    const verifier::Context context{vk, proof, *layout, options.num_threads};
    auto r = verifier::verify_batch_constraints(context, transcript);
    if (!r) return std::move(r).error();
    auto u = verifier::verify_stacked_reduction(context, transcript, *r);
    if (!u) return std::move(u).error();
    return verifier::verify_whir(context, transcript, *u);
}

/// Runs `work` inside the guard.
template <class Work>
Result<void, VerifyError> guarded_verdict(const Work& work) noexcept {
    try {
        return work();
    } catch (...) {
        // Not a judgement: what ran out is the machine's.
        Error error = error_of_exception("verify");
        return VerifyError{
            .kind = error.code == ErrorCode::kMachine ? VerifyErrorKind::kMachine : VerifyErrorKind::kInternal,
            .stage = std::move(error.stage),
            .place = {},
            .expected = {},
            .found = std::move(error.message)};
    }
}

}  // namespace

Result<void, VerifyError> verify(const VerifyingKey& vk, const Proof& proof, const VerifierOptions& options) noexcept {
    Transcript transcript;
    return verify(vk, proof, transcript, options);
}

Result<void, VerifyError> verify(const VerifyingKey& vk, const Proof& proof, Transcript& transcript,
                                 const VerifierOptions& options) noexcept {
    Transcript end = transcript;
    auto verdict = guarded_verdict([&] { return judge(vk, proof, end, options); });
    if (verdict) transcript = end;
    return verdict;
}

Result<void, VerifyError> verify(const VerifyingKey& vk, const Proof& proof, const Statement& statement,
                                 const VerifierOptions& options) noexcept {
    Transcript transcript;
    return verify(vk, proof, statement, transcript, options);
}

Result<void, VerifyError> verify(const VerifyingKey& vk, const Proof& proof, const Statement& statement,
                                 Transcript& transcript, const VerifierOptions& options) noexcept {
    auto violation = guarded_verdict([&]() -> Result<void, VerifyError> {
        if (auto found = verifier::find_violation(vk, proof, statement)) return *std::move(found);
        return {};
    });
    if (!violation) return violation;
    return verify(vk, proof, transcript, options);
}

}  // namespace whorl
