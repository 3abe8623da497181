#include "verifier/gkr.hpp"

#include "poly/prismalinear.hpp"
#include "verifier/interpolation.hpp"

namespace whorl::verifier {
namespace {

using Kind = VerifyErrorKind;

void observe_claims(Transcript& transcript, const GkrLayerClaims& claims) {
    transcript.observe_ext(claims.p_xi_0);
    transcript.observe_ext(claims.q_xi_0);
    transcript.observe_ext(claims.p_xi_1);
    transcript.observe_ext(claims.q_xi_1);
}

// Of the parent fraction p_0/q_0 + p_1/q_1.
Fp4 numerator(const GkrLayerClaims& claims) {
    return claims.p_xi_0 * claims.q_xi_1 + claims.p_xi_1 * claims.q_xi_0;
}
Fp4 denominator(const GkrLayerClaims& claims) {
    return claims.q_xi_0 * claims.q_xi_1;
}

}  // namespace

Result<GkrClaim, VerifyError> verify_gkr(const Context& context, Transcript& transcript, const Fp4& alpha) {
    const GkrProof& gkr = context.proof.gkr;
    if (!context.layout.has_interactions()) {
        if (gkr.q0_claim != Fp4::one()) {
            return reject(Kind::kGkrEmptyRoot, "gkr.root", "", Fp4::one(), gkr.q0_claim);
        }
        return GkrClaim{Fp4(), alpha, {}};
    }

    transcript.observe_ext(gkr.q0_claim);
    GkrClaim claim;
    const std::size_t num_layers = gkr.claims_per_layer.size();
    for (std::size_t layer = 0; layer < num_layers; ++layer) {
        const GkrLayerClaims& claims = gkr.claims_per_layer[layer];
        std::vector<Fp4> challenges(1);  // the place of μ
        if (layer == 0) {
            observe_claims(transcript, claims);
            if (!numerator(claims).is_zero()) {
                return reject(Kind::kGkrRootNumerator, "gkr.root", "", Fp4(), numerator(claims));
            }
            if (denominator(claims) != gkr.q0_claim) {
                return reject(Kind::kGkrRootDenominator, "gkr.root", "", gkr.q0_claim, denominator(claims));
            }
        } else {
            const Fp4 lambda = transcript.sample_ext();
            Fp4 sum = claim.numerator + lambda * claim.denominator;
            Fp4 eq = Fp4::one();
            for (std::size_t round = 0; round < layer; ++round) {
                const auto& evals = gkr.sumcheck_polys[layer - 1][round];
                for (const Fp4& eval : evals) transcript.observe_ext(eval);
                const Fp4 r = transcript.sample_ext();
                sum = cubic_at(sum - evals[0], evals[0], evals[1], evals[2], r);
                eq *= eq1(claim.xi[round], r);
                challenges.push_back(r);
            }
            observe_claims(transcript, claims);
            const Fp4 expected = eq * (numerator(claims) + lambda * denominator(claims));
            if (sum != expected) {
                return reject(Kind::kGkrLayerClaim, fmt::format("gkr.layer{}", layer), "", expected, sum);
            }
        }
        const Fp4 mu = transcript.sample_ext();
        challenges[0] = mu;
        claim.numerator = claims.p_xi_0 + (claims.p_xi_1 - claims.p_xi_0) * mu;
        claim.denominator = claims.q_xi_0 + (claims.q_xi_1 - claims.q_xi_0) * mu;
        claim.xi = std::move(challenges);
    }
    return claim;
}

}  // namespace whorl::verifier
