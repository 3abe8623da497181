#include "verifier/preamble.hpp"

namespace whorl::verifier {

Result<void, VerifyError> observe_preamble(const VerifyingKey& vk, const Proof& proof, Transcript& transcript) {
    transcript.observe(vk.pre_hash);
    transcript.observe(proof.common_main_commit);
    for (std::size_t i = 0; i < vk.airs.size(); ++i) {
        const AirVerifyingKey& air = vk.airs[i];
        const auto& vdata = proof.trace_vdata[i];
        if (!air.is_required) transcript.observe(vdata ? Fp::one() : Fp::zero());
        if (vdata) {
            if (air.preprocessed) {
                const std::int64_t expected = std::int64_t{air.preprocessed->hypercube_dim} + vk.params.l_skip;
                if (expected != std::int64_t{vdata->log_height}) {
                    return VerifyError{VerifyErrorKind::kPreprocessedHeightMismatch, "preamble",
                                       fmt::format("AIR {}", i), fmt::format("{}", expected),
                                       fmt::format("{}", vdata->log_height)};
                }
                transcript.observe(air.preprocessed->commit);
            } else {
                transcript.observe(Fp::from_canonical(vdata->log_height));
            }
            for (const Digest& commitment : vdata->cached_commitments) transcript.observe(commitment);
        }
        for (const Fp value : proof.public_values[i]) transcript.observe(value);
    }
    return {};
}

}  // namespace whorl::verifier
