// Operations on long tables against loops over scalars, on every instruction set, below and above a vector.
#include "backend/cpu/vector_ops.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "backend/cpu/merkle.hpp"
#include "backend/cpu/tile.hpp"
#include "field/simd.hpp"
#include "hash/poseidon2.hpp"
#include "poly/prismalinear.hpp"
#include "random.hpp"
#include "targets.hpp"
#include "transforms/ntt.hpp"

namespace whorl::cpu {
namespace {

ExtTable to_table(const std::vector<Fp4>& values) {
    ExtTable table(values.size());
    for (std::size_t i = 0; i < values.size(); ++i) table.set(i, values[i]);
    return table;
}
std::vector<Fp4> to_vector(const ExtTable& table) {
    std::vector<Fp4> values;
    for (std::size_t i = 0; i < table.size(); ++i) values.push_back(table.at(i));
    return values;
}

// Columns with room for whole vectors.
struct Columns {
    Columns(test::Random& random, std::size_t width, std::size_t height) {
        for (std::size_t c = 0; c < width; ++c) {
            values.push_back(random.fps(height));
            values.back().resize(padded_size(height));
        }
        for (const auto& column : values) words.push_back(reinterpret_cast<const std::uint32_t*>(column.data()));
    }
    std::vector<std::vector<Fp>> values;
    std::vector<const std::uint32_t*> words;
};

class VectorOps : public testing::TestWithParam<unsigned> {
protected:
    std::size_t n() const { return std::size_t{1} << GetParam(); }
    test::Random random_;
};

TEST_P(VectorOps, EqTablesArePointwiseProducts) {
    const std::vector<Fp4> xs = random_.fp4s(GetParam());
    const Fp4 scale = random_.fp4();
    const std::vector<Fp4> eq = eq_hypercube(xs);
    std::vector<Fp4> expected = eq;
    for (Fp4& x : expected) x *= scale;
    const std::vector<Fp4> first = random_.fp4s(4);
    test::on_every_target([&] {
        EXPECT_EQ(to_vector(eq_table(xs, scale)), expected);
        const ExtTable over = eq_table_over(first, xs);
        for (std::size_t i = 0; i < over.size(); ++i) ASSERT_EQ(over.at(i), first[i % 4] * eq[i / 4]);
    });
}

TEST_P(VectorOps, PowersAreProducts) {
    const Fp4 x = random_.fp4(), scale = random_.fp4();
    std::vector<Fp4> expected = powers(x, n());
    for (Fp4& v : expected) v *= scale;
    test::on_every_target([&] { EXPECT_EQ(to_vector(power_table(x, scale, n())), expected); });
}

TEST_P(VectorOps, FoldsBindTheFirstVariable) {
    const std::vector<Fp4> in = random_.fp4s(2 * n());
    const Fp4 r = random_.fp4();
    test::on_every_target([&] {
        const ExtTable table = to_table(in);
        const ExtTable sums = sum_pairs(table), evals = fold_pairs(table, r),
                       coefficients = fold_coefficients(table, r), dual = fold_dual(table, r);
        for (std::size_t i = 0; i < n(); ++i) {
            const Fp4 a = in[2 * i], b = in[2 * i + 1];
            ASSERT_EQ(sums.at(i), a + b);
            ASSERT_EQ(evals.at(i), a + r * (b - a));
            ASSERT_EQ(coefficients.at(i), a + r * b);
            ASSERT_EQ(dual.at(i), (a - b) * (Fp4::one() - r) + b * r);
        }
    });
}

TEST_P(VectorOps, MessagesAreValuesOfTheRoundPolynomial) {
    const std::vector<Fp4> a = random_.fp4s(2 * n()), b = random_.fp4s(2 * n());
    const Fp4 two(Fp::from_canonical(2));
    test::on_every_target([&] {
        const ExtTable ta = to_table(a), tb = to_table(b);
        const QuadraticMessage evals = quadratic_message(ta, tb);
        EXPECT_EQ(evals.at_1, dot(fold_pairs(ta, Fp4::one()), fold_pairs(tb, Fp4::one())));
        EXPECT_EQ(evals.at_2, dot(fold_pairs(ta, two), fold_pairs(tb, two)));
        const QuadraticMessage coefficients = coefficient_message(ta, tb);
        EXPECT_EQ(coefficients.at_1, dot(fold_coefficients(ta, Fp4::one()), fold_dual(tb, Fp4::one())));
        EXPECT_EQ(coefficients.at_2, dot(fold_coefficients(ta, two), fold_dual(tb, two)));
        Fp4 expected;
        for (std::size_t i = 0; i < a.size(); ++i) expected += a[i] * b[i];
        EXPECT_EQ(dot(ta, tb), expected);
    });
}

TEST_P(VectorOps, CombineColumns) {
    // One column, a pair, an odd and an even number beyond those taken at once.
    for (const std::size_t width : {1u, 2u, 17u, 40u}) {
        const Columns columns(random_, width, n());
        const std::vector<Fp4> ka = random_.fp4s(width), kb = random_.fp4s(width);
        const std::vector<Fp4> start = random_.fp4s(n()), weights = random_.fp4s(n());
        test::on_every_target([&] {
            ExtTable one = to_table(start), a = to_table(start), b = to_table(start);
            add_linear_combination(columns.words, ka, one.data(), one.stride(), n());
            add_two_linear_combinations(columns.words, ka, kb, a.data(), b.data(), a.stride(), n());
            for (std::size_t row = 0; row < n(); ++row) {
                Fp4 ea = start[row], eb = start[row];
                for (std::size_t c = 0; c < width; ++c) {
                    ea += ka[c] * columns.values[c][row];
                    eb += kb[c] * columns.values[c][row];
                }
                ASSERT_EQ(one.at(row), ea);
                ASSERT_EQ(a.at(row), ea);
                ASSERT_EQ(b.at(row), eb);
            }
            std::vector<Fp4> dots(width);
            dot_columns(columns.words, to_table(weights), dots);
            for (std::size_t c = 0; c < width; ++c) {
                Fp4 expected;
                for (std::size_t row = 0; row < n(); ++row) expected += weights[row] * columns.values[c][row];
                ASSERT_EQ(dots[c], expected);
            }
        });
    }
}

TEST_P(VectorOps, SumsOverBlocks) {
    for (const std::size_t rows : {1u, 2u, 4u, 16u, 32u}) {
        const std::vector<Fp4> table = random_.fp4s(rows * n()), weights = random_.fp4s(n());
        std::vector<Fp4> expected(rows);
        for (std::size_t i = 0; i < table.size(); ++i) expected[i % rows] += table[i] * weights[i / rows];
        test::on_every_target([&] { EXPECT_EQ(sum_blocks(to_table(table), to_table(weights), rows), expected); });
    }
}

TEST_P(VectorOps, AddsPowersOfPoints) {
    const std::vector<Fp> points = random_.fps(5);
    const std::vector<Fp4> coefficients = random_.fp4s(5), start = random_.fp4s(n());
    test::on_every_target([&] {
        ExtTable table = to_table(start);
        add_point_powers(table, points, coefficients);
        add_tables(table, to_table(start));
        for (std::size_t i = 0; i < n(); ++i) {
            Fp4 expected = start[i] + start[i];
            for (std::size_t q = 0; q < points.size(); ++q) expected += coefficients[q] * points[q].pow(i);
            ASSERT_EQ(table.at(i), expected);
        }
    });
}

INSTANTIATE_TEST_SUITE_P(Cpu, VectorOps, testing::Values(0, 1, 3, 4, 5, 7));

// Enough for several tasks: what threads do must not show.
INSTANTIATE_TEST_SUITE_P(CpuParallel, VectorOps, testing::Values(13));

class Tiles : public testing::TestWithParam<unsigned> {};

TEST_P(Tiles, TransformEveryBlockAlike) {
    const unsigned l = GetParam();
    const std::size_t n = std::size_t{1} << l;
    test::Random random;
    const std::size_t num_blocks = 64;
    const std::vector<Fp> column = random.fps(n * num_blocks);
    const auto* words = reinterpret_cast<const std::uint32_t*>(column.data());
    const Fp shift = Fp::from_canonical(31);
    const SkipDomain domain(l);
    const std::vector<Fp4> weights = random.fp4s(n);
    test::on_every_target([&] {
        for (const std::size_t blocks : {std::size_t{1}, std::size_t{5}, num_blocks}) {
            std::vector<std::uint32_t> tile((n + 1) * kTileBlocks), out(n * kTileBlocks), folded(4 * kTileBlocks);
            load_tile({words, column.size()}, l, 0, blocks, 0, n + 1, tile.data());
            // The extra row is the first of the next block, cyclically.
            EXPECT_EQ(tile[n * kTileBlocks + blocks - 1], words[(blocks * n) % column.size()]);
            fold_tile(tile.data(), weights, folded.data(), kTileBlocks);
            domain.to_coset(tile.data(), shift, out.data(), kTileBlocks);
            for (std::size_t x = 0; x < blocks; ++x) {
                std::vector<Fp> evals(column.begin() + static_cast<std::ptrdiff_t>(x * n),
                                      column.begin() + static_cast<std::ptrdiff_t>((x + 1) * n));
                Fp4 fold;
                for (std::size_t z = 0; z < n; ++z) fold += weights[z] * evals[z];
                for (unsigned c = 0; c < 4; ++c) ASSERT_EQ(folded[c * kTileBlocks + x], fold.c[c].montgomery());
                bit_reverse_permute(evals);
                inverse_ntt(evals);
                Fp point = shift;
                for (std::size_t z = 0; z < n; ++z, point *= two_adic_generator(l)) {
                    Fp expected;
                    for (std::size_t i = n; i-- > 0;) expected = expected * point + evals[i];
                    ASSERT_EQ(out[z * kTileBlocks + x], expected.montgomery()) << "block " << x << ", row " << z;
                }
            }
        }
    });
}

TEST_P(Tiles, MessagesAreSubsetSumsOfCoefficients) {
    const unsigned l = GetParam();
    const std::size_t n = std::size_t{1} << l;
    test::Random random;
    for (const std::size_t num_blocks : {1u, 70u}) {
        const std::vector<Fp> column = random.fps(n * num_blocks);
        test::on_every_target([&] {
            std::vector<std::uint32_t> words(column.size());
            for (std::size_t i = 0; i < words.size(); ++i) words[i] = column[i].montgomery();
            SkipDomain(l).to_message(words.data(), num_blocks);
            for (std::size_t block = 0; block < num_blocks; ++block) {
                std::vector<Fp> a(column.begin() + static_cast<std::ptrdiff_t>(block * n),
                                  column.begin() + static_cast<std::ptrdiff_t>((block + 1) * n));
                bit_reverse_permute(a);
                inverse_ntt(a);
                for (std::size_t i = 0; i < n; ++i) {
                    Fp expected;
                    for (std::size_t j = 0; j < n; ++j) {
                        if ((i & j) == j) expected += a[j];
                    }
                    ASSERT_EQ(words[block * n + i], expected.montgomery());
                }
            }
        });
    }
}

INSTANTIATE_TEST_SUITE_P(Cpu, Tiles, testing::Values(0, 1, 2, 4, 5));

TEST(MerkleTree, OpensEveryLeafToItsRoot) {
    test::Random random;
    for (const auto& [log_rows, k] : {std::pair{1u, 0u}, {1u, 1u}, {3u, 1u}, {4u, 4u}, {6u, 2u}, {9u, 3u}}) {
        SCOPED_TRACE(testing::Message() << "2^" << log_rows << " rows, leaves of 2^" << k);
        const std::size_t rows = std::size_t{1} << log_rows, leaves = rows >> k;
        const Columns columns(random, 3, rows);
        const MerkleTree tree(columns.words, log_rows, k);
        ASSERT_EQ(tree.depth(), log_rows - k);
        for (std::size_t q = 0; q < leaves; ++q) {
            std::vector<Digest> hashes;
            for (std::size_t j = 0; j < std::size_t{1} << k; ++j) {
                const std::size_t at = reverse_bits(q + j * leaves, log_rows);
                hashes.push_back(
                    hash_slice(std::vector<Fp>{columns.values[0][at], columns.values[1][at], columns.values[2][at]}));
            }
            Digest node = tree_compress(hashes);
            std::size_t index = q;
            for (const Digest& sibling : tree.path(q)) {
                node = index % 2 == 0 ? compress(node, sibling) : compress(sibling, node);
                index /= 2;
            }
            ASSERT_EQ(node, tree.root()) << "leaf " << q;
        }
    }
}

}  // namespace
}  // namespace whorl::cpu
