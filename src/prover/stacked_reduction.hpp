// The stacked opening reduction (PROTOCOL.md section 14).
#pragma once

#include <vector>

#include "prover/backend.hpp"

namespace whorl {

/// Returns the point u_0, …, u_n_stack at which the stacked columns are opened.
template <Backend B>
std::vector<typename B::Ext> prove_stacked_reduction(B& backend, typename B::Transcript& transcript,
                                                     const ProverInput& input, const std::vector<typename B::Ext>& r,
                                                     StackingProof& proof) {
    const Span span(input.telemetry, "stacked_reduction");
    const auto lambda = transcript.sample_ext();
    auto reduction = backend.stacked_reduction(input, lambda, r);
    const auto coefficients = reduction.univariate_message();
    proof.univariate_round_coeffs.resize(coefficients.size());
    for (std::size_t i = 0; i < coefficients.size(); ++i) {
        send_ext(backend, transcript, coefficients[i], &proof.univariate_round_coeffs[i]);
    }
    std::vector<typename B::Ext> u{transcript.sample_ext()};
    reduction.fold_univariate(u[0]);
    input.reach(0.5);
    proof.sumcheck_round_polys.resize(input.params().n_stack);
    for (auto& poly : proof.sumcheck_round_polys) {
        const auto message = reduction.round_message();
        for (std::size_t i = 0; i < poly.size(); ++i) send_ext(backend, transcript, message[i], &poly[i]);
        u.push_back(transcript.sample_ext());
        reduction.fold(u.back());
    }
    const auto openings = reduction.openings();
    proof.stacking_openings.resize(openings.size());
    for (std::size_t c = 0; c < openings.size(); ++c) {
        proof.stacking_openings[c].resize(openings[c].size());
        for (std::size_t i = 0; i < openings[c].size(); ++i) {
            send_ext(backend, transcript, openings[c][i], &proof.stacking_openings[c][i]);
        }
    }
    return u;
}

}  // namespace whorl
