// Does the proof have the lengths that key and heights dictate (PROTOCOL.md 17.1 and 17.2)?
#pragma once

#include "verifier/context.hpp"

namespace whorl::verifier {

/// Checks every length of `proof` against `vk` and the trace height constraints, then lays the proof out. Memory is
/// taken only for what the proof itself already holds.
Result<ProofLayout, VerifyError> check_proof_shape(const VerifyingKey& vk, const Proof& proof);

}  // namespace whorl::verifier
