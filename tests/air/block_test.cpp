// The shapes of a real block's proofs, and AIRs that have them.
#include <gmock/gmock.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <set>
#include <vector>

#include <whorl/check.hpp>

#include "airs/block_shapes.hpp"
#include "airs/shaped_air.hpp"
#include "airs/tasks.hpp"
#include "vectors.hpp"

namespace whorl {
namespace {

using test::value_of;

std::uint32_t num_interactions(const AirShape& shape) {
    std::uint32_t count = 0;
    for (const InteractionRun& run : shape.interactions) count += run.count;
    return count;
}

TEST(BlockShapes, AreThoseOfThePublishedProfile) {
    ASSERT_EQ(block_keys().size(), 3U);
    ASSERT_EQ(block_proofs().size(), 209U);
    std::array<std::size_t, 3> num_proofs{};
    for (const BlockProof& proof : block_proofs()) ++num_proofs[proof.key];
    EXPECT_THAT(num_proofs, testing::ElementsAre(149, 38, 22));
    std::uint64_t num_cells = 0, interactions = 0;
    const BlockProof& median = block_proofs()[kMedianAppProof];
    for (std::size_t i = 0; i < log_heights(median).size(); ++i) {
        if (log_heights(median)[i] < 0) continue;
        const AirShape& air = block_keys()[median.key][i];
        num_cells += std::uint64_t{air.common_main_width + air.cached_width} << log_heights(median)[i];
        interactions += std::uint64_t{num_interactions(air)} << log_heights(median)[i];
    }
    EXPECT_EQ(num_cells, 425677820U);
    EXPECT_EQ(interactions, 160475246U);
}

TEST(BlockShapes, AreTheShapesOfTheKeys) {
    // The first proof of each key.
    for (const std::size_t proof : {std::size_t{0}, std::size_t{149}, std::size_t{187}}) {
        const AirTask task = block_task(proof, {.scale = kMaxBlockScale});
        const ProvingKey key = value_of(keygen(task.params, task.airs));
        const auto shapes = block_keys()[block_proofs()[proof].key];
        ASSERT_EQ(key.vk.airs.size(), shapes.size());
        for (std::size_t i = 0; i < shapes.size(); ++i) {
            const AirShape& shape = shapes[i];
            const AirVerifyingKey& air = key.vk.airs[i];
            EXPECT_EQ(air.width.common_main, shape.common_main_width) << shape.name;
            EXPECT_EQ(air.width.cached_mains.empty() ? 0 : air.width.cached_mains[0], shape.cached_width) << shape.name;
            EXPECT_EQ(air.constraint_idx.size(), shape.num_constraints) << shape.name;
            EXPECT_EQ(air.max_constraint_degree, shape.max_degree) << shape.name;
            ASSERT_EQ(air.interactions.size(), num_interactions(shape)) << shape.name;
            auto interaction = air.interactions.begin();
            for (const InteractionRun& run : shape.interactions) {
                for (std::uint32_t n = 0; n < run.count; ++n, ++interaction) {
                    EXPECT_EQ(interaction->bus_index, run.bus_index) << shape.name;
                    EXPECT_EQ(interaction->message.size(), run.message_length) << shape.name;
                    EXPECT_EQ(interaction->count_weight, run.count_weight) << shape.name;
                }
            }
        }
    }
}

TEST(BlockTask, IsSatisfiedByTracesThatAreNotAllZero) {
    for (const std::size_t proof : {std::size_t{0}, kMedianAppProof, std::size_t{149}, std::size_t{187}}) {
        for (const unsigned scale : {13U, kMaxBlockScale}) {
            const AirTask task = block_task(proof, {.scale = scale});
            const ProvingKey key = value_of(keygen(task.params, task.airs));
            const std::vector<AirTrace> traces = task.make_traces();
            const CheckReport report = value_of(check_constraints(key.vk, traces, key.air_names));
            EXPECT_TRUE(report.is_satisfied()) << task.name << ": " << describe(report, key.air_names);
            EXPECT_GT(report.num_messages_checked, traces.size());
            for (const AirTrace& trace : traces) {
                EXPECT_TRUE(std::ranges::any_of(trace.common_main.values(), [](Fp x) { return x != Fp::zero(); }) ||
                            trace.height() == 1);
            }
        }
    }
}

TEST(BlockTask, HasTheHeightsOfTheBlockDividedByTheScale) {
    const AirTask task = block_task(kMedianAppProof, {.scale = 12});
    EXPECT_EQ(task.params.log_stacked_height(), 12U);
    const auto heights = log_heights(block_proofs()[kMedianAppProof]);
    const std::vector<AirTrace> traces = task.make_traces();
    EXPECT_EQ(traces.size(), 34U);
    for (const AirTrace& trace : traces) {
        EXPECT_EQ(std::bit_width(trace.height()) - 1, std::max(heights[trace.air_id] - 12, 0)) << trace.air_id;
    }
    EXPECT_EQ(block_task(kMedianAppProof, {.scale = 12, .log_stacked_height = 20}).params,
              value_of(app_params_100_bits(20)));
    EXPECT_EQ(block_task(149, {.scale = 12}).params.log_stacked_height(), kMinAppLogStackedHeight);
    EXPECT_EQ(block_task(149, {}).params, leaf_params_100_bits());
    EXPECT_EQ(block_task(187, {}).params, internal_params_100_bits());
}

TEST(ShapeTask, IsSatisfiedAndHasWhatIsAskedFor) {
    const std::vector<ShapeTaskOptions> all{
        {.num_airs = 1, .num_columns = 2, .num_constraints = 0, .num_interactions = 1, .log_height = 3},
        {.num_airs = 3, .num_columns = 2, .num_constraints = 5, .num_interactions = 0, .log_height = 0},
        {.num_airs = 50,
         .num_columns = 9,
         .num_constraints = 30,
         .num_interactions = 2,
         .num_buses = 100,
         .log_height = 4},
        {.num_airs = 1, .num_columns = 1000, .num_constraints = 600, .num_interactions = 7, .log_height = 2}};
    for (const ShapeTaskOptions& options : all) {
        const AirTask task = shape_task(options);
        SCOPED_TRACE(task.name);
        const ProvingKey key = value_of(keygen(task.params, task.airs));
        ASSERT_EQ(key.vk.airs.size(), options.num_airs);
        std::set<std::uint16_t> buses;
        for (const AirVerifyingKey& air : key.vk.airs) {
            EXPECT_EQ(air.width.common_main, options.num_columns);
            EXPECT_EQ(air.constraint_idx.size(), options.num_constraints);
            EXPECT_EQ(air.interactions.size(), options.num_interactions);
            for (const SymbolicInteraction& interaction : air.interactions) buses.insert(interaction.bus_index);
        }
        EXPECT_EQ(buses.size(), std::min(options.num_buses, options.num_airs * options.num_interactions));
        const std::vector<AirTrace> traces = task.make_traces();
        const CheckReport report = value_of(check_constraints(key.vk, traces, key.air_names));
        EXPECT_TRUE(report.is_satisfied()) << describe(report, key.air_names);
        EXPECT_TRUE(std::ranges::all_of(
            traces, [&](const AirTrace& trace) { return trace.height() == std::size_t{1} << options.log_height; }));
    }
}

}  // namespace
}  // namespace whorl
