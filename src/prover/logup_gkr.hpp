// LogUp by GKR (PROTOCOL.md section 12): proves the root of the fraction tree down to a claim on its leaves.
#pragma once

#include <cmath>
#include <vector>

#include "prover/backend.hpp"

namespace whorl {

/// What the batch sumcheck goes on from.
template <Backend B>
struct LogupChallenges {
    typename B::Ext beta;
    std::vector<typename B::Ext> xi;  ///< the point of the leaf claim; empty without interactions
};

template <Backend B>
LogupChallenges<B> prove_logup_gkr(B& backend, typename B::Transcript& transcript, const ProverInput& input,
                                   GkrProof& proof) {
    const Span span(input.telemetry, "logup_gkr");
    using Ext = typename B::Ext;
    {
        const Span grind(input.telemetry, "grind_pow");
        backend.send(transcript.grind(input.params().logup.pow_bits), &proof.logup_pow_witness);
    }
    const Ext alpha = transcript.sample_ext();
    LogupChallenges<B> out{transcript.sample_ext(), {}};
    if (!input.layout.has_interactions()) {
        // No layers, nothing observed.
        proof.q0_claim = Fp4::one();
        return out;
    }
    const unsigned num_layers = input.layout.num_gkr_layers(input.params());
    proof.claims_per_layer.resize(num_layers);
    proof.sumcheck_polys.resize(num_layers - 1);

    auto tree = backend.fraction_tree(input, alpha, out.beta);
    input.reach(0.5);
    send_ext(backend, transcript, tree.root(), &proof.q0_claim);
    auto claims = tree.root_claims();
    for (unsigned layer = 0;; ++layer) {
        GkrLayerClaims& sent = proof.claims_per_layer[layer];
        // Observed as p0, q0, p1, q1; encoded as p0, p1, q0, q1.
        send_ext(backend, transcript, claims.p_xi_0, &sent.p_xi_0);
        send_ext(backend, transcript, claims.q_xi_0, &sent.q_xi_0);
        send_ext(backend, transcript, claims.p_xi_1, &sent.p_xi_1);
        send_ext(backend, transcript, claims.q_xi_1, &sent.q_xi_1);
        const Ext mu = transcript.sample_ext();
        out.xi.insert(out.xi.begin(), mu);
        if (layer + 1 == num_layers) break;

        const Ext lambda = transcript.sample_ext();
        tree.begin_layer(layer + 1, lambda, out.xi, claims, mu);
        std::vector<std::array<Fp4, 3>>& polys = proof.sumcheck_polys[layer];
        polys.resize(layer + 1);
        std::vector<Ext> rho;
        for (auto& poly : polys) {
            const auto message = tree.round_message();
            for (std::size_t i = 0; i < poly.size(); ++i) send_ext(backend, transcript, message[i], &poly[i]);
            rho.push_back(transcript.sample_ext());
            tree.fold(rho.back());
        }
        claims = tree.layer_claims();
        // Half of the work is the tree; a layer takes twice as long as the one before.
        input.reach(0.5 + 0.5 * std::ldexp(1.0, static_cast<int>(layer + 2) - static_cast<int>(num_layers)));
        out.xi = std::move(rho);
    }
    return out;
}

}  // namespace whorl
