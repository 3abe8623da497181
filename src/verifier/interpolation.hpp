// Round polynomials of sumchecks: given by values at small integers, wanted at a challenge.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <vector>

#include <whorl/field.hpp>

namespace whorl::verifier {

/// The quadratic with values e0, e1, e2 at 0, 1, 2.
inline Fp4 quadratic_at(const Fp4& e0, const Fp4& e1, const Fp4& e2, const Fp4& x) {
    const Fp4 d1 = e1 - e0;
    const Fp4 c2 = (e2 - e1 - d1) * Fp::half();
    return e0 + x * (d1 - c2 + c2 * x);
}

/// The cubic with values e0 … e3 at 0 … 3, by Newton's forward differences.
inline Fp4 cubic_at(const Fp4& e0, const Fp4& e1, const Fp4& e2, const Fp4& e3, const Fp4& x) {
    constexpr Fp kThird = Fp::from_canonical(3).inverse();
    const Fp4 d1 = e1 - e0;
    const Fp4 d2 = e2 - e1 - d1;
    const Fp4 d3 = e3 - e2 - (e2 - e1) - d2;
    const Fp4 x1 = x - Fp4::one();
    const Fp4 x2 = x1 - Fp4::one();
    return e0 + x * (d1 + x1 * Fp::half() * (d2 + x2 * kThird * d3));
}

/// Polynomials of one degree, given by their values at 0 … degree.
class IntegerInterpolation {
public:
    explicit IntegerInterpolation(std::size_t degree) : weights_(degree + 1), suffix_(degree + 2) {
        // 1/(i!·(degree − i)!), with the sign of ∏_{j≠i} (i − j).
        std::vector<Fp> factorials(degree + 1, Fp::one());
        for (std::size_t i = 1; i <= degree; ++i) factorials[i] = factorials[i - 1] * integer(i);
        std::vector<Fp> inverses(degree + 1);
        inverses[degree] = factorials[degree].inverse();
        for (std::size_t i = degree; i > 0; --i) inverses[i - 1] = inverses[i] * integer(i);
        for (std::size_t i = 0; i <= degree; ++i) {
            const Fp weight = inverses[i] * inverses[degree - i];
            weights_[i] = (degree - i) % 2 == 0 ? weight : -weight;
        }
    }

    /// `evals` has degree + 1 values.
    Fp4 at(std::span<const Fp4> evals, const Fp4& x) {
        const std::size_t n = weights_.size();
        suffix_[n] = Fp4::one();
        for (std::size_t i = n; i-- > 0;) suffix_[i] = suffix_[i + 1] * (x - Fp4(integer(i)));
        Fp4 sum;
        Fp4 prefix = Fp4::one();
        for (std::size_t i = 0; i < n; ++i) {
            sum += evals[i] * prefix * suffix_[i + 1] * weights_[i];
            prefix *= x - Fp4(integer(i));
        }
        return sum;
    }

private:
    static Fp integer(std::size_t i) { return Fp::from_canonical(static_cast<std::uint32_t>(i)); }

    std::vector<Fp> weights_;
    std::vector<Fp4> suffix_;
};

}  // namespace whorl::verifier
