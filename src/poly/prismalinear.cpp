#include "poly/prismalinear.hpp"

#include <cassert>
#include <cstddef>

namespace whorl {

Fp4 eq_mle(std::span<const Fp4> xs, std::span<const Fp4> ys) {
    assert(xs.size() == ys.size());
    Fp4 product = Fp4::one();
    for (std::size_t i = 0; i < xs.size(); ++i) product *= eq1(xs[i], ys[i]);
    return product;
}

Fp4 eq_bits(std::span<const Fp4> xs, std::uint64_t bits) {
    Fp4 product = Fp4::one();
    for (std::size_t i = 0; i < xs.size(); ++i) product *= eq_bit(xs[i], (bits >> i) & 1);
    return product;
}

Fp4 eq_prefix_sum(std::span<const Fp4> xs, std::uint64_t n) {
    assert(n <= std::uint64_t{1} << xs.size());
    Fp4 sum;
    // Of the i whose higher bits are those of n; from the highest bit down.
    Fp4 equal = Fp4::one();
    if (n == std::uint64_t{1} << xs.size()) return equal;
    for (std::size_t bit = xs.size(); bit-- > 0;) {
        if ((n >> bit & 1) == 0) {
            equal *= eq_bit(xs[bit], false);
            continue;
        }
        sum += equal * eq_bit(xs[bit], false);
        equal *= xs[bit];
    }
    return sum;
}

std::vector<Fp4> eq_hypercube(std::span<const Fp4> xs) {
    std::vector<Fp4> table(std::size_t{1} << xs.size());
    table[0] = Fp4::one();
    for (std::size_t i = 0; i < xs.size(); ++i) {
        const std::size_t half = std::size_t{1} << i;
        for (std::size_t j = 0; j < half; ++j) {
            table[half + j] = table[j] * xs[i];
            table[j] -= table[half + j];
        }
    }
    return table;
}

Fp4 eq_uni(unsigned l, Fp4 x, Fp4 y) {
    Fp4 result = Fp4::one();
    for (unsigned i = 0; i < l; ++i) {
        result = (x + y) * result + (x - Fp4::one()) * (y - Fp4::one());
        x = x.square();
        y = y.square();
    }
    return result * Fp::half().pow(l);
}

Fp4 eq_uni_at_one(unsigned l, Fp4 x) {
    Fp4 result = Fp4::one();
    for (unsigned i = 0; i < l; ++i) {
        result *= x + Fp4::one();
        x = x.square();
    }
    return result * Fp::half().pow(l);
}

Fp4 eq_sharp_uni(std::span<const Fp4> xi, const Fp4& z) {
    const unsigned l = static_cast<unsigned>(xi.size());
    const Fp w = two_adic_generator(l);
    Fp point = Fp::one();
    Fp4 sum;
    for (const Fp4& weight : eq_hypercube(xi)) {
        sum += eq_uni(l, z, Fp4(point)) * weight;
        point *= w;
    }
    return sum;
}

Fp4 in_uni(unsigned l, int n, const Fp4& z) {
    if (n >= 0) return Fp4::one();
    return eq_uni_at_one(static_cast<unsigned>(-n), z.pow2k(static_cast<unsigned>(static_cast<int>(l) + n)));
}

Fp4 eq_prism(unsigned l, std::span<const Fp4> x, std::span<const Fp4> y) {
    return eq_uni(l, x[0], y[0]) * eq_mle(x.subspan(1), y.subspan(1));
}

Fp4 rot_kernel_prism(unsigned l, std::span<const Fp4> x, std::span<const Fp4> y) {
    assert(x.size() == y.size());
    const Fp4 one = Fp4::one();
    Fp4 eq = one;
    Fp4 rot = one;
    for (std::size_t i = x.size(); --i > 0;) {
        rot = x[i] * (one - y[i]) * eq + (one - x[i]) * y[i] * rot;
        eq *= eq1(x[i], y[i]);
    }
    const Fp4 shifted = y[0] * two_adic_generator(l);
    return eq_uni(l, x[0], shifted) * eq + eq_uni_at_one(l, x[0]) * eq_uni_at_one(l, shifted) * (rot - eq);
}

RowSelectors row_selectors(unsigned l, std::span<const Fp4> r) {
    RowSelectors out{eq_uni_at_one(l, r[0]), eq_uni_at_one(l, r[0] * two_adic_generator(l))};
    for (const Fp4& x : r.subspan(1)) {
        out.is_first *= Fp4::one() - x;
        out.is_last *= x;
    }
    return out;
}

OpeningPoint opening_point(unsigned l_skip, unsigned log_height, std::span<const Fp4> r) {
    if (log_height < l_skip) return {log_height, {r[0].pow2k(l_skip - log_height)}};
    const auto prefix = r.first(log_height - l_skip + 1);
    return {l_skip, {prefix.begin(), prefix.end()}};
}

Fp4 mobius_eq(std::span<const Fp4> u, std::span<const Fp4> x) {
    assert(u.size() == x.size());
    Fp4 product = Fp4::one();
    for (std::size_t i = 0; i < u.size(); ++i) {
        product *= (Fp4::one() - u[i] - u[i]) * (Fp4::one() - x[i]) + u[i] * x[i];
    }
    return product;
}

Fp4 horner(std::span<const Fp4> coeffs, const Fp4& x) {
    Fp4 value;
    for (std::size_t i = coeffs.size(); i-- > 0;) value = value * x + coeffs[i];
    return value;
}

Fp4 interpolate_at(std::span<const Fp4> evals, const Fp4& x) {
    const std::size_t n = evals.size();
    // Σ evals[i] · ∏_{j≠i} (x − j)/(i − j), with prefix and suffix products so that x may be one of the nodes.
    std::vector<Fp4> suffix(n + 1, Fp4::one());
    for (std::size_t i = n; i-- > 0;)
        suffix[i] = suffix[i + 1] * (x - Fp4(Fp::from_canonical(static_cast<std::uint32_t>(i))));
    Fp4 sum;
    Fp4 prefix = Fp4::one();
    for (std::size_t i = 0; i < n; ++i) {
        Fp denominator = Fp::one();
        for (std::size_t j = 0; j < n; ++j) {
            if (j == i) continue;
            denominator *=
                Fp::from_canonical(static_cast<std::uint32_t>(i)) - Fp::from_canonical(static_cast<std::uint32_t>(j));
        }
        sum += evals[i] * prefix * suffix[i + 1] * denominator.inverse();
        prefix *= x - Fp4(Fp::from_canonical(static_cast<std::uint32_t>(i)));
    }
    return sum;
}

Fp4 sum_over_domain(unsigned l, std::span<const Fp4> coeffs) {
    Fp4 sum;
    for (std::size_t i = 0; i < coeffs.size(); i += std::size_t{1} << l) sum += coeffs[i];
    return sum * Fp::from_canonical(std::uint32_t{1} << l);
}

std::vector<Fp4> powers(const Fp4& x, std::size_t count) {
    std::vector<Fp4> out(count);
    Fp4 power = Fp4::one();
    for (Fp4& value : out) {
        value = power;
        power *= x;
    }
    return out;
}

std::vector<Fp4> squarings(const Fp4& z, std::size_t count) {
    std::vector<Fp4> out(count);
    Fp4 power = z;
    for (Fp4& value : out) {
        value = power;
        power = power.square();
    }
    return out;
}

}  // namespace whorl
