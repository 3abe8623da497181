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
using testing::AllOf;
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
    EXPECT_TRUE(report.failing_airs.empty());
    EXPECT_GT(report.num_constraints_checked + report.num_messages_checked, 0U);
}

INSTANTIATE_TEST_SUITE_P(, CheckVector, testing::ValuesIn(kVectorNames), [](const auto& info) { return info.param; });

TEST(Check, NamesTheFirstFailingConstraintWithItsValues) {
    Checked task = checked("fib_2e5");
    task.traces[0].common_main.at(20, 1) += fp(5);
    task.traces[0].common_main.at(28, 0) += fp(5);
    const CheckReport report = task.report();
    ASSERT_EQ(report.failures.size(), 2U);
    ASSERT_EQ(report.failing_airs.size(), 1U);
    EXPECT_EQ(report.failing_airs[0].num_constraints, 2U);
    const ConstraintFailure& failure = report.failures[0];
    EXPECT_EQ(failure.air_id, 0U);
    EXPECT_EQ(failure.row, 19U);      // row 20 no longer follows from row 19
    EXPECT_EQ(failure.num_rows, 3U);  // rows 19, 20 and 28
    EXPECT_EQ(failure.expression, "when_transition: main[0] + main[1] == next main[1]");
    EXPECT_EQ(failure.value, -fp(5));
    ASSERT_EQ(failure.variables.size(), 3U);
    EXPECT_EQ(failure.variables[0].name, "main[0]");
    EXPECT_EQ(failure.variables[0].value, task.traces[0].common_main.at(19, 0));
    EXPECT_EQ(failure.variables[2].value, task.traces[0].common_main.at(20, 1));
    EXPECT_EQ(report.failures[1].row, 20U);
    EXPECT_EQ(report.failures[1].num_rows, 2U);  // rows 20 and 27
    EXPECT_THAT(
        describe(report, std::vector<std::string>{"Fib"}),
        AllOf(HasSubstr("AIR 0 (Fib): 2 constraints fail\n  constraint 3 `when_transition: main[0] + main[1] == next "
                        "main[1]` fails in row 19 (and 2 more rows)\n    it is -5, expected 0\n"),
              HasSubstr("` fails in row 20 (and 1 more row)\n")));
}

TEST(Check, SeesTheLastRowAndWrapsAround) {
    Checked task = checked("fib_height_1");
    task.traces[0].public_values[2] += fp(1);
    ASSERT_EQ(task.report().failures.size(), 1U);
    EXPECT_EQ(task.report().failures[0].expression, "when_last_row: main[1] == public[2]");
}

TEST(Check, LooksAtCachedAndPreprocessedParts) {
    Checked task = checked("preprocessed_and_cached");
    task.traces[0].cached_mains[1].columns()->at(31, 0) += fp(1);
    const CheckReport report = task.report();
    ASSERT_EQ(report.failures.size(), 2U);
    EXPECT_EQ(report.failures[1].row, 31U);
    EXPECT_EQ(report.failures[0].row, 30U);
    EXPECT_EQ(report.failures[0].expression,
              "when_transition: next cached0[0] + next preprocessed[0] == next cached1[0]");
}

TEST(Check, ReportsEachAir) {
    Checked task = checked("fib_three_airs_one_absent");
    for (AirTrace& trace : task.traces) trace.common_main.at(40, 0) += fp(1);
    const CheckReport report = task.report();
    ASSERT_EQ(report.failing_airs.size(), 2U);
    EXPECT_EQ(report.failing_airs[0].air_id, 0U);
    EXPECT_EQ(report.failing_airs[1].air_id, 2U);
    ASSERT_EQ(report.failures.size(), 4U);
    EXPECT_EQ(report.failures[1].air_id, 0U);
    EXPECT_EQ(report.failures[2].air_id, 2U);
}

TEST(Check, FindsAFlippedBitInKeccak) {
    Checked task = checked("keccak_5_perms");
    Fp& bit = task.traces[0].common_main.at(77, KeccakColumns::a_prime(2, 3, 11));
    bit = Fp::one() - bit;
    const CheckReport report = task.report();
    ASSERT_FALSE(report.failures.empty());
    EXPECT_EQ(report.failures[0].row, 77U);
}

// An AIR whose constraints all fail on all rows, more of them than are described.
struct AllWrong {
    std::string name() const { return "AllWrong"; }
    std::uint32_t width() const { return 100; }
    void eval(auto& builder) const {
        for (const auto& x : builder.main().local) builder.assert_one(x);
    }
};

TEST(Check, CountsFailuresThatItDoesNotDescribe) {
    const std::vector<AnyAir> airs{AllWrong{}};
    const ProvingKey key = value_of(keygen(test_params_small(2, 8, 3), airs));
    std::vector<AirTrace> traces(1);
    traces[0].common_main = Matrix(100, 1024);
    const CheckReport report = value_of(check_constraints(key.vk, traces, key.air_names, key.notes));
    ASSERT_EQ(report.failing_airs.size(), 1U);
    EXPECT_EQ(report.failing_airs[0].num_constraints, 100U);
    ASSERT_EQ(report.failures.size(), CheckReport::kFailuresPerAir);
    for (std::uint32_t i = 0; i < CheckReport::kFailuresPerAir; ++i) {
        EXPECT_EQ(report.failures[i].constraint, i);
        EXPECT_EQ(report.failures[i].num_rows, 1024U);
        EXPECT_EQ(report.failures[i].value, -Fp::one());
    }
    EXPECT_THAT(describe(report), AllOf(HasSubstr("AIR 0: 100 constraints fail"), HasSubstr("\n  and 92 more\n")));
}

WHORL_COLUMNS(CollatzColumns, n, is_odd, half);

struct Collatz {
    std::string name() const { return "Collatz"; }
    std::uint32_t width() const { return kNumColumns<CollatzColumns>; }
    void eval(auto& builder) const {
        const auto [local, next] = columns<CollatzColumns>(builder.main());
        builder.assert_bool(local.is_odd);
        builder.assert_eq(local.n, 2 * local.half + local.is_odd);
        builder.when_transition().assert_eq(next.n, local.half + local.is_odd * (3 * local.n + 1 - local.half), "step");
        PermutationBus{4, "numbers"}.send(builder, {local.n}, local.is_odd);
        PermutationBus{4, "numbers"}.receive(builder, {local.n}, local.is_odd);
    }
    static constexpr std::uint32_t kLine = __LINE__ - 4;  // of the step
};

TEST(Check, NamesLinesLabelsColumnsAndBuses) {
    const std::vector<AnyAir> airs{Collatz{}};
    const ProvingKey key = value_of(keygen(test_params_small(2, 8, 3), airs));
    std::vector<AirTrace> traces(1);
    Matrix& rows = traces[0].common_main = Matrix(3, 8);
    std::uint32_t n = 7;
    for (std::size_t row = 0; row < 8; ++row, n = n % 2 == 0 ? n / 2 : 3 * n + 1) {
        rows.at(row, 0) = fp(n);
        rows.at(row, 1) = fp(n % 2);
        rows.at(row, 2) = fp(n / 2);
    }
    EXPECT_TRUE(value_of(check_constraints(key.vk, traces, key.air_names, key.notes)).is_satisfied());
    rows.at(1, 0) += fp(2);
    rows.at(1, 2) += fp(1);
    rows.at(3, 1) = fp(5);
    const CheckReport report = value_of(check_constraints(key.vk, traces, key.air_names, key.notes));
    EXPECT_EQ(report.failures.at(0).note, (SourceNote{"check_test.cpp", Collatz::kLine, "step"}));
    const std::string text = describe(report, key.air_names);
    EXPECT_THAT(text,
                HasSubstr("check_test.cpp:" + std::to_string(Collatz::kLine) +
                          " \"step\" `when_transition: next.n == half + is_odd * (3 * n + 1 - half)` fails in row 0 "
                          "(and 2 more rows)\n"));
    EXPECT_THAT(text, HasSubstr("\n    next.n = 24\n"));
    EXPECT_THAT(text,
                HasSubstr(":" + std::to_string(Collatz::kLine - 2) + " `is_odd * (is_odd - 1) == 0` fails in row 3\n"));
}

TEST(Check, NamesTheLinesOfUnbalancedMessages) {
    Checked task = checked("interactions");
    const AirTask airs = *vector_task("interactions");
    const ProvingKey key = value_of(keygen(airs.params, airs.airs));
    task.traces[0].common_main.at(1, 0) = fp(4);
    KeyNotes notes = key.notes;
    notes.buses[0] = "numbers";
    const std::string text = describe(value_of(check_constraints(task.vk, task.traces, key.air_names, notes)));
    EXPECT_THAT(text, HasSubstr("bus 0 (numbers) does not balance:"));
    EXPECT_THAT(text, HasSubstr("4 at AIR 0, row 1, small.hpp:"));
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

// Half of a bus is missing where an AIR has no trace: that explains all of its messages.
TEST(Check, NamesAirsOfAnUnbalancedBusThatHaveNoTrace) {
    Checked task = checked("interactions");
    EXPECT_THAT(describe(task.report()), HasSubstr("all buses balance"));
    task.traces.pop_back();
    const CheckReport report = task.report();
    ASSERT_EQ(report.unbalanced_buses.size(), 1U);
    EXPECT_THAT(report.unbalanced_buses[0].absent_airs, ElementsAre(1U));
    EXPECT_THAT(describe(report, std::vector<std::string>{"Sender", "Receiver"}),
                HasSubstr("bus 0 does not balance:\n  AIR 1 (Receiver) has interactions on it, and no trace\n"));
    EXPECT_THAT(describe(report), HasSubstr(" from 1 contribution\n"));
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
    EXPECT_EQ(report.error().message, "AIR 0 (Fib): expected 2 cached parts, found 1");
}

}  // namespace
}  // namespace whorl
