// Many Poseidon2 states at once against one at a time, on every instruction set.
#include "hash/batch.hpp"

#include <gtest/gtest.h>

#include <tuple>
#include <vector>

#include <whorl/transcript.hpp>

#include "field/simd.hpp"
#include "random.hpp"
#include "targets.hpp"
#include "transforms/ntt.hpp"

namespace whorl {
namespace {

std::vector<std::uint32_t> random_words(test::Random& random, std::size_t n) {
    std::vector<std::uint32_t> out(n);
    for (std::uint32_t& x : out) x = random.fp().montgomery();
    return out;
}

Digest digest_at(const std::vector<std::uint32_t>& planes, std::size_t stride, std::size_t i) {
    Digest digest;
    for (std::size_t w = 0; w < digest.size(); ++w) digest[w] = Fp::from_montgomery(planes[w * stride + i]);
    return digest;
}

TEST(BatchHash, PermutesLikeTheScalarPermutation) {
    constexpr std::size_t kStates = 64;
    test::Random random;
    const std::vector<std::uint32_t> before = random_words(random, 16 * kStates);
    test::on_every_target([&] {
        std::vector<std::uint32_t> states = before;
        permute_states(states.data(), kStates, kStates);
        for (std::size_t i = 0; i < kStates; ++i) {
            PoseidonState expected;
            for (unsigned w = 0; w < 16; ++w) expected[w] = Fp::from_montgomery(before[w * kStates + i]);
            poseidon2_permute(expected);
            for (unsigned w = 0; w < 16; ++w) ASSERT_EQ(states[w * kStates + i], expected[w].montgomery());
        }
    });
}

TEST(BatchHash, CompressesLikeTheScalarFunction) {
    constexpr std::size_t kNodes = 48;
    test::Random random;
    const std::vector<std::uint32_t> left = random_words(random, 8 * kNodes), right = random_words(random, 8 * kNodes);
    test::on_every_target([&] {
        std::vector<std::uint32_t> out(8 * kNodes);
        compress_layer(left.data(), right.data(), kNodes, kNodes, out.data(), kNodes);
        for (std::size_t i = 0; i < kNodes; ++i) {
            ASSERT_EQ(digest_at(out, kNodes, i), compress(digest_at(left, kNodes, i), digest_at(right, kNodes, i)));
        }
    });
}

// Widths around the rate, folds from single rows to large leaves.
class HashRows : public testing::TestWithParam<std::tuple<std::size_t, unsigned>> {};

TEST_P(HashRows, GivesTheLeavesOfTheReferencesTree) {
    const auto [width, log_fold] = GetParam();
    constexpr unsigned kLogRows = 10;
    constexpr std::size_t kRows = std::size_t{1} << kLogRows;
    const std::size_t num_leaves = kRows >> log_fold;
    std::vector<std::vector<std::uint32_t>> columns;
    std::vector<const std::uint32_t*> pointers;
    test::Random random;
    for (std::size_t c = 0; c < width; ++c) columns.push_back(random_words(random, kRows));
    for (const auto& column : columns) pointers.push_back(column.data());

    // Columns are bit-reversed: natural row i is at reverse_bits(i). Leaf q holds rows q + j·num_leaves.
    std::vector<Digest> expected;
    for (std::size_t q = 0; q < num_leaves; ++q) {
        std::vector<Digest> rows;
        for (std::size_t j = 0; j < std::size_t{1} << log_fold; ++j) {
            std::vector<Fp> row;
            for (const auto& column : columns) {
                row.push_back(Fp::from_montgomery(column[reverse_bits(q + j * num_leaves, kLogRows)]));
            }
            rows.push_back(hash_slice(row));
        }
        expected.push_back(tree_compress(rows));
    }
    test::on_every_target([&] {
        const std::size_t stride = padded_size(num_leaves);
        std::vector<std::uint32_t> digests(8 * stride);
        hash_rows(pointers, 0, kRows, log_fold, digests.data(), stride);
        for (std::size_t q = 0; q < num_leaves; ++q) {
            ASSERT_EQ(digest_at(digests, stride, reverse_bits(q, kLogRows - log_fold)), expected[q]) << "leaf " << q;
        }
    });
}

INSTANTIATE_TEST_SUITE_P(BatchHash, HashRows,
                         testing::Combine(testing::Values(1, 4, 7, 8, 9, 16, 42), testing::Values(0, 1, 2, 3, 4, 10)));

TEST(BatchHash, FindsTheSmallestWitness) {
    Transcript transcript;
    for (std::uint32_t i = 0; i < 3; ++i) transcript.observe(Fp::from_canonical(i + 1));
    for (const unsigned num_bits : {1u, 4u, 9u}) {
        std::uint32_t expected = 0;
        while (true) {
            Transcript copy = transcript;
            if (copy.check_witness(num_bits, Fp::from_canonical(expected))) break;
            ++expected;
        }
        test::on_every_target([&] {
            const auto found =
                find_witness(transcript.state().sponge, transcript.state().absorb_index, num_bits, 0, expected + 100);
            ASSERT_TRUE(found.has_value());
            EXPECT_EQ(*found, expected);
            EXPECT_FALSE(find_witness(transcript.state().sponge, transcript.state().absorb_index, num_bits, 0, expected)
                             .has_value());
        });
    }
}

}  // namespace
}  // namespace whorl
