// Polynomials in the skip variable Z: from values on cosets of D to coefficients, and the kernels as coefficients
// (PROTOCOL.md sections 8 and 19.3). N = 2^l throughout; everything here is small.
#pragma once

#include <span>
#include <vector>

#include <whorl/field.hpp>

namespace whorl {

/// Coefficients (m·N of them) of the polynomial of degree < m·N with values[c][z] at shifts[c]·w_l^z, c < m.
/// The shifts^N must differ.
std::vector<Fp4> coefficients_from_cosets(unsigned l, std::span<const Fp> shifts,
                                          std::span<const std::vector<Fp4>> values);

/// eq_uni(l; x, Z): N coefficients.
std::vector<Fp4> eq_uni_coefficients(unsigned l, const Fp4& x);
/// eq_sharp_uni(xi, Z): N coefficients, l = xi.size().
std::vector<Fp4> eq_sharp_coefficients(std::span<const Fp4> xi);
/// in_uni(l, n, Z) for n < 0: N coefficients.
std::vector<Fp4> in_uni_coefficients(unsigned l, int n);

std::vector<Fp4> multiply_polynomials(std::span<const Fp4> a, std::span<const Fp4> b);
/// quotient·(Z^N − 1).
std::vector<Fp4> multiply_by_vanishing(unsigned l, std::span<const Fp4> quotient);
/// sum += factor·p, growing `sum` as needed.
void add_scaled(std::vector<Fp4>& sum, std::span<const Fp4> p, const Fp4& factor);

/// The values at r of the Lagrange basis of D: eq_uni(l; r, w_l^z) for z < N.
std::vector<Fp4> lagrange_basis_at(unsigned l, const Fp4& r);

}  // namespace whorl
