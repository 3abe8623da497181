// Transforms against sums computed term by term.
#include "transforms/ntt.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <nlohmann/json.hpp>
#include <vector>

#include "field/simd.hpp"
#include "random.hpp"
#include "targets.hpp"
#include "units.hpp"

namespace whorl {
namespace {

Fp evaluate(const std::vector<Fp>& coefficients, Fp x) {
    Fp value;
    for (std::size_t i = coefficients.size(); i-- > 0;) value = value * x + coefficients[i];
    return value;
}

std::vector<std::uint32_t> to_words(const std::vector<Fp>& values, std::size_t size) {
    std::vector<std::uint32_t> words(padded_size(size));
    std::ranges::transform(values, words.begin(), &Fp::montgomery);
    return words;
}

// Positions to compare: all of a small transform, some of a large one.
std::vector<std::size_t> positions(std::size_t n) {
    std::vector<std::size_t> out;
    test::Random random;
    for (std::size_t i = 0; i < std::min<std::size_t>(n, 64); ++i) out.push_back(n <= 64 ? i : random.next() % n);
    return out;
}

class NttSizes : public testing::TestWithParam<unsigned> {};

TEST_P(NttSizes, EvaluatesOnTheSubgroupAndItsCosets) {
    const unsigned log_n = GetParam();
    const std::size_t n = std::size_t{1} << log_n;
    const std::vector<Fp> coefficients = test::Random().fps(n);
    for (const Fp shift : {Fp::one(), Fp::from_canonical(31), Fp::from_canonical(123456789)}) {
        test::on_every_target([&] {
            std::vector<std::uint32_t> words = to_words(coefficients, n);
            ntt(words.data(), log_n, shift);
            for (const std::size_t i : positions(n)) {
                const Fp x = shift * two_adic_generator(log_n).pow(reverse_bits(i, log_n));
                ASSERT_EQ(words[i], evaluate(coefficients, x).montgomery()) << "position " << i;
            }
        });
    }
}

TEST_P(NttSizes, InverseUndoesForward) {
    const unsigned log_n = GetParam();
    const std::vector<Fp> coefficients = test::Random().fps(std::size_t{1} << log_n);
    for (const Fp shift : {Fp::one(), Fp::from_canonical(31)}) {
        std::vector<std::uint32_t> words = to_words(coefficients, coefficients.size());
        ntt(words.data(), log_n, shift);
        std::vector<Fp> evals;
        for (std::size_t i = 0; i < coefficients.size(); ++i) evals.push_back(Fp::from_montgomery(words[i]));
        inverse_ntt(evals, shift);
        EXPECT_EQ(evals, coefficients);
    }
}

TEST_P(NttSizes, EncodesOnTheLargerSubgroup) {
    const unsigned log_n = GetParam();
    const std::size_t n = std::size_t{1} << log_n;
    const std::vector<Fp> message = test::Random().fps(n);
    for (const unsigned log_blowup : {1u, 2u, 3u}) {
        const std::size_t rows = n << log_blowup;
        test::on_every_target([&] {
            std::vector<std::uint32_t> words(padded_size(rows));
            for (std::size_t i = 0; i < n; ++i) words[rows - n + i] = message[i].montgomery();
            reed_solomon_encode(words.data(), log_n, log_blowup);
            for (const std::size_t i : positions(rows)) {
                const Fp x = two_adic_generator(log_n + log_blowup).pow(reverse_bits(i, log_n + log_blowup));
                ASSERT_EQ(words[i], evaluate(message, x).montgomery()) << "position " << i << ", blowup " << log_blowup;
            }
        });
    }
}

// Below a vector, one block, two passes of even and odd split.
INSTANTIATE_TEST_SUITE_P(Ntt, NttSizes, testing::Values(0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 13, 14, 15));

TEST(Ntt, MatchesTheReferencesValues) {
    for (const auto& entry : test::units().at("ntt")) {
        const auto coefficients = entry.at("coeffs").get<std::vector<std::uint32_t>>();
        const auto expected = entry.at("evals_natural_order").get<std::vector<std::uint32_t>>();
        const unsigned log_n = static_cast<unsigned>(std::bit_width(coefficients.size())) - 1;
        std::vector<std::uint32_t> words(padded_size(coefficients.size()));
        std::ranges::transform(coefficients, words.begin(),
                               [](std::uint32_t x) { return Fp::from_canonical(x).montgomery(); });
        ntt(words.data(), log_n);
        for (std::size_t i = 0; i < expected.size(); ++i) {
            EXPECT_EQ(Fp::from_montgomery(words[reverse_bits(i, log_n)]).canonical(), expected[i]) << "value " << i;
        }
    }
}

TEST(Ntt, IsLinear) {
    constexpr unsigned kLogN = 9;
    test::Random random;
    const std::vector<Fp> a = random.fps(1 << kLogN), b = random.fps(1 << kLogN);
    const Fp k = Fp::from_canonical(987654321);
    std::vector<Fp> sum(a.size());
    for (std::size_t i = 0; i < a.size(); ++i) sum[i] = a[i] + k * b[i];
    std::vector<std::uint32_t> wa = to_words(a, a.size()), wb = to_words(b, b.size()), ws = to_words(sum, sum.size());
    ntt(wa.data(), kLogN);
    ntt(wb.data(), kLogN);
    ntt(ws.data(), kLogN);
    for (std::size_t i = 0; i < a.size(); ++i) {
        EXPECT_EQ(ws[i], (Fp::from_montgomery(wa[i]) + k * Fp::from_montgomery(wb[i])).montgomery());
    }
}

TEST(Ntt, BitReversalIsAnInvolution) {
    std::vector<Fp> values = test::Random().fps(64);
    const std::vector<Fp> before = values;
    bit_reverse_permute(values);
    EXPECT_EQ(values[1], before[32]);
    bit_reverse_permute(values);
    EXPECT_EQ(values, before);
}

}  // namespace
}  // namespace whorl
