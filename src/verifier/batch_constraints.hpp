// Constraints vanish and interactions are what the LogUp table holds: one batched sumcheck (PROTOCOL.md section 13).
#pragma once

#include <vector>

#include "verifier/context.hpp"

namespace whorl::verifier {

/// Runs GKR and the batch constraint sumcheck. Returns r_0 … r_{n_max}, where the proof opens the columns.
Result<std::vector<Fp4>, VerifyError> verify_batch_constraints(const Context& context, Transcript& transcript);

}  // namespace whorl::verifier
