// Where things lie in a proof: stacking rules, sorted order, the LogUp table, and agreement with the stored proofs.
#include "proof/layout.hpp"

#include <algorithm>
#include <set>

#include <gtest/gtest.h>

#include "unit/random.hpp"
#include "vectors.hpp"

namespace whorl {
namespace {

TEST(StackLayout, FillsColumnsWithoutOverlapOrGap) {
    test::Random random;
    for (int trial = 0; trial < 50; ++trial) {
        const unsigned l_skip = random.below(4);
        const unsigned log_height = l_skip + random.below(4);
        std::vector<MatrixShape> shapes(1 + random.below(5));
        for (MatrixShape& shape : shapes) shape = {random.below(6), random.below(log_height + 1)};
        std::ranges::sort(shapes, std::ranges::greater{}, &MatrixShape::log_height);
        const StackedLayout layout = stack_layout(l_skip, log_height, shapes);

        std::set<std::uint64_t> cells;
        std::size_t next = 0;
        for (std::uint32_t m = 0; m < shapes.size(); ++m) {
            for (std::uint32_t c = 0; c < shapes[m].width; ++c, ++next) {
                const StackedSlice& slice = layout.slices.at(next);
                EXPECT_EQ(slice.matrix, m);
                EXPECT_EQ(slice.column, c);
                EXPECT_EQ(slice.log_height, shapes[m].log_height);
                const std::uint64_t length = std::uint64_t{1} << std::max(slice.log_height, l_skip);
                EXPECT_EQ(slice.row % length, 0u);
                for (std::uint64_t i = 0; i < length; ++i) {
                    EXPECT_TRUE(
                        cells.insert((std::uint64_t{slice.stacked_column} << log_height) + slice.row + i).second);
                }
            }
        }
        EXPECT_EQ(next, layout.slices.size());
        // No gap: the cells are 0, 1, 2, …
        if (!cells.empty()) {
            EXPECT_EQ(*cells.rbegin() + 1, cells.size());
        }
        EXPECT_EQ(layout.width, (cells.size() + (std::size_t{1} << log_height) - 1) >> log_height);
        EXPECT_EQ(layout.width, stacked_width(l_skip, log_height, shapes));
    }
}

TEST(StackLayout, PlacesShortColumnsInWholeSkipDomains) {
    // l_skip 2, stacked height 8: a column of 8, two of 2 (4 cells each), one of 1 (4 cells).
    const std::vector<MatrixShape> shapes{{1, 3}, {2, 1}, {1, 0}};
    const StackedLayout layout = stack_layout(2, 3, shapes);
    ASSERT_EQ(layout.slices.size(), 4u);
    EXPECT_EQ(layout.width, 3u);
    EXPECT_EQ(layout.slices[1].stacked_column, 1u);
    EXPECT_EQ(layout.slices[1].row, 0u);
    EXPECT_EQ(layout.slices[2].row, 4u);
    EXPECT_EQ(layout.slices[3].stacked_column, 2u);
}

TEST(StackLayout, WidthOfNothingIsZero) {
    const std::vector<MatrixShape> shapes{{0, 3}};
    EXPECT_EQ(stack_layout(2, 3, shapes).width, 0u);
    EXPECT_EQ(stacked_width(2, 3, shapes), 0u);
}

std::vector<int> heights_of(const Proof& proof) {
    std::vector<int> out;
    for (const auto& vdata : proof.trace_vdata) out.push_back(vdata ? static_cast<int>(vdata->log_height) : -1);
    return out;
}

class StoredLayout : public ::testing::TestWithParam<std::string> {};

TEST_P(StoredLayout, FitsTheProof) {
    const VerifyingKey vk = test::load_key(GetParam());
    const Proof proof = test::load_proof(GetParam());
    const std::vector<int> log_heights = heights_of(proof);
    const ProofLayout layout = make_proof_layout(vk, log_heights);

    for (std::size_t t = 1; t < layout.traces.size(); ++t) {
        const SortedTrace &a = layout.traces[t - 1], &b = layout.traces[t];
        EXPECT_TRUE(a.log_height > b.log_height || (a.log_height == b.log_height && a.air_id < b.air_id));
    }
    EXPECT_EQ(layout.traces.size(), proof.batch_constraint.numerator_term_per_air.size());
    EXPECT_EQ(layout.n_max, proof.batch_constraint.sumcheck_round_polys.size());
    EXPECT_EQ(layout.num_gkr_layers(vk.params), proof.gkr.claims_per_layer.size());
    EXPECT_EQ(layout.num_logup_cells, count_logup_cells(vk, log_heights));
    ASSERT_EQ(layout.commitments.size(), proof.stacking.stacking_openings.size());
    for (std::size_t c = 0; c < layout.commitments.size(); ++c) {
        EXPECT_EQ(layout.commitments[c].stack.width, proof.stacking.stacking_openings[c].size());
    }
    EXPECT_LE(layout.total_stacked_width(), vk.params.w_stack);
    std::uint64_t sum = 0;
    EXPECT_EQ(find_violated_height_constraint(vk, log_heights, &sum), -1);
    for (const LogupBlock& block : layout.logup_blocks) {
        const unsigned log_block = std::max(layout.traces[block.trace].log_height, vk.params.l_skip);
        EXPECT_EQ(block.start & ((std::uint64_t{1} << log_block) - 1), 0u);
    }
    // At least one cell of the table is padding.
    if (layout.has_interactions()) {
        EXPECT_LT(layout.num_logup_cells, std::uint64_t{1} << (vk.params.l_skip + layout.n_logup));
    }
}

INSTANTIATE_TEST_SUITE_P(Vectors, StoredLayout, ::testing::ValuesIn(test::kVectorNames),
                         [](const auto& info) { return info.param; });

TEST(HeightConstraints, ReportTheFirstViolatedOneAndItsSum) {
    VerifyingKey vk;
    vk.params.l_skip = 2;
    vk.airs.resize(3);
    vk.trace_height_constraints = {{{1, 0, 2}, 100}, {{1, 1, 1}, 20}};
    std::uint64_t sum = 0;
    // Lifted heights 4 (of 1), absent, 8: 4 + 16 = 20 < 100, then 4 + 8 = 12 < 20.
    EXPECT_EQ(find_violated_height_constraint(vk, std::vector{0, -1, 3}, &sum), -1);
    // 4, 8, 8: 20 is not below 20.
    EXPECT_EQ(find_violated_height_constraint(vk, std::vector{0, 3, 3}, &sum), 1);
    EXPECT_EQ(sum, 20u);
}

TEST(LogupCells, AreNoneOfAbsentAirs) {
    VerifyingKey vk;
    vk.params.l_skip = 2;
    vk.airs.resize(3);
    for (AirVerifyingKey& air : vk.airs) air.interactions.resize(3);
    // Lifted heights 4 (of 1), absent, 8.
    EXPECT_EQ(count_logup_cells(vk, std::vector{0, -1, 3}), 3 * 4 + 3 * 8);
    EXPECT_EQ(count_logup_cells(vk, std::vector{-1, -1, -1}), 0u);
}

}  // namespace
}  // namespace whorl
