// The CPU's commitment, whose rows are made block by block, against a code that is held whole.
#include "backend/cpu/commitment.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <vector>

#include "field/simd.hpp"
#include "hash/batch.hpp"
#include "proof/layout.hpp"
#include "random.hpp"
#include "targets.hpp"
#include "transforms/ntt.hpp"

namespace whorl::cpu {
namespace {

std::vector<std::uint32_t> random_words(test::Random& random, std::size_t n) {
    std::vector<std::uint32_t> words;
    for (const Fp x : random.fps(n)) words.push_back(x.montgomery());
    words.resize(padded_size(n));
    return words;
}

class BlockNttSizes : public testing::TestWithParam<unsigned> {};

TEST_P(BlockNttSizes, GivesTheValuesOfTheWholeTransform) {
    const unsigned log_n = GetParam();
    const std::size_t n = std::size_t{1} << log_n;
    test::Random random;
    const std::vector<std::uint32_t> in = random_words(random, n);
    for (const Fp shift : {Fp::one(), Fp::from_canonical(31)}) {
        test::on_every_target([&] {
            std::vector<std::uint32_t> expected = in;
            ntt(expected.data(), log_n, shift);
            const BlockNtt transform(log_n, shift);
            const std::size_t block = std::size_t{1} << transform.log_block();
            ASSERT_EQ(transform.num_blocks() * block, n);
            // Every third block, the first and the last, from the last on.
            std::vector<std::uint32_t> places(transform.num_blocks(), BlockNtt::kNowhere);
            std::uint32_t num_places = 0;
            for (std::size_t r = transform.num_blocks(); r-- > 0;) {
                if (r % 3 == 0 || r + 1 == transform.num_blocks()) places[r] = num_places++;
            }
            std::vector<std::uint32_t> some(num_places * block);
            transform.spread_some(in.data(), places, some.data());
            for (std::size_t r = 0; r < transform.num_blocks(); ++r) {
                if (places[r] == BlockNtt::kNowhere) continue;
                std::uint32_t* const at = some.data() + places[r] * block;
                transform.finish(at);
                ASSERT_TRUE(std::equal(at, at + block, expected.data() + r * block)) << "block " << r;
            }
        });
    }
}

INSTANTIATE_TEST_SUITE_P(Cpu, BlockNttSizes, testing::Values(13, 14, 17, 20));

TEST(RowSponges, TakeColumnsAFewAtATime) {
    constexpr std::size_t kRows = 128;
    test::Random random;
    for (const std::size_t width : {1U, 8U, 13U, 16U, 35U}) {
        std::vector<std::vector<std::uint32_t>> columns;
        std::vector<const std::uint32_t*> pointers;
        for (std::size_t c = 0; c < width; ++c) columns.push_back(random_words(random, kRows));
        for (const auto& column : columns) pointers.push_back(column.data());
        for (const unsigned log_fold : {0U, 2U, 4U, 7U}) {
            test::on_every_target([&] {
                const std::size_t num_leaves = kRows >> log_fold, stride = padded_size(num_leaves);
                std::vector<std::uint32_t> expected(8 * stride), found(8 * stride);
                hash_rows(pointers, 0, kRows, log_fold, expected.data(), stride);
                RowSponges sponges(kRows);
                sponges.start(kRows);
                for (std::size_t c = 0; c < width; c += 8) {
                    sponges.absorb(std::span(pointers).subspan(c, std::min<std::size_t>(8, width - c)));
                }
                sponges.finish(log_fold, found.data(), stride);
                for (std::size_t w = 0; w < 8; ++w) {
                    for (std::size_t i = 0; i < num_leaves; ++i)
                        ASSERT_EQ(found[w * stride + i], expected[w * stride + i]);
                }
            });
        }
    }
}

struct Shape {
    unsigned l_skip;
    unsigned log_height;  // of stacked columns
    unsigned log_blowup;
    unsigned k;
};

class Commits : public testing::TestWithParam<Shape> {};

// Traces of the stacked height, lower ones, and one below the skip domain; the last column is not full.
TEST_P(Commits, AsToTheWholeCode) {
    const Shape& shape = GetParam();
    SystemParams params;
    params.l_skip = shape.l_skip;
    params.n_stack = shape.log_height - shape.l_skip;
    params.log_blowup = shape.log_blowup;
    params.whir.k = shape.k;
    std::vector<MatrixShape> matrices{{.width = 3, .log_height = shape.log_height},
                                      {.width = 5, .log_height = shape.log_height - 2},
                                      {.width = 1, .log_height = shape.l_skip + 1}};
    if (shape.l_skip != 0) matrices.push_back({.width = 2, .log_height = shape.l_skip - 1});
    const StackedLayout layout = stack_layout(shape.l_skip, shape.log_height, matrices);
    test::Random random;
    std::vector<std::vector<std::uint32_t>> slices;
    std::vector<const std::uint32_t*> words;
    for (const StackedSlice& slice : layout.slices) {
        slices.push_back(random_words(random, std::size_t{1} << slice.log_height));
    }
    for (const auto& slice : slices) words.push_back(slice.data());

    const unsigned log_rows = params.log_codeword_height();
    const std::size_t rows = std::size_t{1} << log_rows, height = std::size_t{1} << shape.log_height;
    const std::size_t stride = padded_size(rows);
    WordBuffer code(layout.width * stride);
    code.fill_zero();
    for (std::size_t s = 0; s < layout.slices.size(); ++s) {
        const StackedSlice& slice = layout.slices[s];
        const std::size_t step =
            slice.log_height < shape.l_skip ? std::size_t{1} << (shape.l_skip - slice.log_height) : 1;
        std::uint32_t* message = code.data() + slice.stacked_column * stride + rows - height + slice.row;
        for (std::size_t i = 0; i < std::size_t{1} << slice.log_height; ++i) message[i * step] = words[s][i];
    }
    for (std::size_t c = 0; c < layout.width; ++c) {
        SkipDomain(shape.l_skip).to_message(code.data() + c * stride + rows - height, height >> shape.l_skip);
        reed_solomon_encode(code.data() + c * stride, shape.log_height, shape.log_blowup);
    }
    const CodeMatrix expected(std::move(code), layout.width, stride, log_rows, shape.k, nullptr);

    const StackedCommitment found(params, layout, words, nullptr);
    EXPECT_EQ(found.root(), expected.root());
    EXPECT_EQ(found.width(), layout.width);
    const auto num_leaves = static_cast<std::uint32_t>(rows >> shape.k);
    std::vector<std::uint32_t> leaves{0, num_leaves - 1, num_leaves / 2, 0};
    for (int i = 0; i < 20; ++i) leaves.push_back(static_cast<std::uint32_t>(random.next() % num_leaves));
    const std::vector<LeafRows> opened = found.rows_of(leaves, nullptr);
    ASSERT_EQ(opened.size(), leaves.size());
    for (std::size_t i = 0; i < leaves.size(); ++i) {
        EXPECT_EQ(found.path(leaves[i]), expected.path(leaves[i]));
        ASSERT_EQ(opened[i].size(), std::size_t{1} << shape.k);
        for (std::size_t j = 0; j < opened[i].size(); ++j) {
            ASSERT_EQ(opened[i][j], expected.leaf_row(leaves[i], j)) << "leaf " << leaves[i] << ", row " << j;
        }
    }
}

// On both sides of the height from which rows are made block by block.
INSTANTIATE_TEST_SUITE_P(Cpu, Commits,
                         testing::Values(Shape{0, 12, 1, 4}, Shape{0, 13, 1, 4}, Shape{4, 12, 2, 1}, Shape{4, 13, 2, 1},
                                         Shape{2, 13, 0, 10}, Shape{10, 13, 1, 10}, Shape{3, 15, 3, 4}));

}  // namespace
}  // namespace whorl::cpu
