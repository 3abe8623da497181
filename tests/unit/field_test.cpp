// BabyBear and its quartic extension: known answers and laws.
#include <whorl/field.hpp>
#include <whorl/format.hpp>
#include <whorl/trace.hpp>

#include <cstdint>
#include <limits>
#include <sstream>
#include <vector>

#include <gtest/gtest.h>

#include "unit/random.hpp"
#include "unit/units.hpp"

namespace whorl {
namespace {

using test::Random;
using test::to_fp;
using test::to_fp4;
using test::units;

constexpr std::uint64_t kP = Fp::kModulus;

TEST(Field, AnswersAsThePublishedCrates) {
    ASSERT_FALSE(units()["field"].empty());
    for (const auto& unit : units()["field"]) {
        const Fp a = to_fp(unit["a"]), b = to_fp(unit["b"]);
        EXPECT_EQ(a + b, to_fp(unit["add"]));
        EXPECT_EQ(a - b, to_fp(unit["sub"]));
        EXPECT_EQ(a * b, to_fp(unit["mul"]));
        EXPECT_EQ(a.inverse(), to_fp(unit["inv_a"]));
    }
}

TEST(Field, ExtensionAnswersAsThePublishedCrates) {
    ASSERT_FALSE(units()["ext4"].empty());
    for (const auto& unit : units()["ext4"]) {
        const Fp4 a = to_fp4(unit["a"]), b = to_fp4(unit["b"]);
        EXPECT_EQ(a + b, to_fp4(unit["add"]));
        EXPECT_EQ(a * b, to_fp4(unit["mul"]));
        EXPECT_EQ(a.inverse(), to_fp4(unit["inv_a"]));
    }
}

TEST(Field, GeneratorsAreTheTabulatedOnes) {
    const auto& table = units()["two_adic_generators"];
    ASSERT_EQ(table.size(), Fp::kTwoAdicity + 1);
    for (unsigned k = 0; k <= Fp::kTwoAdicity; ++k) EXPECT_EQ(two_adic_generator(k), to_fp(table[k])) << k;
}

TEST(Field, GeneratorsHaveTheirOrder) {
    for (unsigned k = 1; k <= Fp::kTwoAdicity; ++k) {
        EXPECT_EQ(two_adic_generator(k).pow2k(k), Fp::one()) << k;
        EXPECT_EQ(two_adic_generator(k).pow2k(k - 1), -Fp::one()) << k;
    }
}

TEST(Field, ConstantsBelongToTheModulus) {
    EXPECT_EQ(kP, 15 * (std::uint64_t{1} << 27) + 1);
    EXPECT_EQ(Fp::kModulus * Fp::kModulusInverse, 1u);
    EXPECT_EQ((std::uint64_t{1} << 32) % kP * ((std::uint64_t{1} << 32) % kP) % kP, Fp::kRadixSquared);
    EXPECT_EQ(Fp::one().canonical(), 1u);
    EXPECT_EQ(Fp::one().montgomery(), (std::uint64_t{1} << 32) % kP);
    EXPECT_EQ(Fp::half() + Fp::half(), Fp::one());
}

// The naive twin: arithmetic mod p in 64 bits, on the edges and on random numbers.
TEST(Field, AgreesWithSixtyFourBitArithmetic) {
    Random random;
    std::vector<std::uint32_t> numbers{0, 1, 2, 0x7ffffff, 0x8000000, 0x77ffffff, 0x78000000, (Fp::kModulus - 1) / 2};
    for (int i = 0; i < 200; ++i) numbers.push_back(random.below(Fp::kModulus));
    for (const std::uint32_t x : numbers) {
        const Fp a = Fp::from_canonical(x);
        EXPECT_EQ(a.canonical(), x);
        EXPECT_EQ(Fp::from_montgomery(a.montgomery()), a);
        EXPECT_EQ((-a).canonical(), (kP - x) % kP);
        EXPECT_EQ(a * a.inverse(), a.is_zero() ? Fp::zero() : Fp::one());
        for (const std::uint32_t y : numbers) {
            const Fp b = Fp::from_canonical(y);
            ASSERT_EQ((a + b).canonical(), (std::uint64_t{x} + y) % kP) << x << " " << y;
            ASSERT_EQ((a - b).canonical(), (kP + x - y) % kP) << x << " " << y;
            ASSERT_EQ((a * b).canonical(), std::uint64_t{x} * y % kP) << x << " " << y;
        }
    }
}

TEST(Field, TakesIntegersAboveTheModulusModP) {
    for (const std::uint32_t x : {0x78000001u, 0x78000002u, 0xf0000002u, 0xffffffffu}) {
        EXPECT_EQ(Fp::from_canonical(x).canonical(), x % kP);
    }
}

TEST(Field, TakesIntegersOfAnyTypeModP) {
    static_assert(Fp::from_integer(-1) == -Fp::one());
    EXPECT_EQ(Fp::from_integer(std::numeric_limits<std::uint64_t>::max()).canonical(),
              std::numeric_limits<std::uint64_t>::max() % kP);
    const std::uint64_t half = std::uint64_t{1} << 63;
    EXPECT_EQ(Fp::from_integer(std::numeric_limits<std::int64_t>::min()), -Fp::from_integer(half));
    EXPECT_EQ(Fp::from_integer(std::int8_t{-128}), -Fp::from_canonical(128));
    EXPECT_EQ(Fp::from_integer(-static_cast<std::int64_t>(kP)), Fp::zero());
    EXPECT_EQ(Fp::from_integer(kP), Fp::zero());
}

TEST(Field, IsTextInCanonicalForm) {
    const Fp x = -Fp::one();
    const Fp4 y(Fp::one(), Fp::from_canonical(2), Fp(), x);
    EXPECT_EQ(to_string(x), "2013265920");
    EXPECT_EQ(to_string(y), "(1, 2, 0, 2013265920)");
    std::ostringstream out;
    out << x << ' ' << y;
    EXPECT_EQ(out.str(), "2013265920 (1, 2, 0, 2013265920)");
    EXPECT_EQ(fmt::format("{} {:#x} {}", x, Fp::from_canonical(255), y), "2013265920 0xff (1, 2, 0, 2013265920)");
}

TEST(Matrix, IsMadeOfRowsOrColumns) {
    const auto fp = [](std::uint32_t n) { return Fp::from_canonical(n); };
    const Result<Matrix> rows = Matrix::from_rows({{fp(1), fp(2), fp(3)}, {fp(4), fp(5), fp(6)}});
    const Result<Matrix> columns = Matrix::from_columns({{fp(1), fp(4)}, {fp(2), fp(5)}, {fp(3), fp(6)}});
    ASSERT_TRUE(rows && columns);
    for (const auto* matrix : {&*rows, &*columns}) {
        EXPECT_EQ(matrix->width(), 3U);
        EXPECT_EQ(matrix->height(), 2U);
        EXPECT_EQ(matrix->at(1, 0), fp(4));
        EXPECT_EQ(matrix->at(0, 2), fp(3));
    }
    EXPECT_EQ(Matrix::from_rows({})->width(), 0U);
    EXPECT_EQ(Matrix::from_columns({{}, {}})->width(), 2U);
}

TEST(Matrix, RefusesRowsAndColumnsOfDifferentLengths) {
    const Result<Matrix> rows = Matrix::from_rows({{Fp(), Fp()}, {Fp(), Fp()}, {Fp()}});
    ASSERT_FALSE(rows);
    EXPECT_EQ(rows.error().code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(rows.error().message, "row 2 has 1 columns, expected 2 as in row 0");
    EXPECT_EQ(Matrix::from_columns({{}, {Fp()}}).error().message, "column 1 has 1 rows, expected 0 as in column 0");
}

TEST(Field, ExtensionIsAField) {
    Random random;
    const Fp4 x(Fp(), Fp::one(), Fp(), Fp());
    EXPECT_EQ(x.square().square(), Fp4(Fp::from_canonical(Fp4::kNonResidue)));
    EXPECT_EQ(Fp4().inverse(), Fp4());
    for (int i = 0; i < 100; ++i) {
        const Fp4 a = random.fp4(), b = random.fp4(), c = random.fp4();
        const Fp s = random.fp();
        EXPECT_EQ(a * b, b * a);
        EXPECT_EQ((a * b) * c, a * (b * c));
        EXPECT_EQ(a * (b + c), a * b + a * c);
        EXPECT_EQ(a - b, a + -b);
        EXPECT_EQ(a * a.inverse(), Fp4::one());
        EXPECT_EQ(a * s, a * Fp4(s));
        EXPECT_EQ(s * a, Fp4(s) * a);
        EXPECT_EQ(a.square(), a * a);
        EXPECT_EQ(a.pow(13), a.square().square().square() * a.square().square() * a);
        EXPECT_EQ(a.pow2k(5), a.pow(32));
    }
}

}  // namespace
}  // namespace whorl
