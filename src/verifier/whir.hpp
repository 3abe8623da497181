// The stacked columns' openings against their commitments (PROTOCOL.md section 15).
#pragma once

#include <span>

#include "verifier/context.hpp"

namespace whorl::verifier {

/// `u`: u_0 … u_{n_stack}, where the stacked columns are opened.
Result<void, VerifyError> verify_whir(const Context& context, Transcript& transcript, std::span<const Fp4> u);

}  // namespace whorl::verifier
