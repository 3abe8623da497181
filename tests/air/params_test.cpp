#include <cstddef>
#include <functional>
#include <string>
#include <type_traits>
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
        {*app_params_100_bits(17), 1, 4, 13, 2048, 5, 15, 20, 3, {193, 88}, 9, 18},
        {*app_params_100_bits(21), 1, 4, 17, 2048, 5, 15, 20, 3, {193, 88, 81}, 9, 18},
        {*app_params_100_bits(24), 1, 4, 20, 2048, 5, 15, 20, 3, {193, 88, 81, 81}, 8, 18},
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

TEST(Presets, OfAnApplicationWorkOrSayWhy) {
    for (std::uint32_t height = kMinAppLogStackedHeight; height <= kMaxAppLogStackedHeight; ++height) {
        const auto params = app_params_100_bits(height);
        ASSERT_TRUE(params) << height;
        EXPECT_TRUE(check_params(*params)) << height;
        EXPECT_EQ(params->log_stacked_height(), height);
    }
    for (const std::uint32_t height : {0U, 4U, 10U, 25U, 0xffffffffU}) {
        const auto params = app_params_100_bits(height);
        ASSERT_FALSE(params) << height;
        EXPECT_EQ(params.error().code, ErrorCode::kInvalidArgument);
        EXPECT_THAT(params.error().message,
                    HasSubstr(std::to_string(height) + ", expected 11 to 24: below, no WHIR round is left"));
    }
}

TEST(Presets, ForTestsAreRefusedByCheckParamsWhereTheyDoNotWork) {
    EXPECT_FALSE(check_params(test_params_small(0xffffffff, 8, 1)));
    EXPECT_FALSE(check_params(test_params_small(0xffffffff, 0xffffffff, 1)));
    EXPECT_FALSE(check_params(test_params_small(2, 8, 11)));
}

// A parameter at the end of its range is accepted; one step beyond is refused with the range and the reason.
struct Limit {
    std::string name;
    std::function<void(SystemParams&)> at;
    std::function<void(SystemParams&)> beyond;
    std::string message;
};

void PrintTo(const Limit& limit, std::ostream* out) {
    *out << limit.name;
}

class CheckParams : public testing::TestWithParam<Limit> {};

TEST_P(CheckParams, AcceptsTheLimitAndRefusesOneBeyond) {
    SystemParams params = test_params_small(2, 8, 3);
    GetParam().at(params);
    const auto accepted = check_params(params);
    EXPECT_TRUE(accepted) << accepted.error().message;
    params = test_params_small(2, 8, 3);
    GetParam().beyond(params);
    const auto refused = check_params(params);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kInvalidArgument);
    EXPECT_THAT(refused.error().message, HasSubstr(GetParam().message));
    EXPECT_THAT(refused.error().message, testing::EndsWith("; list_params and the presets give parameters that work"));
}

// A limit on one member: `last` is accepted, `beyond` is not.
template <class Get>
Limit limit(std::string name, Get get, std::uint64_t last, std::uint64_t beyond, std::string message) {
    const auto set = [get](std::uint64_t value) {
        return [get, value](SystemParams& p) {
            auto& member = get(p);
            member = static_cast<std::remove_reference_t<decltype(member)>>(value);
        };
    };
    return {std::move(name), set(last), set(beyond), std::move(message)};
}

INSTANTIATE_TEST_SUITE_P(
    Limits, CheckParams,
    testing::Values(
        limit(
            "l_skip", [](SystemParams& p) -> auto& { return p.l_skip; }, 10, 11, "l_skip is 11, expected 0 to 10"),
        limit(
            "LargestLSkip", [](SystemParams& p) -> auto& { return p.l_skip; }, 10, 0xffffffff,
            "l_skip is 4294967295, expected 0 to 10"),
        limit(
            "n_stack", [](SystemParams& p) -> auto& { return p.n_stack; }, 24, 25,
            "l_skip + n_stack + log_blowup is 2 + 25 + 1, more than the field's two-adicity of 27"),
        limit(
            "LargestNStack", [](SystemParams& p) -> auto& { return p.n_stack; }, 24, 0xffffffff, "two-adicity of 27"),
        limit(
            "w_stack", [](SystemParams& p) -> auto& { return p.w_stack; }, 1, 0, "w_stack is 0, expected at least 1"),
        limit(
            "log_blowup", [](SystemParams& p) -> auto& { return p.log_blowup; }, 8, 9,
            "log_blowup is 9, expected 0 to 8"),
        limit(
            "NoBlowup", [](SystemParams& p) -> auto& { return p.log_blowup; }, 0, 0xffffffff,
            "log_blowup is 4294967295, expected 0 to 8"),
        Limit{"Rounds", [](SystemParams& p) { p.whir.num_queries = {1}; },
              [](SystemParams& p) { p.whir.num_queries.clear(); }, "whir has no rounds, expected at least 1"},
        Limit{"whir_k",
              [](SystemParams& p) {
                  p.whir.k = 10;
                  p.whir.num_queries = {1};
              },
              [](SystemParams& p) {
                  p.n_stack = 10;
                  p.whir.k = 11;
                  p.whir.num_queries = {1};
              },
              "whir.k is 11, expected 1 to 10"},
        limit(
            "NoFolding", [](SystemParams& p) -> auto& { return p.whir.k; }, 1, 0, "whir.k is 0, expected 1 to 10"),
        limit(
            "FoldedVariables", [](SystemParams& p) -> auto& { return p.whir.k; }, 3, 4,
            "3 WHIR rounds of 4 variables fold 12, but l_skip + n_stack is 10"),
        limit(
            "num_queries", [](SystemParams& p) -> auto& { return p.whir.num_queries[1]; }, 1024, 1025,
            "num_queries of WHIR round 1 is 1025, expected 1 to 1024"),
        limit(
            "NoQueries", [](SystemParams& p) -> auto& { return p.whir.num_queries[0]; }, 1, 0,
            "num_queries of WHIR round 0 is 0, expected 1 to 1024"),
        limit(
            "NoQueriesInTheLastRound", [](SystemParams& p) -> auto& { return p.whir.num_queries[2]; }, 1, 0,
            "num_queries of WHIR round 2 is 0, expected 1 to 1024"),
        limit(
            "mu_pow_bits", [](SystemParams& p) -> auto& { return p.whir.mu_pow_bits; }, 26, 27,
            "whir.mu_pow_bits is 27, expected 0 to 26"),
        limit(
            "query_phase_pow_bits", [](SystemParams& p) -> auto& { return p.whir.query_phase_pow_bits; }, 26, 27,
            "whir.query_phase_pow_bits is 27, expected 0 to 26"),
        limit(
            "folding_pow_bits", [](SystemParams& p) -> auto& { return p.whir.folding_pow_bits; }, 26, 27,
            "whir.folding_pow_bits is 27, expected 0 to 26"),
        limit(
            "logup_pow_bits", [](SystemParams& p) -> auto& { return p.logup.pow_bits; }, 26, 27,
            "logup.pow_bits is 27, expected 0 to 26"),
        limit(
            "max_interaction_count", [](SystemParams& p) -> auto& { return p.logup.max_interaction_count; }, 1, 0,
            "logup.max_interaction_count is 0, expected at least 1"),
        limit(
            "log_max_message_length", [](SystemParams& p) -> auto& { return p.logup.log_max_message_length; }, 31, 32,
            "logup.log_max_message_length is 32, expected 0 to 31"),
        limit(
            "max_constraint_degree", [](SystemParams& p) -> auto& { return p.max_constraint_degree; }, 255, 256,
            "max_constraint_degree is 256, expected 1 to 255"),
        limit(
            "NoDegree", [](SystemParams& p) -> auto& { return p.max_constraint_degree; }, 1, 0,
            "max_constraint_degree is 0, expected 1 to 255")),
    [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace whorl
