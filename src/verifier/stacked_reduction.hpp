// From openings of trace columns at r to openings of stacked columns at one point u (PROTOCOL.md section 14).
#pragma once

#include <span>
#include <vector>

#include "verifier/context.hpp"

namespace whorl::verifier {

/// `r`: where the columns were opened. Returns u_0 … u_{n_stack}, where the proof opens the stacked columns.
Result<std::vector<Fp4>, VerifyError> verify_stacked_reduction(const Context& context, Transcript& transcript,
                                                               std::span<const Fp4> r);

}  // namespace whorl::verifier
