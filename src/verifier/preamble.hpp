// What key and proof are about goes into the transcript first (PROTOCOL.md section 11).
#pragma once

#include "verifier/context.hpp"

namespace whorl::verifier {

/// Observes key, commitments, heights and public values; checks heights against preprocessed traces.
Result<void, VerifyError> observe_preamble(const VerifyingKey& vk, const Proof& proof, Transcript& transcript);

}  // namespace whorl::verifier
