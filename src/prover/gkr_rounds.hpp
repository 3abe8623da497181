// What every backend shares of a GKR layer's sumcheck (PROTOCOL.md section 12): the numbers beside the tables.
//
// With ξ the layer's point, round s sends s(X) = prefix·eq1(ξ_s, X)·h(X), where prefix = ∏ eq1(ξ_i, r_i) over past rounds and
//   h(X) = Σ_i eq(ξ_{s+1} …, i)·(p0·q1 + p1·q0 + λ·q0·q1)(r_0 …, X, i)
// has degree 2. The backend sums h(1) and the leading coefficient; h(0) follows from the claim.
#pragma once

#include <array>
#include <span>
#include <vector>

#include <whorl/proof.hpp>

#include "poly/prismalinear.hpp"

namespace whorl {

class GkrRounds {
public:
    /// Starts at `point`; the claim is what the claims of the layer above say at `mu`.
    void begin(const Fp4& lambda, std::span<const Fp4> point, const GkrLayerClaims& above, const Fp4& mu) {
        point_.assign(point.begin(), point.end());
        round_ = 0;
        prefix_ = Fp4::one();
        claim_ = above.p_xi_0 + mu * (above.p_xi_1 - above.p_xi_0) +
                 lambda * (above.q_xi_0 + mu * (above.q_xi_1 - above.q_xi_0));
    }
    /// s(1), s(2), s(3) of the round.
    std::array<Fp4, 3> message(const Fp4& h_at_1, const Fp4& h_leading) {
        // claim = eq1(ξ, 0)·h(0) + eq1(ξ, 1)·h(1); ξ = 1 has negligible probability.
        const Fp4 xi = point_[round_];
        const Fp4 h_at_0 = (claim_ - xi * h_at_1) * (Fp4::one() - xi).inverse();
        h_ = {h_at_0, h_at_1 - h_at_0 - h_leading, h_leading};
        std::array<Fp4, 3> values;
        for (std::uint32_t x = 1; x <= 3; ++x) {
            const Fp4 point = Fp4(Fp::from_canonical(x));
            values[x - 1] = prefix_ * eq1(xi, point) * horner(h_, point);
        }
        return values;
    }
    void fold(const Fp4& r) {
        claim_ = horner(h_, r);
        prefix_ *= eq1(point_[round_], r);
        ++round_;
    }

    unsigned round() const { return round_; }
    /// ξ_{s+1} …: the coordinates after the round's.
    std::span<const Fp4> later_point() const { return std::span(point_).subspan(round_ + 1); }

private:
    std::vector<Fp4> point_;
    unsigned round_ = 0;
    Fp4 prefix_;
    Fp4 claim_;               // without the prefix
    std::array<Fp4, 3> h_{};  // coefficients
};

}  // namespace whorl
