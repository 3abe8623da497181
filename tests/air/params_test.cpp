#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <whorl/params.hpp>

namespace whorl {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

struct ExpectedPreset {
    SystemParams params;
    std::uint32_t log_blowup, l_skip, n_stack;
    std::uint64_t w_stack;
    std::uint32_t folding_pow, mu_pow, query_pow;
    std::uint32_t degree;
    std::vector<std::uint32_t> num_queries;
    std::uint32_t log_final_poly_len, logup_pow;
};

// The table of PROTOCOL.md 5.3.
TEST(Presets, AreThoseOfTheReference) {
    const std::vector<ExpectedPreset> presets = {
        {app_params_100_bits(17), 1, 4, 13, 2048, 5, 15, 20, 3, {193, 88}, 9, 18},
        {app_params_100_bits(21), 1, 4, 17, 2048, 5, 15, 20, 3, {193, 88, 81}, 9, 18},
        {app_params_100_bits(24), 1, 4, 20, 2048, 5, 15, 20, 3, {193, 88, 81, 81}, 8, 18},
        {leaf_params_100_bits(), 2, 4, 17, 2048, 4, 13, 20, 4, {118, 84, 81}, 9, 18},
        {internal_params_100_bits(), 3, 2, 17, 512, 18, 20, 20, 4, {68, 30, 20}, 7, 19},
        {root_params_100_bits(), 4, 2, 18, 18, 15, 15, 15, 4, {61, 30, 20}, 8, 18},
        {hook_params_100_bits(), 2, 2, 18, 80, 12, 11, 20, 4, {193, 42, 24}, 8, 18},
    };
    for (std::size_t i = 0; i < presets.size(); ++i) {
        SCOPED_TRACE("preset " + std::to_string(i));
        const auto& [params, log_blowup, l_skip, n_stack, w_stack, folding, mu, query, degree, queries, final_len,
                     logup] = presets[i];
        EXPECT_EQ(params.log_blowup, log_blowup);
        EXPECT_EQ(params.l_skip, l_skip);
        EXPECT_EQ(params.n_stack, n_stack);
        EXPECT_EQ(params.w_stack, w_stack);
        EXPECT_EQ(params.whir.k, 4U);
        EXPECT_EQ(params.whir.folding_pow_bits, folding);
        EXPECT_EQ(params.whir.mu_pow_bits, mu);
        EXPECT_EQ(params.whir.query_phase_pow_bits, query);
        EXPECT_EQ(params.max_constraint_degree, degree);
        EXPECT_EQ(params.whir.num_queries, queries);
        EXPECT_EQ(params.log_final_poly_len(), final_len);
        EXPECT_EQ(params.logup, (LogupParams{0x78000001, 7, logup}));
        EXPECT_TRUE(check_params(params));
    }
    EXPECT_EQ(internal_params_100_bits().whir.proximity, Proximity(ListDecoding{2}));
    EXPECT_EQ(root_params_100_bits().whir.proximity, Proximity(ListDecoding{1}));
    EXPECT_EQ(leaf_params_100_bits().whir.proximity, Proximity(UniqueDecoding{}));
}

TEST(Presets, ForTestsFollowTheSameFormula) {
    const SystemParams params = test_params_small(2, 8, 3);
    EXPECT_THAT(params.whir.num_queries, ElementsAre(10, 4, 2));
    EXPECT_EQ(params.log_final_poly_len(), 1U);
    EXPECT_EQ(params.whir.proximity, Proximity(SplitUniqueList({3, 1})));
    EXPECT_TRUE(check_params(params));
    EXPECT_FALSE(check_params(test_params_small(2, 8, 0)));
}

TEST(Presets, OfSmallOrLargeHeightsStayUsableOrSaySo) {
    EXPECT_EQ(app_params_100_bits(30), app_params_100_bits(24));
    EXPECT_EQ(app_params_100_bits(0).n_stack, 0U);
    EXPECT_FALSE(check_params(app_params_100_bits(10)));  // no WHIR round is left below the final length
    EXPECT_TRUE(check_params(app_params_100_bits(11)));
}

TEST(CheckParams, NamesWhatDoesNotWork) {
    struct Case {
        std::function<void(SystemParams&)> change;
        std::string message;
    };
    const std::vector<Case> cases = {
        {[](SystemParams& p) { p.n_stack = 25; }, "two-adicity of 27"},
        {[](SystemParams& p) { p.l_skip = 0xffffffff; }, "two-adicity of 27"},
        {[](SystemParams& p) { p.whir.num_queries.clear(); }, "no round"},
        {[](SystemParams& p) { p.whir.k = 0; }, "whir.k is 0"},
        {[](SystemParams& p) { p.whir.k = 4; }, "fold 12, but l_skip + n_stack is 10"},
        {[](SystemParams& p) { p.whir.mu_pow_bits = 31; }, "whir.mu_pow_bits is 31"},
        {[](SystemParams& p) { p.whir.query_phase_pow_bits = 31; }, "whir.query_phase_pow_bits is 31"},
        {[](SystemParams& p) { p.whir.folding_pow_bits = 31; }, "whir.folding_pow_bits is 31"},
        {[](SystemParams& p) { p.logup.pow_bits = 31; }, "logup.pow_bits is 31"},
        {[](SystemParams& p) { p.logup.log_max_message_length = 32; }, "log_max_message_length is 32"},
        {[](SystemParams& p) { p.max_constraint_degree = 0; }, "max_constraint_degree is 0"},
        {[](SystemParams& p) { p.max_constraint_degree = 256; }, "max_constraint_degree is 256"},
    };
    for (const Case& change : cases) {
        SystemParams params = test_params_small(2, 8, 3);
        change.change(params);
        const auto result = check_params(params);
        ASSERT_FALSE(result) << change.message;
        EXPECT_EQ(result.error().code, ErrorCode::kInvalidArgument);
        EXPECT_THAT(result.error().message, HasSubstr(change.message));
    }
}

}  // namespace
}  // namespace whorl
