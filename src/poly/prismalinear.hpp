// Polynomials over D × {0,1}^n, one point at a time (PROTOCOL.md section 8). D is the subgroup of order N = 2^l, a
// point is (Z; x_1 … x_n). Hypercube indices are little-endian: coordinate 0 is bit 0.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <whorl/field.hpp>

namespace whorl {

/// x·y + (1 − x)(1 − y).
inline Fp4 eq1(const Fp4& x, const Fp4& y) {
    const Fp4 xy = x * y;
    return Fp4::one() - x - y + xy + xy;
}
/// eq1(x, bit).
inline Fp4 eq_bit(const Fp4& x, bool bit) {
    return bit ? x : Fp4::one() - x;
}

/// ∏ eq1(xs[i], ys[i]); equal lengths.
Fp4 eq_mle(std::span<const Fp4> xs, std::span<const Fp4> ys);
/// ∏ eq1(xs[i], bit i of `bits`).
Fp4 eq_bits(std::span<const Fp4> xs, std::uint64_t bits);
/// Σ_{i<n} eq_bits(xs, i), n ≤ 2^xs.size().
Fp4 eq_prefix_sum(std::span<const Fp4> xs, std::uint64_t n);
/// All of eq(xs, ·) on {0,1}^n: 2^n values.
std::vector<Fp4> eq_hypercube(std::span<const Fp4> xs);

/// Lagrange kernel of the subgroup of order 2^l: (1/N)(1 + Σ_{j=1}^{N−1} x^{N−j} y^j).
Fp4 eq_uni(unsigned l, Fp4 x, Fp4 y);
/// eq_uni(l, x, 1).
Fp4 eq_uni_at_one(unsigned l, Fp4 x);
/// Σ_{i<N} eq_uni(l; z, w_l^i)·eq(xi, bits of i), where l = xi.size().
Fp4 eq_sharp_uni(std::span<const Fp4> xi, const Fp4& z);
/// Indicator of the subgroup of order 2^(l+n) within D; 1 when n ≥ 0.
Fp4 in_uni(unsigned l, int n, const Fp4& z);
/// eq_uni(l; x[0], y[0])·eq(x[1…], y[1…]).
Fp4 eq_prism(unsigned l, std::span<const Fp4> x, std::span<const Fp4> y);
/// κ_rot(l; x, y): Σ_x T(x)·κ_rot(x, y) = T_rot(y), where T_rot[i] = T[i + 1 mod h].
Fp4 rot_kernel_prism(unsigned l, std::span<const Fp4> x, std::span<const Fp4> y);

/// First-row and last-row selectors at (r[0]; r[1…]) of a trace over the subgroup of order 2^l (is_transition is
/// 1 − is_last).
struct RowSelectors {
    Fp4 is_first;
    Fp4 is_last;
};
RowSelectors row_selectors(unsigned l, std::span<const Fp4> r);

/// Where a trace with n = log_height − l_skip is opened: over the subgroup of order 2^`log_domain` at `r`. A short trace
/// (n < 0) is opened at r_0^(2^−n), others at r_0 … r_n.
struct OpeningPoint {
    unsigned log_domain = 0;
    std::vector<Fp4> r;
};
OpeningPoint opening_point(unsigned l_skip, unsigned log_height, std::span<const Fp4> r);

/// möb factor ∏ ((1 − 2u_i)(1 − x_i) + u_i x_i) (PROTOCOL.md 8.1).
Fp4 mobius_eq(std::span<const Fp4> u, std::span<const Fp4> x);

/// Σ coeffs[i] x^i.
Fp4 horner(std::span<const Fp4> coeffs, const Fp4& x);
/// Value at x of the polynomial of degree < evals.size() with the given values at 0, 1, 2, …
Fp4 interpolate_at(std::span<const Fp4> evals, const Fp4& x);
/// Sum over D of the polynomial with these coefficients: N·Σ coeffs[iN].
Fp4 sum_over_domain(unsigned l, std::span<const Fp4> coeffs);
/// 1, x, x², … : `count` values.
std::vector<Fp4> powers(const Fp4& x, std::size_t count);
/// (z, z², z⁴, …): `count` values.
std::vector<Fp4> squarings(const Fp4& z, std::size_t count);

}  // namespace whorl
