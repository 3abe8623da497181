// The batched zerocheck and LogUp sumcheck (PROTOCOL.md section 13).
#pragma once

#include <utility>
#include <vector>

#include "prover/backend.hpp"
#include "prover/logup_gkr.hpp"

namespace whorl {

/// Returns the opening point r_0, …, r_n_max.
template <Backend B>
std::vector<typename B::Ext> prove_batch_constraints(B& backend, typename B::Transcript& transcript,
                                                     const ProverInput& input, LogupChallenges<B> logup,
                                                     BatchConstraintProof& proof) {
    using Ext = typename B::Ext;
    const SystemParams& params = input.params();
    while (logup.xi.size() < params.l_skip + input.layout.n_global()) logup.xi.push_back(transcript.sample_ext());
    const Ext lambda = transcript.sample_ext();
    auto batch = backend.constraint_batch(input, logup.beta, lambda, logup.xi);
    std::vector<Ext> r;
    {
        const Span span(input.telemetry, "round0");
        batch.evaluate_round0();
        const auto terms = batch.sum_terms();
        const std::size_t num_traces = input.traces.size();
        proof.numerator_term_per_air.resize(num_traces);
        proof.denominator_term_per_air.resize(num_traces);
        for (std::size_t t = 0; t < num_traces; ++t) {
            send_ext(backend, transcript, terms.numerators[t], &proof.numerator_term_per_air[t]);
            send_ext(backend, transcript, terms.denominators[t], &proof.denominator_term_per_air[t]);
        }
        input.reach(0.6);
        const Ext mu = transcript.sample_ext();
        const auto coefficients = batch.univariate_message(mu);
        proof.univariate_round_coeffs.resize(coefficients.size());
        for (std::size_t i = 0; i < coefficients.size(); ++i) {
            send_ext(backend, transcript, coefficients[i], &proof.univariate_round_coeffs[i]);
        }
    }
    {
        const Span span(input.telemetry, "mle_rounds");
        r.push_back(transcript.sample_ext());
        batch.fold_univariate(r[0]);
        input.reach(0.8);
        proof.sumcheck_round_polys.resize(input.layout.n_max);
        for (auto& poly : proof.sumcheck_round_polys) {
            const auto message = batch.round_message();
            poly.resize(message.size());
            for (std::size_t i = 0; i < poly.size(); ++i) send_ext(backend, transcript, message[i], &poly[i]);
            r.push_back(transcript.sample_ext());
            batch.fold(r.back());
        }
    }

    const auto openings = batch.openings();
    proof.column_openings.resize(openings.size());
    const auto send_part = [&](std::size_t t, std::size_t p) {
        const auto& values = openings[t][p];
        auto& sent = proof.column_openings[t][p];
        sent.resize(values.size());
        const bool need_rot = input.air(t).need_rot;
        for (std::size_t i = 0; i < values.size(); ++i) {
            send_ext(backend, transcript, values[i], &sent[i]);
            // A zero stands in for the rotation that is not opened.
            if (need_rot) continue;
            for (unsigned c = 0; c < 4; ++c) transcript.observe(Fp::zero());
        }
    };
    for (std::size_t t = 0; t < openings.size(); ++t) {
        proof.column_openings[t].resize(openings[t].size());
        send_part(t, 0);
    }
    for (std::size_t t = 0; t < openings.size(); ++t) {
        for (std::size_t p = 1; p < openings[t].size(); ++p) send_part(t, p);
    }
    return r;
}

}  // namespace whorl
