// Polynomials in the skip variable against their definitions.
#include "transforms/univariate_skip.hpp"

#include <gtest/gtest.h>

#include "poly/prismalinear.hpp"
#include "random.hpp"

namespace whorl {
namespace {

class SkipDomains : public testing::TestWithParam<unsigned> {
protected:
    unsigned l() const { return GetParam(); }
    std::size_t n() const { return std::size_t{1} << l(); }
    test::Random random_;
};

TEST_P(SkipDomains, CosetsDetermineThePolynomial) {
    for (std::size_t num_cosets = 1; num_cosets <= 4; ++num_cosets) {
        const std::vector<Fp4> polynomial = random_.fp4s(num_cosets * n());
        std::vector<Fp> shifts;
        std::vector<std::vector<Fp4>> values;
        for (std::size_t c = 0; c < num_cosets; ++c) {
            shifts.push_back(Fp::from_canonical(31).pow(c));
            Fp point = shifts.back();
            values.emplace_back();
            for (std::size_t z = 0; z < n(); ++z, point *= two_adic_generator(l())) {
                values.back().push_back(horner(polynomial, Fp4(point)));
            }
        }
        EXPECT_EQ(coefficients_from_cosets(l(), shifts, values), polynomial) << num_cosets << " cosets";
    }
}

TEST_P(SkipDomains, KernelsEqualTheirCoefficients) {
    const Fp4 x = random_.fp4(), z = random_.fp4();
    EXPECT_EQ(horner(eq_uni_coefficients(l(), x), z), eq_uni(l(), x, z));
    const std::vector<Fp4> xi = random_.fp4s(l());
    EXPECT_EQ(horner(eq_sharp_coefficients(xi), z), eq_sharp_uni(xi, z));
    for (int n = -static_cast<int>(l()); n < 0; ++n) {
        EXPECT_EQ(horner(in_uni_coefficients(l(), n), z), in_uni(l(), n, z)) << "n = " << n;
    }
}

TEST_P(SkipDomains, LagrangeBasisInterpolates) {
    const std::vector<Fp4> polynomial = random_.fp4s(n());
    const Fp4 r = random_.fp4();
    const std::vector<Fp4> basis = lagrange_basis_at(l(), r);
    Fp4 sum;
    Fp point = Fp::one();
    for (std::size_t z = 0; z < n(); ++z, point *= two_adic_generator(l()))
        sum += basis[z] * horner(polynomial, Fp4(point));
    EXPECT_EQ(sum, horner(polynomial, r));
}

TEST_P(SkipDomains, VanishingProductVanishesOnTheDomain) {
    const std::vector<Fp4> quotient = random_.fp4s(5);
    const std::vector<Fp4> product = multiply_by_vanishing(l(), quotient);
    EXPECT_TRUE(horner(product, Fp4(two_adic_generator(l()))).is_zero());
    const Fp4 z = random_.fp4();
    EXPECT_EQ(horner(product, z), horner(quotient, z) * (z.pow2k(l()) - Fp4::one()));
}

INSTANTIATE_TEST_SUITE_P(Poly, SkipDomains, testing::Values(0, 1, 2, 4, 5));

TEST(Polynomials, MultiplyAndAdd) {
    test::Random random;
    const std::vector<Fp4> a = random.fp4s(5), b = random.fp4s(3);
    const Fp4 z = random.fp4(), k = random.fp4();
    EXPECT_EQ(horner(multiply_polynomials(a, b), z), horner(a, z) * horner(b, z));
    EXPECT_TRUE(multiply_polynomials(a, {}).empty());
    std::vector<Fp4> sum = b;
    add_scaled(sum, a, k);
    EXPECT_EQ(horner(sum, z), horner(b, z) + k * horner(a, z));
}

}  // namespace
}  // namespace whorl
