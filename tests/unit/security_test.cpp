// security_bits against the published calculator: tests/vectors/security.json, made by
//   interop security --vectors tests/vectors --out tests/vectors/security.json      (rust/interop)
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>

#include <whorl/security.hpp>

#include "engine/json_values.hpp"
#include "vectors.hpp"
#include "verifier/security_text.hpp"

namespace whorl {
namespace {

using test::value_of;

// Both compute the same formulas in doubles, but log2 and exp2 of the C library may differ in the last place. The largest
// values here are some 10^4 bits, whose last place is 2^-40; a step adds up at most some ten roundings.
constexpr double kTolerance = 1e-9;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

const Json& reference() {
    static const Json document = [] {
        std::ifstream in(std::filesystem::path(WHORL_TEST_VECTORS) / "security.json");
        return Json::parse(in);
    }();
    return document;
}

double bits_of(const Json& json) {
    if (json == "inf") return kInfinity;
    if (json == "-inf") return -kInfinity;
    return json.get<double>();
}

void expect_near(double found, const Json& json, const char* step) {
    const double expected = bits_of(json);
    if (std::isinf(expected)) {
        EXPECT_EQ(found, expected) << step;
    } else {
        EXPECT_NEAR(found, expected, kTolerance) << step;
    }
}

void expect_steps(const SecurityBits& bits, const Json& json) {
    expect_near(bits.logup, json["logup"], "logup");
    expect_near(bits.gkr_sumcheck, json["gkr_sumcheck"], "gkr_sumcheck");
    expect_near(bits.gkr_batching, json["gkr_batching"], "gkr_batching");
    expect_near(bits.zerocheck_sumcheck, json["zerocheck_sumcheck"], "zerocheck_sumcheck");
    expect_near(bits.constraint_batching, json["constraint_batching"], "constraint_batching");
    expect_near(bits.stacked_reduction, json["stacked_reduction"], "stacked_reduction");
    expect_near(bits.mu_batching, json["mu_batching"], "mu_batching");
    expect_near(bits.whir(), json["whir"], "whir");
    expect_near(bits.total(), json["total"], "total");
}

SystemParams params_of(const Json& test_case) {
    return params_from_json(JsonPlace(test_case["params"], test_case["name"], "test"));
}

CircuitBounds bounds_of(const Json& json) {
    return {.max_constraints_per_air = json["max_constraints_per_air"],
            .num_airs = json["num_airs"],
            .max_constraint_degree = json["max_constraint_degree"],
            .max_log_height = json["max_log_height"],
            .num_columns = json["num_columns"],
            .num_stacked_columns = json["num_stacked_columns"],
            .n_logup = json["n_logup"]};
}

TEST(Security, IsThePublishedCalculatorsStepByStepAndRoundByRound) {
    const Json& cases = reference()["cases"];
    ASSERT_GE(cases.size(), 300);
    for (const Json& test_case : cases) {
        SCOPED_TRACE(test_case["name"].get<std::string>());
        const SecurityBits bits = value_of(security_bits(params_of(test_case), bounds_of(test_case["bounds"])));
        expect_steps(bits, test_case["bits"]);
        ASSERT_EQ(bits.whir_rounds.size(), test_case["whir_rounds"].size());
        for (std::size_t i = 0; i < bits.whir_rounds.size(); ++i) {
            SCOPED_TRACE("WHIR round " + std::to_string(i));
            const WhirRoundSecurity& round = bits.whir_rounds[i];
            const Json& expected = test_case["whir_rounds"][i];
            expect_near(round.fold, expected["fold"], "fold");
            expect_near(round.proximity_gap, expected["proximity_gap"], "proximity_gap");
            expect_near(round.sumcheck, expected["sumcheck"], "sumcheck");
            expect_near(round.shift, expected["shift"], "shift");
            expect_near(round.query, expected["query"], "query");
            expect_near(round.gamma_batching, expected["gamma_batching"], "gamma_batching");
            expect_near(round.out_of_domain, expected["out_of_domain"], "out_of_domain");
        }
    }
}

TEST(Security, TakesFromAKeyWhatThePublishedCalculatorTakes) {
    const Json& keys = reference()["keys"];
    ASSERT_EQ(keys.size(), test::kVectorNames.size());
    for (const Json& key : keys) {
        SCOPED_TRACE(key["vector"].get<std::string>());
        const VerifyingKey vk = test::load_key(key["vector"]);
        const SecurityBits bits = value_of(security_bits(vk));
        if (!key["bits"].is_null()) {
            expect_steps(bits, key["bits"]);
            continue;
        }
        // The published calculator stops at a key whose AIRs have interactions alone.
        CircuitBounds bounds = circuit_bounds(vk);
        EXPECT_EQ(bounds.max_constraints_per_air, 0);
        bounds.max_constraints_per_air = 1;
        EXPECT_EQ(bits.total(), value_of(security_bits(vk.params, bounds)).total());
    }
}

// The stored cases of the presets are under the published names; these are ours.
TEST(Security, PresetsHave100Bits) {
    const CircuitBounds app{.max_constraints_per_air = 5000,
                            .num_airs = 100,
                            .max_constraint_degree = 3,
                            .max_log_height = 24,
                            .num_columns = 30000,
                            .num_stacked_columns = 2048,
                            .n_logup = 27};
    const auto is_stored = [](const std::string& name, const SystemParams& params) {
        for (const Json& test_case : reference()["cases"]) {
            if (test_case["name"] == name) return params_of(test_case) == params;
        }
        return false;
    };
    for (std::uint32_t height = kMinAppLogStackedHeight; height <= kMaxAppLogStackedHeight; ++height) {
        const SystemParams params = value_of(app_params_100_bits(height));
        EXPECT_TRUE(is_stored("app " + std::to_string(height), params));
        EXPECT_GE(value_of(security_bits(params, app)).total(), 100) << height;
    }
    EXPECT_TRUE(is_stored("leaf", leaf_params_100_bits()));
    EXPECT_TRUE(is_stored("internal", internal_params_100_bits()));
    EXPECT_TRUE(is_stored("root", root_params_100_bits()));
    EXPECT_TRUE(is_stored("hook", hook_params_100_bits()));
    EXPECT_TRUE(is_stored("test 2 8 3", test_params_small(2, 8, 3)));
    CircuitBounds recursion = app;
    recursion.max_constraints_per_air = 1000;
    recursion.num_columns = 2000;
    recursion.max_constraint_degree = 4;
    for (const SystemParams& params :
         {leaf_params_100_bits(), internal_params_100_bits(), root_params_100_bits(), hook_params_100_bits()}) {
        recursion.num_stacked_columns = params.w_stack;
        EXPECT_GE(value_of(security_bits(params, recursion)).total(), 100);
    }
}

TEST(Security, OfRateOneIsNothingButGrinding) {
    SystemParams params = test_params_small(2, 8, 3);
    params.log_blowup = 0;
    params.whir.proximity = UniqueDecoding{};
    params.whir.query_phase_pow_bits = 0;
    const SecurityBits bits = value_of(security_bits(params, {}));
    EXPECT_NEAR(bits.total(), 0, kTolerance);
    EXPECT_FALSE(std::signbit(bits.total()));
    EXPECT_EQ(bits.weakest(), "WHIR round 0, shift");
    params.whir.proximity = ListDecoding{.m = 3};
    EXPECT_EQ(value_of(security_bits(params, {})).total(), -kInfinity);
    // With so large an m the radius is no number below 1 - sqrt(rate), and no theorem holds.
    params.log_blowup = 1;
    params.whir.proximity = ListDecoding{.m = std::uint64_t{1} << 63};
    EXPECT_EQ(value_of(security_bits(params, {})).whir_rounds[0].proximity_gap, -kInfinity);
}

TEST(Security, NamesTheWeakestStep) {
    const SystemParams params = value_of(app_params_100_bits(20));
    SystemParams weak = params;
    weak.logup.pow_bits = 0;
    weak.logup.log_max_message_length = 31;
    EXPECT_EQ(value_of(security_bits(weak, {})).weakest(), "LogUp");
    weak = params;
    weak.whir.num_queries[2] = 1;
    EXPECT_EQ(value_of(security_bits(weak, {})).weakest(), "WHIR round 2, shift");
    weak = params;
    weak.whir.mu_pow_bits = 0;
    EXPECT_EQ(value_of(security_bits(weak, {.num_stacked_columns = 1U << 20})).weakest(), "mu batching");
    EXPECT_EQ(SecurityBits().weakest(), "LogUp");  // of equal ones the first
}

// Below these the published calculator stops the process.
TEST(Security, OfNoConstraintsNoAirsOrOneStackedColumnIsThatOfTheLeastThatCounts) {
    const SystemParams params = test_params_small(2, 8, 3);
    const SecurityBits least = value_of(security_bits(params, {.max_constraints_per_air = 1, .num_airs = 1}));
    const SecurityBits none =
        value_of(security_bits(params, {.max_constraints_per_air = 0, .num_airs = 0, .num_stacked_columns = 0}));
    EXPECT_EQ(none.total(), least.total());
    EXPECT_EQ(none.constraint_batching, least.constraint_batching);
    EXPECT_EQ(none.mu_batching, least.mu_batching);
    VerifyingKey empty;
    empty.params = params;
    EXPECT_TRUE(security_bits(empty));
}

TEST(Security, RefusesParametersThatCannotBeWorkedWith) {
    SystemParams params = test_params_small(2, 8, 3);
    params.whir.num_queries[0] = 0;
    const auto bits = security_bits(params, {});
    ASSERT_FALSE(bits);
    EXPECT_EQ(bits.error().code, ErrorCode::kInvalidArgument);
    VerifyingKey key;
    key.params = params;
    EXPECT_FALSE(security_bits(key));
}

TEST(Security, ABoundThatIsMissedNeverReadsAsReached) {
    EXPECT_EQ(bits_text(99.99999), "99.99");
    EXPECT_EQ(bits_text(100), "100.00");
    EXPECT_EQ(bits_text(kInfinity), "-");
    EXPECT_EQ(bits_text(-kInfinity), "none");
}

}  // namespace
}  // namespace whorl
