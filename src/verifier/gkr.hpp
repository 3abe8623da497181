// The fractional sumcheck: all fractions of the LogUp table add up to zero (PROTOCOL.md section 12).
#pragma once

#include <vector>

#include "verifier/context.hpp"

namespace whorl::verifier {

/// What is left to check about the table: its numerators and denominators at `xi`, l_skip + n_logup coordinates.
struct GkrClaim {
    Fp4 numerator;
    Fp4 denominator;
    std::vector<Fp4> xi;
};

/// Goes down the fraction tree from the root. Without interactions there is no tree: numerator 0, denominator `alpha`.
Result<GkrClaim, VerifyError> verify_gkr(const Context& context, Transcript& transcript, const Fp4& alpha);

}  // namespace whorl::verifier
