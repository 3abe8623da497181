#include "transforms/univariate_skip.hpp"

#include <algorithm>
#include <cstddef>

#include "poly/prismalinear.hpp"

namespace whorl {
namespace {

// a_k = 1/N Σ_z values[z] w^(−zk).
std::vector<Fp4> inverse_dft(unsigned l, std::span<const Fp4> values) {
    const std::size_t n = std::size_t{1} << l;
    const Fp w_inverse = two_adic_generator(l).inverse();
    const Fp scale = Fp::half().pow(l);
    std::vector<Fp4> coefficients(n);
    Fp step = Fp::one();
    for (std::size_t k = 0; k < n; ++k, step *= w_inverse) {
        Fp power = scale;
        for (std::size_t z = 0; z < n; ++z, power *= step) coefficients[k] += values[z] * power;
    }
    return coefficients;
}

// Row j holds the coefficient of Y^j of each Lagrange basis polynomial over `points`.
std::vector<std::vector<Fp>> inverse_vandermonde(std::span<const Fp> points) {
    const std::size_t m = points.size();
    std::vector<std::vector<Fp>> rows(m, std::vector<Fp>(m));
    for (std::size_t c = 0; c < m; ++c) {
        std::vector<Fp> basis{Fp::one()};
        Fp denominator = Fp::one();
        for (std::size_t o = 0; o < m; ++o) {
            if (o == c) continue;
            basis.emplace_back();
            for (std::size_t j = basis.size(); j-- > 0;) {
                basis[j] = (j > 0 ? basis[j - 1] : Fp()) - points[o] * basis[j];
            }
            denominator *= points[c] - points[o];
        }
        const Fp scale = denominator.inverse();
        for (std::size_t j = 0; j < m; ++j) rows[j][c] = basis[j] * scale;
    }
    return rows;
}

}  // namespace

std::vector<Fp4> coefficients_from_cosets(unsigned l, std::span<const Fp> shifts,
                                          std::span<const std::vector<Fp4>> values) {
    const std::size_t n = std::size_t{1} << l;
    const std::size_t m = shifts.size();
    std::vector<Fp> points;
    for (const Fp shift : shifts) points.push_back(shift.pow2k(l));
    const auto matrix = inverse_vandermonde(points);
    std::vector<Fp4> out(m * n);
    for (std::size_t c = 0; c < m; ++c) {
        // Σ_j p_(k + jN)·(shift^N)^j for each residue k.
        const std::vector<Fp4> residues = inverse_dft(l, values[c]);
        const Fp shift_inverse = shifts[c].inverse();
        Fp unshift = Fp::one();
        for (std::size_t k = 0; k < n; ++k, unshift *= shift_inverse) {
            for (std::size_t j = 0; j < m; ++j) out[k + j * n] += residues[k] * (unshift * matrix[j][c]);
        }
    }
    return out;
}

std::vector<Fp4> eq_uni_coefficients(unsigned l, const Fp4& x) {
    const std::size_t n = std::size_t{1} << l;
    const Fp scale = Fp::half().pow(l);
    std::vector<Fp4> out(n);
    Fp4 power(scale);
    out[0] = power;
    for (std::size_t j = n - 1; j >= 1; --j) {
        power *= x;
        out[j] = power;
    }
    return out;
}

std::vector<Fp4> eq_sharp_coefficients(std::span<const Fp4> xi) {
    return inverse_dft(static_cast<unsigned>(xi.size()), eq_hypercube(xi));
}

std::vector<Fp4> in_uni_coefficients(unsigned l, int n) {
    // (1/M)·Σ_{i<M} Y^i with M = 2^(−n), Y = Z^(2^(l+n)).
    const std::size_t step = std::size_t{1} << static_cast<unsigned>(static_cast<int>(l) + n);
    std::vector<Fp4> out(std::size_t{1} << l);
    const Fp scale = Fp::half().pow(static_cast<unsigned>(-n));
    for (std::size_t i = 0; i < out.size(); i += step) out[i] = Fp4(scale);
    return out;
}

std::vector<Fp4> multiply_polynomials(std::span<const Fp4> a, std::span<const Fp4> b) {
    if (a.empty() || b.empty()) return {};
    std::vector<Fp4> out(a.size() + b.size() - 1);
    for (std::size_t i = 0; i < a.size(); ++i) {
        if (a[i].is_zero()) continue;
        for (std::size_t j = 0; j < b.size(); ++j) out[i + j] += a[i] * b[j];
    }
    return out;
}

std::vector<Fp4> multiply_by_vanishing(unsigned l, std::span<const Fp4> quotient) {
    const std::size_t n = std::size_t{1} << l;
    std::vector<Fp4> out(quotient.size() + n);
    for (std::size_t i = 0; i < quotient.size(); ++i) {
        out[i + n] += quotient[i];
        out[i] -= quotient[i];
    }
    return out;
}

void add_scaled(std::vector<Fp4>& sum, std::span<const Fp4> p, const Fp4& factor) {
    if (sum.size() < p.size()) sum.resize(p.size());
    for (std::size_t i = 0; i < p.size(); ++i) sum[i] += p[i] * factor;
}

std::vector<Fp4> lagrange_basis_at(unsigned l, const Fp4& r) {
    const std::size_t n = std::size_t{1} << l;
    const Fp w = two_adic_generator(l);
    std::vector<Fp4> out(n);
    Fp point = Fp::one();
    for (std::size_t z = 0; z < n; ++z, point *= w) out[z] = eq_uni(l, r, Fp4(point));
    return out;
}

}  // namespace whorl
