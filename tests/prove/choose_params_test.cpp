// Parameters chosen by what a proof takes: that they work, have the bits that were asked for, and cost what is said.
#include <gtest/gtest.h>

#include <whorl/choose_params.hpp>
#include <whorl/device.hpp>
#include <whorl/prove.hpp>
#include <whorl/security.hpp>
#include <whorl/statement.hpp>
#include <whorl/task.hpp>
#include <whorl/verify.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "airs/keccak.hpp"
#include "airs/tasks.hpp"
#include "vectors.hpp"

namespace whorl::test {
namespace {

using Choices = std::vector<ParamsChoice>;

std::vector<std::uint64_t> heights_of(const std::vector<AirTrace>& traces, std::size_t num_airs) {
    std::vector<std::uint64_t> heights(num_airs);
    for (const AirTrace& trace : traces) heights[trace.air_id] = trace.height();
    return heights;
}

std::string refusal(const Result<Choices>& choices) {
    EXPECT_FALSE(choices);
    if (choices) return {};
    EXPECT_EQ(choices.error().code, ErrorCode::kInvalidArgument);
    return choices.error().message;
}

/// A column of its own height, with `messages` of a length.
struct Wide {
    std::uint32_t num_columns = 1;
    std::uint32_t degree = 1;
    std::uint32_t message_length = 0;
    std::string name() const { return "Wide"; }
    std::uint32_t width() const { return num_columns; }
    template <class Builder>
    void eval(Builder& builder) const {
        const auto& local = builder.main().local;
        auto product = local[0];
        for (std::uint32_t i = 1; i < degree; ++i) product = product * local[0];
        builder.assert_zero(product);
        if (message_length == 0) return;
        const std::vector<typename Builder::Expr> message(message_length, local[0]);
        PermutationBus{.index = 1}.send(builder, message, local[0]);
    }
};

TEST(ChooseParams, AreThoseOfThePresetWhereItFits) {
    const std::vector<AnyAir> airs{Wide{.num_columns = 3, .degree = 3}};
    const std::vector<std::uint64_t> heights{1U << 12};
    const Choices choices = value_of(list_params(airs, heights));
    std::size_t num_presets = 0;
    for (const ParamsChoice& choice : choices) {
        EXPECT_GE(choice.security_bits, 100);
        if (choice.params.log_blowup != 1 || choice.params.log_stacked_height() > kMaxAppLogStackedHeight) continue;
        EXPECT_EQ(choice.params, value_of(app_params_100_bits(choice.params.log_stacked_height())));
        ++num_presets;
    }
    EXPECT_EQ(num_presets, kMaxAppLogStackedHeight - 12 + 1);
    EXPECT_TRUE(std::ranges::is_sorted(choices, {}, [](const ParamsChoice& choice) {
        return std::pair(choice.params.log_blowup, choice.params.log_stacked_height());
    }));
}

TEST(ChooseParams, ProofsHaveTheSizeAndTheSecurityThatIsSaid) {
    for (const double bits : {1.0, 60.0, 100.0, 107.5}) {
        const AirTask task = logup_task(6, test_params_small(2, 10, 3), {2, 5});
        const std::vector<AirTrace> traces = task.make_traces();
        const Choices choices = value_of(list_params(task.airs, heights_of(traces, task.airs.size()), bits));
        ASSERT_FALSE(choices.empty()) << bits;
        // The smallest of each blowup: larger ones take long to prove.
        for (const std::uint32_t log_blowup : {1U, 3U}) {
            const auto choice =
                std::ranges::find(choices, log_blowup, [](const ParamsChoice& of) { return of.params.log_blowup; });
            ASSERT_NE(choice, choices.end()) << bits;
            const ProvingKey key = value_of(keygen(choice->params, task.airs));
            EXPECT_EQ(value_of(security_bits(key.vk)).total(), choice->security_bits);
            EXPECT_GE(choice->security_bits, bits);
            const Proof proof = value_of(prove(key.vk, traces));
            EXPECT_EQ(value_of(encode_proof(proof)).size(), choice->proof_bytes) << bits << ' ' << log_blowup;
            EXPECT_EQ(choice->memory_bytes, value_of(plan_memory(key.vk, traces, {})).device_bytes);
            Statement statement;
            statement.min_security_bits = bits;
            EXPECT_TRUE(verify(key.vk, proof, statement));
        }
    }
}

/// The key of the task as it lies there has other parameters; preprocessed, cached and absent parts included.
TEST(ChooseParams, OfAKeyAreThoseOfItsAirs) {
    for (const char* vector : {"mixture", "preprocessed_and_cached", "fib_three_airs_one_absent"}) {
        const Task task = value_of(load_task(vector_path(vector, "")));
        const std::vector<std::uint64_t> heights = heights_of(task.traces, task.vk.airs.size());
        const ParamsChoice fast = value_of(choose_params(value_of(list_params(task.vk, heights))));
        EXPECT_GE(fast.security_bits, 100) << vector;
        EXPECT_TRUE(check_params(fast.params)) << vector;
        const ParamsChoice small =
            value_of(choose_params(value_of(list_params(task.vk, heights)), ParamsGoal::kSmallProof));
        EXPECT_LE(small.proof_bytes, fast.proof_bytes) << vector;
        EXPECT_GE(small.core_seconds, fast.core_seconds) << vector;
    }
}

TEST(ChooseParams, GrowWithWhatAirsAndHeightsTake) {
    const std::vector<AnyAir> airs{Wide{.num_columns = 5000, .degree = 5, .message_length = 300}};
    const std::vector<std::uint64_t> heights{1U << 11};
    const Choices choices = value_of(list_params(airs, heights));
    for (const ParamsChoice& choice : choices) {
        EXPECT_EQ(choice.params.max_constraint_degree, 5U);
        EXPECT_EQ(choice.params.logup.log_max_message_length, 9U);
        EXPECT_GE(choice.params.w_stack, choice.num_stacked_columns);
        EXPECT_TRUE(keygen(choice.params, airs));
    }
    EXPECT_EQ(choices.front().num_stacked_columns, 5000U);
    EXPECT_EQ(choices.front().params.w_stack, 8192U);
    // A degree of 1 is possible, and a message may fill its length but for the bus.
    const std::vector<AnyAir> linear{Wide{.degree = 1, .message_length = 127}};
    const ParamsChoice choice = value_of(list_params(linear, heights)).front();
    EXPECT_EQ(choice.params.max_constraint_degree, 1U);
    EXPECT_EQ(choice.params.logup.log_max_message_length, 7U);
    const ProvingKey key = value_of(keygen(choice.params, linear));
    const std::vector<AirTrace> zeros{{.air_id = 0, .common_main = Matrix(1, heights[0])}};
    EXPECT_TRUE(verify(key.vk, value_of(prove(key.vk, zeros))));
}

TEST(ChooseParams, SayWhatIsInTheWay) {
    const std::vector<AnyAir> airs{Wide{}, Wide{.degree = 3}};
    const auto list = [&](std::vector<std::uint64_t> heights, double bits = 100) {
        return list_params(airs, heights, bits);
    };
    EXPECT_NE(refusal(list({})).find("0 heights, expected 2"), std::string::npos);
    EXPECT_NE(refusal(list({0, 0})).find("the trace of at least one AIR"), std::string::npos);
    EXPECT_NE(refusal(list({0, 3})).find("AIR 1 (Wide): expected a power of two as height, found 3"),
              std::string::npos);
    EXPECT_EQ(
        refusal(list({1, std::uint64_t{1} << 27})),
        "AIR 1 (Wide): expected a height of at most 2^26, the largest stacked height, found 2^27; split the trace");
    for (const double bits : {0.0, -1.0, 1000.0, std::numeric_limits<double>::quiet_NaN()}) {
        EXPECT_NE(refusal(list({8, 8}, bits)).find("expected more than 0"), std::string::npos) << bits;
    }
    const std::string unreachable = refusal(list({8, 8}, 123));
    EXPECT_NE(unreachable.find("123 bits of security cannot be reached"), std::string::npos) << unreachable;
    EXPECT_NE(unreachable.find("at most 1"), std::string::npos) << unreachable;
    // What keygen says of AIRs is said here too.
    const std::vector<AnyAir> empty{Wide{.num_columns = 0}};
    EXPECT_NE(refusal(list_params(empty, std::vector<std::uint64_t>{1})).find("no columns"), std::string::npos);
    EXPECT_FALSE(list_params(std::span<const AnyAir>(), std::vector<std::uint64_t>{}));
    EXPECT_FALSE(choose_params(std::span<const ParamsChoice>()));
}

// A key of a few bytes can say that it has billions of columns, which every choice would lay out.
TEST(ChooseParams, OfAKeyOfVeryManyColumnsAreRefusedAtOnce) {
    VerifyingKey vk = value_of(load_task(vector_path("fib_2e5", ""))).vk;
    const std::vector<std::uint64_t> heights{1};
    for (const std::uint32_t width : {(1U << 22) + 1, std::numeric_limits<std::uint32_t>::max()}) {
        vk.airs[0].width.common_main = width;
        vk.pre_hash = value_of(verifying_key_pre_hash(vk));
        const auto choices = list_params(vk, heights, 5);
        const std::string message = std::to_string(width) + " columns, expected at most 4194304";
        EXPECT_NE(refusal(choices).find(message), std::string::npos) << refusal(choices);
    }
}

TEST(ChooseParams, OfKeccakfTakeTheStackedHeightOfItsBenchmark) {
    const std::vector<AnyAir> airs{KeccakAir{}};
    const std::vector<std::uint64_t> heights{std::uint64_t{1} << 15};
    const ParamsChoice fast = value_of(choose_params(airs, heights));
    EXPECT_EQ(fast.params.log_blowup, 1U);
    const ParamsChoice small = value_of(choose_params(airs, heights, 100, ParamsGoal::kSmallProof));
    EXPECT_LT(small.proof_bytes, fast.proof_bytes);
    EXPECT_GT(small.core_seconds, fast.core_seconds);
}

}  // namespace
}  // namespace whorl::test
