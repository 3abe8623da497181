// The row-by-row check: silent on every vector, exact about what is wrong otherwise.
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <whorl/air.hpp>
#include <whorl/check.hpp>

#include "airs/small.hpp"
#include "airs/tasks.hpp"
#include "vectors.hpp"

namespace whorl {
namespace {

using test::kVectorNames;
using test::load_key;
using test::value_of;
using testing::ElementsAre;
using testing::HasSubstr;

Fp fp(std::uint32_t value) {
    return Fp::from_canonical(value);
}

struct Checked {
    VerifyingKey vk;
    std::vector<AirTrace> traces;

    CheckReport report() const { return value_of(check_constraints(vk, traces)); }
};
Checked checked(const std::string& vector) {
    return {load_key(vector), vector_task(vector)->make_traces()};
}

class CheckVector : public testing::TestWithParam<std::string> {};

TEST_P(CheckVector, FindsNothingWrong) {
    const Checked task = checked(GetParam());
    const CheckReport report = task.report();
    EXPECT_TRUE(report.is_satisfied()) << describe(report);
    EXPECT_GT(report.num_constraints_checked + report.num_messages_checked, 0U);
}

INSTANTIATE_TEST_SUITE_P(, CheckVector, testing::ValuesIn(kVectorNames), [](const auto& info) { return info.param; });

TEST(Check, NamesTheFirstFailingConstraintWithItsValues) {
    Checked task = checked("fib_2e5");
    task.traces[0].common_main.at(20, 1) += fp(5);
    task.traces[0].common_main.at(28, 0) += fp(5);
    const CheckReport report = task.report();
    ASSERT_EQ(report.failures.size(), 1U);
    const ConstraintFailure& failure = report.failures[0];
    EXPECT_EQ(failure.air_id, 0U);
    EXPECT_EQ(failure.row, 19U);  // row 20 no longer follows from row 19
    EXPECT_EQ(failure.expression, "is_transition * (main[0] + main[1] - next main[1])");
    EXPECT_EQ(failure.value, -fp(5));
    ASSERT_EQ(failure.variables.size(), 3U);
    EXPECT_EQ(failure.variables[0].name, "main[0]");
    EXPECT_EQ(failure.variables[0].value, task.traces[0].common_main.at(19, 0));
    EXPECT_EQ(failure.variables[2].value, task.traces[0].common_main.at(20, 1));
    EXPECT_THAT(describe(report, std::vector<std::string>{"Fib"}),
                HasSubstr("AIR 0 (Fib), row 19: constraint 3 is -5"));
}

TEST(Check, SeesTheLastRowAndWrapsAround) {
    Checked task = checked("fib_height_1");
    task.traces[0].public_values[2] += fp(1);
    ASSERT_EQ(task.report().failures.size(), 1U);
    EXPECT_EQ(task.report().failures[0].expression, "is_last_row * (main[1] - public[2])");
}

TEST(Check, LooksAtCachedAndPreprocessedParts) {
    Checked task = checked("preprocessed_and_cached");
    task.traces[0].cached_mains[1].columns()->at(31, 0) += fp(1);
    const CheckReport report = task.report();
    ASSERT_EQ(report.failures.size(), 1U);
    EXPECT_EQ(report.failures[0].row, 30U);
    EXPECT_EQ(report.failures[0].expression,
              "is_transition * (next cached0[0] + next preprocessed[0] - next cached1[0])");
}

TEST(Check, ReportsEachAirOnce) {
    Checked task = checked("fib_three_airs_one_absent");
    for (AirTrace& trace : task.traces) trace.common_main.at(40, 0) += fp(1);
    const CheckReport report = task.report();
    ASSERT_EQ(report.failures.size(), 2U);
    EXPECT_EQ(report.failures[0].air_id, 0U);
    EXPECT_EQ(report.failures[1].air_id, 2U);
}

TEST(Check, FindsAFlippedBitInKeccak) {
    Checked task = checked("keccak_5_perms");
    Fp& bit = task.traces[0].common_main.at(77, KeccakColumns::a_prime(2, 3, 11));
    bit = Fp::one() - bit;
    const CheckReport report = task.report();
    ASSERT_EQ(report.failures.size(), 1U);
    EXPECT_EQ(report.failures[0].row, 77U);
}

TEST(Check, NamesUnbalancedMessagesAndWhereTheyComeFrom) {
    Checked task = checked("interactions");
    // The sender's row 1 sends 5 three times; now four times.
    task.traces[0].common_main.at(1, 0) = fp(4);
    const CheckReport report = task.report();
    EXPECT_TRUE(report.failures.empty());
    ASSERT_EQ(report.unbalanced_buses.size(), 1U);
    const UnbalancedBus& bus = report.unbalanced_buses[0];
    EXPECT_EQ(bus.bus_index, 0);
    EXPECT_FALSE(bus.has_more);
    ASSERT_EQ(bus.messages.size(), 1U);
    const UnbalancedMessage& message = bus.messages[0];
    EXPECT_THAT(message.fields, ElementsAre(fp(5)));
    EXPECT_EQ(message.net_count, fp(1));
    EXPECT_EQ(message.num_contributions, 3U);
    ASSERT_EQ(message.contributions.size(), 3U);
    EXPECT_EQ(message.contributions[0].air_id, 0U);
    EXPECT_EQ(message.contributions[0].row, 1U);
    EXPECT_EQ(message.contributions[0].count, fp(4));
    EXPECT_EQ(message.contributions[1].air_id, 1U);
    EXPECT_EQ(message.contributions[1].count, -fp(1));
    EXPECT_THAT(describe(report), HasSubstr("(5): net count 1 from 3 contributions"));
}

TEST(Check, ReportsEveryUnbalancedBus) {
    Checked task = checked("mixture");
    task.traces[1].common_main.at(0, 0) = fp(2);    // bus 0 by 2
    task.traces[11].common_main.at(3, 50) = fp(7);  // bus 5, many messages
    const CheckReport report = task.report();
    ASSERT_EQ(report.unbalanced_buses.size(), 2U);
    EXPECT_EQ(report.unbalanced_buses[0].bus_index, 0);
    EXPECT_EQ(report.unbalanced_buses[1].bus_index, 5);
    EXPECT_FALSE(report.unbalanced_buses[1].messages.empty());
}

TEST(Check, KeepsReportsOfVeryUnbalancedBusesShort) {
    VerifyingKey vk = load_key("interactions");
    vk.params.n_stack = 16;
    const std::size_t height = 1 << 16;
    std::vector<std::uint32_t> counts(height, 1);
    std::vector<std::vector<std::uint32_t>> fields;
    for (std::uint32_t row = 0; row < height; ++row) fields.push_back({row});
    const std::vector<AirTrace> traces{dummy_interaction_trace(0, {}, counts, fields)};
    const CheckReport report = value_of(check_constraints(vk, traces));
    ASSERT_EQ(report.unbalanced_buses.size(), 1U);
    EXPECT_TRUE(report.unbalanced_buses[0].has_more);
    EXPECT_LE(report.unbalanced_buses[0].messages.size(), 8U);
    EXPECT_GT(report.unbalanced_buses[0].messages.size(), 0U);
}

// The whole validation, shared with prove, is tested by tests/prove/input_test.cpp.
TEST(Check, RefusesTracesThatProveWouldRefuse) {
    Checked task = checked("preprocessed_and_cached");
    task.traces[0].cached_mains.pop_back();
    const std::vector<std::string> names = {"Fib"};
    const auto report = check_constraints(task.vk, task.traces, names);
    ASSERT_FALSE(report);
    EXPECT_EQ(report.error().code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(report.error().message, "AIR 0 \"Fib\": expected 2 cached parts, found 1");
}

}  // namespace
}  // namespace whorl
