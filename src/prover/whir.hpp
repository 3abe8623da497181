// WHIR (PROTOCOL.md section 15): opens all stacked columns at one point.
#pragma once

#include <cmath>
#include <vector>

#include "prover/backend.hpp"

namespace whorl {

template <Backend B>
void prove_whir(B& backend, typename B::Transcript& transcript, const ProverInput& input,
                const typename B::Commitments& commitments, const std::vector<typename B::Ext>& u, WhirProof& proof) {
    const Span span(input.telemetry, "whir");
    const WhirParams& params = input.params().whir;
    const auto grind = [&](unsigned bits, Fp* destination) {
        const Span grind_span(input.telemetry, "grind_pow");
        backend.send(transcript.grind(bits), destination);
    };
    const unsigned num_rounds = params.num_rounds();
    proof.sumcheck_polys.resize(std::size_t{num_rounds} * params.k);
    proof.folding_pow_witnesses.resize(proof.sumcheck_polys.size());
    proof.query_phase_pow_witnesses.resize(num_rounds);
    proof.codeword_commits.resize(num_rounds - 1);
    proof.ood_values.resize(num_rounds - 1);

    grind(params.mu_pow_bits, &proof.mu_pow_witness);
    const auto mu = transcript.sample_ext();
    auto whir = backend.whir(input, commitments, u, mu);
    unsigned log_domain = input.params().log_codeword_height();
    for (unsigned round = 0; round < num_rounds; ++round, --log_domain) {
        {
            const Span sumcheck(input.telemetry, "whir_sumcheck");
            for (unsigned s = 0; s < params.k; ++s) {
                const std::size_t i = std::size_t{round} * params.k + s;
                const auto message = whir.round_message();
                for (std::size_t j = 0; j < 2; ++j)
                    send_ext(backend, transcript, message[j], &proof.sumcheck_polys[i][j]);
                grind(params.folding_pow_bits, &proof.folding_pow_witnesses[i]);
                whir.fold(transcript.sample_ext());
            }
        }
        if (round + 1 < num_rounds) {
            const auto root = whir.commit_codeword();
            transcript.observe_hash(root);
            backend.send(root, &proof.codeword_commits[round]);
            const auto z0 = transcript.sample_ext();
            send_ext(backend, transcript, whir.ood_value(z0), &proof.ood_values[round]);
        } else {
            const auto coefficients = whir.final_poly();
            proof.final_poly.resize(coefficients.size());
            for (std::size_t i = 0; i < coefficients.size(); ++i) {
                send_ext(backend, transcript, coefficients[i], &proof.final_poly[i]);
            }
        }
        grind(params.query_phase_pow_bits, &proof.query_phase_pow_witnesses[round]);
        const auto indices = transcript.sample_indices(log_domain - params.k, params.num_queries[round]);
        if (round == 0) {
            whir.open_initial(indices, proof);
        } else {
            whir.open_codeword(indices, proof);
        }
        const auto gamma = transcript.sample_ext();
        whir.bind_queries(indices, gamma);
        input.reach(1 - std::ldexp(0.5, -static_cast<int>(round)));
    }
}

}  // namespace whorl
