// Kernels over D × {0,1}^n against their definitions: sums over the whole domain.
#include "poly/prismalinear.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <utility>

#include "unit/random.hpp"

namespace whorl {
namespace {

using test::Random;

Fp4 integer(std::size_t x) {
    return Fp4(Fp::from_canonical(static_cast<std::uint32_t>(x)));
}

std::vector<Fp4> bits_of(std::size_t index, std::size_t n) {
    std::vector<Fp4> bits(n);
    for (std::size_t i = 0; i < n; ++i) bits[i] = integer(index >> i & 1);
    return bits;
}

// The points of the prism in row order: (w^z, bits of x), row z + N·x.
std::vector<std::vector<Fp4>> prism_points(unsigned l, std::size_t n) {
    std::vector<std::vector<Fp4>> points;
    for (std::size_t x = 0; x < std::size_t{1} << n; ++x) {
        for (std::size_t z = 0; z < std::size_t{1} << l; ++z) {
            std::vector<Fp4> point{Fp4(two_adic_generator(l).pow(z))};
            for (const Fp4& bit : bits_of(x, n)) point.push_back(bit);
            points.push_back(std::move(point));
        }
    }
    return points;
}

// The extension of a column at r, from the Lagrange kernel.
Fp4 extend(unsigned l, std::span<const Fp> column, std::span<const Fp4> r) {
    const auto points = prism_points(l, r.size() - 1);
    Fp4 sum;
    for (std::size_t i = 0; i < points.size(); ++i) sum += eq_prism(l, points[i], r) * column[i];
    return sum;
}

TEST(Prismalinear, EqMleIsTheIndicatorOnBits) {
    for (std::size_t a = 0; a < 8; ++a) {
        for (std::size_t b = 0; b < 8; ++b) {
            EXPECT_EQ(eq_mle(bits_of(a, 3), bits_of(b, 3)), integer(a == b ? 1 : 0));
        }
    }
}

TEST(Prismalinear, EqBitsAndHypercubeAgreeWithEqMle) {
    Random random;
    for (std::size_t n = 0; n <= 5; ++n) {
        const auto xs = random.fp4s(n);
        const auto table = eq_hypercube(xs);
        ASSERT_EQ(table.size(), std::size_t{1} << n);
        for (std::size_t i = 0; i < table.size(); ++i) {
            EXPECT_EQ(table[i], eq_mle(xs, bits_of(i, n)));
            EXPECT_EQ(table[i], eq_bits(xs, i));
        }
    }
}

TEST(Prismalinear, EqPrefixSumsAreThoseOfTheTable) {
    Random random(6);
    for (std::size_t n = 0; n <= 5; ++n) {
        std::vector<Fp4> xs(n);
        for (Fp4& x : xs) x = random.fp4();
        Fp4 sum;
        for (std::uint64_t i = 0; i < std::uint64_t{1} << n; ++i) {
            EXPECT_EQ(eq_prefix_sum(xs, i), sum) << n << ' ' << i;
            sum += eq_bits(xs, i);
        }
        EXPECT_EQ(eq_prefix_sum(xs, std::uint64_t{1} << n), sum);
        EXPECT_EQ(sum, Fp4::one());
    }
}

TEST(Prismalinear, EqUniIsItsFormulaAndTheIndicatorOnD) {
    Random random;
    for (unsigned l = 0; l <= 5; ++l) {
        const std::size_t size = std::size_t{1} << l;
        const Fp4 x = random.fp4(), y = random.fp4();
        Fp4 sum = Fp4::one();
        for (std::size_t j = 1; j < size; ++j) sum += x.pow(size - j) * y.pow(j);
        EXPECT_EQ(eq_uni(l, x, y) * integer(size), sum);
        EXPECT_EQ(eq_uni(l, x, y), eq_uni(l, y, x));
        EXPECT_EQ(eq_uni_at_one(l, x), eq_uni(l, x, Fp4::one()));
        const Fp w = two_adic_generator(l);
        for (std::size_t i = 0; i < size; ++i) {
            for (std::size_t j = 0; j < size; ++j) {
                EXPECT_EQ(eq_uni(l, Fp4(w.pow(i)), Fp4(w.pow(j))), integer(i == j ? 1 : 0));
            }
        }
    }
}

TEST(Prismalinear, EqSharpInterpolatesTheEqTable) {
    Random random;
    for (unsigned l = 0; l <= 4; ++l) {
        const auto xi = random.fp4s(l);
        for (std::size_t i = 0; i < std::size_t{1} << l; ++i) {
            EXPECT_EQ(eq_sharp_uni(xi, Fp4(two_adic_generator(l).pow(i))), eq_bits(xi, i));
        }
    }
}

TEST(Prismalinear, InUniIsTheIndicatorOfTheSmallerSubgroup) {
    for (unsigned l = 1; l <= 5; ++l) {
        for (int n = -static_cast<int>(l); n <= 1; ++n) {
            const std::size_t stride = n >= 0 ? 1 : std::size_t{1} << -n;
            for (std::size_t i = 0; i < std::size_t{1} << l; ++i) {
                EXPECT_EQ(in_uni(l, n, Fp4(two_adic_generator(l).pow(i))), integer(i % stride == 0 ? 1 : 0));
            }
        }
    }
}

TEST(Prismalinear, RotationKernelOpensTheRotatedColumn) {
    Random random;
    for (unsigned l = 0; l <= 3; ++l) {
        for (std::size_t n = 0; n <= 3; ++n) {
            const std::size_t height = std::size_t{1} << (l + n);
            const auto column = random.fps(height);
            std::vector<Fp> rotated(height);
            for (std::size_t i = 0; i < height; ++i) rotated[i] = column[(i + 1) % height];
            const auto y = random.fp4s(n + 1);
            const auto points = prism_points(l, n);
            Fp4 sum;
            for (std::size_t i = 0; i < height; ++i) sum += rot_kernel_prism(l, points[i], y) * column[i];
            EXPECT_EQ(sum, extend(l, rotated, y)) << "l " << l << " n " << n;
        }
    }
}

TEST(Prismalinear, SelectorsExtendTheirColumns) {
    Random random;
    for (unsigned l = 0; l <= 3; ++l) {
        for (std::size_t n = 0; n <= 3; ++n) {
            const std::size_t height = std::size_t{1} << (l + n);
            std::vector<Fp> first(height), last(height);
            first.front() = Fp::one();
            last.back() = Fp::one();
            const auto r = random.fp4s(n + 1);
            const RowSelectors selectors = row_selectors(l, r);
            EXPECT_EQ(selectors.is_first, extend(l, first, r)) << "l " << l << " n " << n;
            EXPECT_EQ(selectors.is_last, extend(l, last, r)) << "l " << l << " n " << n;
        }
    }
}

TEST(Prismalinear, ShortColumnsOpenAsTheirCyclicLift) {
    Random random;
    constexpr unsigned kLSkip = 4;
    for (unsigned log_height = 0; log_height <= 6; ++log_height) {
        const std::size_t height = std::size_t{1} << log_height;
        const auto column = random.fps(height);
        const std::size_t n = log_height > kLSkip ? log_height - kLSkip : 0;
        std::vector<Fp> lift(std::max<std::size_t>(height, 1 << kLSkip));
        for (std::size_t i = 0; i < lift.size(); ++i) lift[i] = column[i % height];
        const auto r = random.fp4s(3);
        const OpeningPoint point = opening_point(kLSkip, log_height, r);
        EXPECT_EQ(extend(point.log_domain, column, point.r), extend(kLSkip, lift, std::span(r).first(n + 1)))
            << "log height " << log_height;
    }
}

TEST(Prismalinear, MobiusTurnsCoefficientsIntoValues) {
    Random random;
    constexpr std::size_t kN = 4;
    // f^ with coefficients m is Σ_b f^(b)·möb(u, b) at the point whose eq-weights are m's: PROTOCOL.md 8.1.
    const auto coeffs = random.fps(1 << kN);
    const auto u = random.fp4s(kN);
    Fp4 by_eq;
    for (std::size_t i = 0; i < coeffs.size(); ++i) by_eq += eq_bits(u, i) * coeffs[i];
    Fp4 by_mobius;
    for (std::size_t b = 0; b < coeffs.size(); ++b) {
        Fp value;
        for (std::size_t i = 0; i < coeffs.size(); ++i) {
            if ((i & ~b) == 0) value += coeffs[i];
        }
        by_mobius += mobius_eq(u, bits_of(b, kN)) * value;
    }
    EXPECT_EQ(by_mobius, by_eq);
}

TEST(Prismalinear, HornerInterpolationAndSums) {
    Random random;
    const auto coeffs = random.fp4s(19);
    const Fp4 x = random.fp4();
    Fp4 value;
    for (std::size_t i = 0; i < coeffs.size(); ++i) value += coeffs[i] * x.pow(i);
    EXPECT_EQ(horner(coeffs, x), value);

    std::vector<Fp4> evals;
    for (std::size_t i = 0; i < coeffs.size(); ++i) evals.push_back(horner(coeffs, integer(i)));
    EXPECT_EQ(interpolate_at(evals, x), value);
    for (std::size_t i = 0; i < evals.size(); ++i) EXPECT_EQ(interpolate_at(evals, integer(i)), evals[i]);

    for (unsigned l = 0; l <= 4; ++l) {
        Fp4 sum;
        for (std::size_t i = 0; i < std::size_t{1} << l; ++i) sum += horner(coeffs, Fp4(two_adic_generator(l).pow(i)));
        EXPECT_EQ(sum_over_domain(l, coeffs), sum);
    }
}

TEST(Prismalinear, PowersAndSquarings) {
    Random random;
    const Fp4 x = random.fp4();
    const auto p = powers(x, 9);
    const auto s = squarings(x, 4);
    for (std::size_t i = 0; i < p.size(); ++i) EXPECT_EQ(p[i], x.pow(i));
    for (std::size_t i = 0; i < s.size(); ++i) EXPECT_EQ(s[i], p[std::size_t{1} << i]);
    EXPECT_TRUE(powers(x, 0).empty());
}

}  // namespace
}  // namespace whorl
