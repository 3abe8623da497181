// What AIRs write down, and the DAG it becomes. The order of nodes is hashed into keys, so these tests spell it out.
#include <array>
#include <cstdint>
#include <random>
#include <string>
#include <type_traits>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <whorl/air.hpp>

#include "air/dag.hpp"
#include "air/render.hpp"
#include "airs/small.hpp"
#include "vectors.hpp"

namespace whorl {
namespace {

using Op = SymbolicNode::Op;
using testing::ElementsAre;
using testing::Key;

Expr constant(std::uint32_t value) {
    return Expr(Fp::from_canonical(value));
}
Expr column(std::uint32_t index) {
    return Expr::variable({.entry = Variable::Entry::kMain, .index = index});
}

// A node as text: "2: Add 0 1 /1".
std::string text_of(const SymbolicNode& node) {
    const auto with = [&](const std::string& name, int children) {
        return children == 2 ? fmt::format("{} {} {} /{}", name, node.left, node.right, node.degree)
                             : fmt::format("{} {} /{}", name, node.left, node.degree);
    };
    switch (node.op) {
        case Op::kVariable:
            return std::string(node.variable.offset == 1 ? "next" : "col") + std::to_string(node.variable.index);
        case Op::kIsFirstRow:
            return "first";
        case Op::kIsLastRow:
            return "last";
        case Op::kIsTransition:
            return "transition";
        case Op::kConstant:
            return signed_value(node.constant);
        case Op::kAdd:
            return with("add", 2);
        case Op::kSub:
            return with("sub", 2);
        case Op::kNeg:
            return with("neg", 1);
        case Op::kMul:
            return with("mul", 2);
    }
    return "";
}

struct TextDag {
    std::vector<std::string> nodes;
    std::vector<std::uint32_t> constraints;
};
TextDag dag_of(const std::vector<Expr>& constraints) {
    const ConstraintDag dag = build_constraint_dag(constraints, {});
    TextDag text{{}, dag.constraint_idx};
    for (const SymbolicNode& node : dag.nodes) text.nodes.push_back(text_of(node));
    return text;
}

TEST(Degree, IsThatOfTheExpressionAsWritten) {
    EXPECT_EQ(constant(5).degree(), 0U);
    EXPECT_EQ(column(0).degree(), 1U);
    EXPECT_EQ(Expr::variable({.entry = Variable::Entry::kPublic}).degree(), 0U);
    EXPECT_EQ(Expr::is_transition().degree(), 1U);
    EXPECT_EQ((column(0) * column(1) - column(2)).degree(), 2U);
    EXPECT_EQ((-(column(0) * column(1)) * constant(0)).degree(), 2U);
    Expr power = column(0);
    for (int i = 0; i < 40; ++i) power *= power;
    EXPECT_EQ(power.degree(), 0xffffffffU);  // saturates
}

TEST(Dag, StoresEqualExpressionsOnce) {
    const TextDag dag = dag_of({column(0) * column(1), column(0) * column(1) + column(2), column(1) * column(0)});
    EXPECT_THAT(dag.nodes, ElementsAre("col0", "col1", "mul 0 1 /2", "col2", "add 2 3 /2", "mul 1 0 /2"));
    EXPECT_THAT(dag.constraints, ElementsAre(2, 4, 5));
}

TEST(Dag, SortsConstraintsAndDropsRepeats) {
    const Expr late = column(0) - column(1);
    EXPECT_THAT(dag_of({late, column(0), late, column(1)}).constraints, ElementsAre(0, 1, 2));
}

TEST(Dag, TellsWhichConstraintBecameWhich) {
    const Expr late = column(0) - column(1);
    const std::vector<Expr> constraints{late, column(0), late, column(1), column(1) + constant(0)};
    EXPECT_THAT(build_constraint_dag(constraints, {}).position_of, ElementsAre(2, 0, 2, 1, 1));
}

TEST(Dag, FoldsConstantsAndKeepsTheirNodes) {
    EXPECT_THAT(dag_of({constant(2) + constant(3)}).nodes, ElementsAre("2", "3", "5"));
    EXPECT_THAT(dag_of({constant(2) - constant(3)}).nodes, ElementsAre("2", "3", "-1"));
    EXPECT_THAT(dag_of({constant(2) * constant(3)}).nodes, ElementsAre("2", "3", "6"));
    EXPECT_THAT(dag_of({-constant(2)}).nodes, ElementsAre("2", "-2"));
    EXPECT_THAT(dag_of({constant(2) + constant(2)}).nodes, ElementsAre("2", "4"));
}

TEST(Dag, DropsNeutralElements) {
    for (const Expr& same : {column(0) + constant(0), column(0) - constant(0), column(0) * constant(1)}) {
        const TextDag dag = dag_of({same});
        EXPECT_EQ(dag.nodes.size(), 2U);
        EXPECT_THAT(dag.constraints, ElementsAre(0));
    }
    EXPECT_THAT(dag_of({constant(0) + column(0)}).constraints, ElementsAre(1));
    EXPECT_THAT(dag_of({constant(1) * column(0)}).constraints, ElementsAre(1));
    EXPECT_THAT(dag_of({constant(0) * column(0)}).constraints, ElementsAre(0));
    EXPECT_THAT(dag_of({column(0) * constant(0)}).constraints, ElementsAre(1));
    EXPECT_THAT(dag_of({constant(0) - column(0)}).nodes, ElementsAre("0", "col0", "sub 0 1 /1"));
}

TEST(Dag, TurnsSumsWithANegativeIntoDifferences) {
    EXPECT_THAT(dag_of({column(0) + -column(1)}).nodes, ElementsAre("col0", "col1", "neg 1 /1", "sub 0 1 /1"));
    EXPECT_THAT(dag_of({column(0) - -column(1)}).nodes, ElementsAre("col0", "col1", "neg 1 /1", "add 0 1 /1"));
    EXPECT_THAT(dag_of({-column(0) + column(1)}).nodes, ElementsAre("col0", "neg 0 /1", "col1", "add 1 2 /1"));
    EXPECT_THAT(dag_of({-(-column(0))}).nodes, ElementsAre("col0", "neg 0 /1", "neg 1 /1"));
}

TEST(Dag, TellsExpressionsOfDifferentDegreeApart) {
    // x·0 is the node 0, but what is built on it keeps the degree as written.
    const Expr plain = constant(0) - column(1);
    const Expr raised = column(0) * column(0) * constant(0) - column(1);
    EXPECT_THAT(dag_of({plain, raised}).nodes,
                ElementsAre("0", "col1", "sub 0 1 /1", "col0", "mul 3 3 /2", "sub 0 1 /2"));
}

TEST(Dag, AddsInteractionsAfterConstraintsMessageFirst) {
    const Interaction<Expr> interaction{7, {column(2), column(1) + column(2)}, -column(0), 3};
    const std::vector<Expr> constraints{column(1)};
    const ConstraintDag dag = build_constraint_dag(constraints, {&interaction, 1});
    ASSERT_EQ(dag.interactions.size(), 1U);
    EXPECT_EQ(dag.interactions[0], (SymbolicInteraction{{1, 2}, 4, 7, 3}));
    EXPECT_EQ(text_of(dag.nodes[3]), "col0");
}

TEST(Dag, HandlesVeryLongSums) {
    Expr sum = column(0);
    for (std::uint32_t i = 1; i < 300'000; ++i) sum = sum + column(i);
    EXPECT_EQ(dag_of({sum}).nodes.size(), 599'999U);
}

TEST(Builder, PutsConditionsOnTheLeftOuterFirst) {
    SymbolicBuilder builder({std::nullopt, {}, 3}, 0);
    const auto& local = builder.main().local;
    builder.when(local[0]).when(local[1]).assert_zero(local[2]);
    builder.when_transition().when_ne(local[0], local[1]).assert_eq(local[1], local[2]);
    const auto conditional = builder.when_first_row().when(local[0]);
    auto both = conditional;
    both.assert_bool(local[1]);

    AirVerifyingKey air;
    air.width.common_main = 3;
    const ConstraintDag dag = build_constraint_dag(builder.constraints(), {});
    air.nodes = dag.nodes;
    EXPECT_EQ(render_expression(air, {}, dag.constraint_idx[0]), "main[0] * (main[1] * main[2])");
    EXPECT_EQ(render_expression(air, {}, dag.constraint_idx[1]),
              "is_transition * ((main[0] - main[1]) * (main[1] - main[2]))");
    EXPECT_EQ(render_expression(air, {}, dag.constraint_idx[2]),
              "is_first_row * (main[0] * (main[1] * (main[1] - 1)))");
}

TEST(Builder, NumbersPartsInTheOrderOfTheKey) {
    SymbolicBuilder builder({2, {1, 4}, 3}, 2);
    const auto variable = [](const Expr& expression) { return expression.node().variable; };
    EXPECT_EQ(variable(builder.main().next[2]), (Variable{Variable::Entry::kMain, 2, 1, 2}));
    EXPECT_EQ(variable(builder.cached_main(1).local[3]), (Variable{Variable::Entry::kMain, 1, 0, 3}));
    EXPECT_EQ(variable(builder.preprocessed().next[1]), (Variable{Variable::Entry::kPreprocessed, 0, 1, 1}));
    EXPECT_EQ(variable(builder.public_values()[1]), (Variable{Variable::Entry::kPublic, 0, 0, 1}));
    for (const auto& part : builder.reads()) EXPECT_TRUE(part->faults.empty());
}

TEST(Builder, RemembersReadsOfColumnsThatDoNotExist) {
    SymbolicBuilder builder({std::nullopt, {1}, 3}, 0);
    builder.assert_zero(builder.cached_main(0).next[1]);
    const std::uint32_t line = __LINE__ - 1;
    for (int i = 0; i < 100; ++i) builder.assert_zero(builder.main().local[9]);
    const PartReads& cached = *builder.reads()[0];
    EXPECT_EQ(cached.part, "cached main 0");
    EXPECT_EQ(cached.width, 1U);
    ASSERT_EQ(cached.faults.size(), 1U);
    EXPECT_EQ(cached.faults[0].index, 1U);
    EXPECT_EQ(cached.faults[0].place.line(), line);
    EXPECT_EQ(builder.reads()[2]->faults.size(), PartReads::kMaxFaults);
}

TEST(Builder, KeepsTheLineAndTheLabelOfEachAssertionAndInteraction) {
    SymbolicBuilder builder({std::nullopt, {}, 3}, 0);
    const auto& local = builder.main().local;
    const PermutationBus bus{7, "memory"};
    const std::uint32_t first = __LINE__ + 1;
    builder.assert_zero(local[0]);
    builder.assert_eq(local[0], local[1], "a label");
    builder.when_transition().when(local[2]).assert_bool(local[1], std::string("another"));
    builder.when_last_row().assert_zero(local[1]);
    builder.assert_one(local[2]);
    bus.send(builder, {local[0], 5}, 1, "sent");
    builder.push_interaction(8, {local[1]}, local[2], 1);
    const std::vector<std::uint32_t> lines{0, 1, 2, 3, 4};
    const std::vector<std::string> labels{"", "a label", "another", "", ""};
    ASSERT_EQ(builder.constraint_notes().size(), 5U);
    for (std::size_t i = 0; i < 5; ++i) {
        const Note& note = builder.constraint_notes()[i];
        EXPECT_EQ(note.line(), first + lines[i]) << i;
        EXPECT_EQ(note.label(), labels[i]) << i;
        EXPECT_THAT(note.file(), testing::EndsWith("builder_test.cpp"));
    }
    ASSERT_EQ(builder.interaction_notes().size(), 2U);
    EXPECT_EQ(builder.interaction_notes()[0].line(), first + 5);
    EXPECT_EQ(builder.interaction_notes()[0].label(), "sent");
    EXPECT_EQ(builder.interaction_notes()[1].line(), first + 6);
    ASSERT_EQ(builder.bus_names().size(), 1U);
    EXPECT_THAT(builder.bus_names().at(7), ElementsAre(Key("memory")));
}

TEST(Builder, TakesWholeNumbersAsExpressions) {
    SymbolicBuilder builder({std::nullopt, {}, 2}, 0);
    const auto& local = builder.main().local;
    builder.assert_eq(local[0], 5);
    builder.assert_zero(3 * local[0] - (local[1] + 1));
    builder.when(local[0] - 7).assert_eq(2, local[1]);
    builder.assert_zero(local[0] * std::int64_t{-1});
    builder.assert_zero(local[0] + std::uint64_t{Fp::kModulus + 2ULL});
    AirVerifyingKey air;
    air.width.common_main = 2;
    const ConstraintDag dag = build_constraint_dag(builder.constraints(), {});
    air.nodes = dag.nodes;
    const std::vector<std::string> expected{"main[0] == 5", "3 * main[0] == main[1] + 1",
                                            "(main[0] - 7) * (2 - main[1]) == 0", "main[0] * -1 == 0",
                                            "main[0] + 2 == 0"};
    for (std::size_t i = 0; i < expected.size(); ++i) {
        EXPECT_EQ(render_constraint(air, {}, dag.constraint_idx[dag.position_of[i]]), expected[i]);
    }
    static_assert(!std::is_convertible_v<bool, Expr>);
}

WHORL_COLUMNS(Limbs, n, pairs[2][3], last);

// Without names, and nested.
template <class T>
struct Inner {
    T low, high;
};
template <class T>
struct Nested {
    std::array<Inner<T>, 2> words;
    T flag;
};

TEST(Columns, AreReadAsAStructWithNames) {
    static_assert(kNumColumns<Limbs> == 8);
    SymbolicBuilder builder({2, {8}, 5}, 1);
    const auto variable = [](const Expr& expression) { return expression.node().variable; };
    const auto [local, next] = columns<Limbs>(builder.cached_main(0));
    EXPECT_EQ(variable(local.n), (Variable{Variable::Entry::kMain, 0, 0, 0}));
    EXPECT_EQ(variable(local.pairs[1][0]), (Variable{Variable::Entry::kMain, 0, 0, 4}));
    EXPECT_EQ(variable(next.last), (Variable{Variable::Entry::kMain, 0, 1, 7}));
    const auto nested = columns<Nested>(builder.main().next);
    EXPECT_EQ(variable(nested.words[1].high), (Variable{Variable::Entry::kMain, 1, 1, 3}));
    EXPECT_EQ(variable(nested.flag), (Variable{Variable::Entry::kMain, 1, 1, 4}));
    EXPECT_THAT(builder.reads()[0]->names, ElementsAre("n", "pairs[0][0]", "pairs[0][1]", "pairs[0][2]", "pairs[1][0]",
                                                       "pairs[1][1]", "pairs[1][2]", "last"));
    EXPECT_TRUE(builder.reads()[2]->names.empty());
    for (const auto& part : builder.reads()) EXPECT_TRUE(part->faults.empty());
}

TEST(Columns, MakeAMatrixOfTheirRows) {
    const auto fp = [](std::uint32_t value) { return Fp::from_canonical(value); };
    std::vector<Limbs<Fp>> rows(4);
    rows[1].n = fp(7);
    rows[2].pairs[1][2] = fp(8);
    rows[3].last = fp(9);
    const Matrix matrix = test::value_of(matrix_of<Limbs>(rows));
    ASSERT_EQ(matrix.width(), 8U);
    ASSERT_EQ(matrix.height(), 4U);
    for (std::size_t row = 0; row < 4; ++row) {
        for (std::size_t c = 0; c < 8; ++c) {
            const std::uint32_t expected = row == 1 && c == 0 ? 7 : row == 2 && c == 6 ? 8 : row == 3 && c == 7 ? 9 : 0;
            EXPECT_EQ(matrix.at(row, c), fp(expected)) << row << ' ' << c;
        }
    }
    const Matrix nested = test::value_of(matrix_of<Nested>(std::vector<Nested<Fp>>(2)));
    EXPECT_EQ(nested.width(), 5U);
    EXPECT_EQ(test::value_of(matrix_of<Limbs>(std::vector<Limbs<Fp>>())).width(), 0U);
}

TEST(Columns, OfAnotherWidthThanThePartAreAFault) {
    SymbolicBuilder builder({std::nullopt, {}, 5}, 0);
    const auto local = columns<Limbs>(builder.main().local);
    const std::uint32_t line = __LINE__ - 1;
    EXPECT_EQ(local.last.node().op, Op::kConstant);
    const PartReads& part = *builder.reads()[1];
    ASSERT_EQ(part.faults.size(), 1U);
    EXPECT_TRUE(part.faults[0].is_struct);
    EXPECT_EQ(part.faults[0].index, 8U);
    EXPECT_EQ(part.faults[0].place.line(), line);
    EXPECT_TRUE(part.names.empty());
}

TEST(Columns, AreReadFromTheValuesOfOtherBuilders) {
    const std::vector<Fp> row{Fp::zero(), Fp::one(), Fp::half(), Fp::zero(), Fp::from_integer(4)};
    EXPECT_EQ(columns<Nested>(row).words[1].low, Fp::half());
    EXPECT_EQ(columns<Nested>(row).flag, Fp::from_integer(4));
}

TEST(Render, WritesConstraintsAsEquations) {
    SymbolicBuilder builder({std::nullopt, {}, 2}, 0);
    const auto& [local, next] = builder.main();
    builder.when_transition().assert_eq(next[0], 3 * local[0] + 1);
    builder.when_first_row().when_transition().assert_bool(local[1]);
    builder.when(local[1]).when_last_row().assert_zero(local[0]);
    const ConstraintDag dag = build_constraint_dag(builder.constraints(), {});
    AirVerifyingKey air;
    air.width.common_main = 2;
    air.nodes = dag.nodes;
    const AirNotes named{.common_main = {"n", ""}};
    const auto text = [&](std::size_t i, const AirNotes& notes) {
        return render_constraint(air, notes, dag.constraint_idx[dag.position_of[i]]);
    };
    EXPECT_EQ(text(0, {}), "when_transition: next main[0] == 3 * main[0] + 1");
    EXPECT_EQ(text(0, named), "when_transition: next.n == 3 * n + 1");
    EXPECT_EQ(text(1, named), "when_first_row: when_transition: main[1] * (main[1] - 1) == 0");
    EXPECT_EQ(text(2, named), "main[1] * (is_last_row * n) == 0");
}

TEST(Render, NamesVariablesOfAllParts) {
    AirVerifyingKey air;
    air.width = {1, {2}, 1};
    const AirNotes notes{
        .common_main = {"m"}, .cached_mains = {{"a", "b"}}, .preprocessed = {"p"}, .public_values = {"v"}};
    using Entry = Variable::Entry;
    EXPECT_EQ(variable_name(air, notes, {Entry::kMain, 1, 1, 0}), "next.m");
    EXPECT_EQ(variable_name(air, notes, {Entry::kMain, 0, 1, 1}), "next cached0.b");
    EXPECT_EQ(variable_name(air, notes, {Entry::kPreprocessed, 0, 0, 0}), "preprocessed.p");
    EXPECT_EQ(variable_name(air, notes, {Entry::kPublic, 0, 0, 0}), "public.v");
    EXPECT_EQ(variable_name(air, {}, {Entry::kMain, 0, 1, 1}), "next cached0[1]");
    EXPECT_EQ(variable_name(air, {}, {Entry::kMain, 1, 1, 0}), "next main[0]");
    EXPECT_EQ(variable_name(air, {}, {Entry::kPublic, 0, 0, 0}), "public[0]");
}

TEST(Buses, FollowTheReferencesSignsAndWeights) {
    SymbolicBuilder builder({std::nullopt, {}, 2}, 0);
    const auto& local = builder.main().local;
    LookupBus{4}.lookup_key(builder, {local[0]}, local[1]);
    LookupBus{4}.add_key_with_lookups(builder, {local[0]}, local[1]);
    PermutationBus{9}.send(builder, {local[0]}, local[1]);
    PermutationBus{9}.receive(builder, {local[0]}, local[1]);
    PermutationBus{9}.interact(builder, {local[0]}, local[1]);
    const bool is_negated[] = {false, true, false, true, false};
    const std::uint32_t weights[] = {1, 0, 1, 1, 1};
    for (std::size_t i = 0; i < 5; ++i) {
        const auto& interaction = builder.interactions()[i];
        EXPECT_EQ(interaction.bus_index, i < 2 ? 4 : 9);
        EXPECT_EQ(interaction.count.node().op, is_negated[i] ? Op::kNeg : Op::kVariable);
        EXPECT_EQ(interaction.count_weight, weights[i]);
    }
}

// A second builder: eval is a template, here run on the numbers of one row.
class RowBuilder : public AirBuilder<RowBuilder, Fp> {
public:
    RowBuilder(const AirTrace& trace, std::size_t row)
        : is_first_(row == 0 ? Fp::one() : Fp::zero()),
          is_last_(row + 1 == trace.height() ? Fp::one() : Fp::zero()),
          public_values_(trace.public_values) {
        for (std::size_t c = 0; c < trace.common_main.width(); ++c) {
            window_.local.push_back(trace.common_main.at(row, c));
            window_.next.push_back(trace.common_main.at((row + 1) % trace.height(), c));
        }
    }
    struct Window {
        std::vector<Fp> local, next;
    };
    const Window& main() const { return window_; }
    const std::vector<Fp>& public_values() const { return public_values_; }
    Fp is_first_row() const { return is_first_; }
    Fp is_last_row() const { return is_last_; }
    Fp is_transition() const { return Fp::one() - is_last_; }
    void assert_zero(Fp x) { values.push_back(x); }

    std::vector<Fp> values;

private:
    Window window_;
    Fp is_first_, is_last_;
    std::vector<Fp> public_values_;
};

TEST(Builder, CanBeAnotherThanTheSymbolicOne) {
    AirTrace trace = fibonacci_trace(0, 1, 1, 8);
    for (std::size_t row = 0; row < 8; ++row) {
        RowBuilder builder(trace, row);
        FibonacciAir{}.eval(builder);
        EXPECT_THAT(builder.values, testing::Each(Fp::zero()));
    }
    trace.common_main.at(3, 1) += Fp::one();
    RowBuilder builder(trace, 3);
    FibonacciAir{}.eval(builder);
    EXPECT_THAT(builder.values, testing::Contains(testing::Ne(Fp::zero())));
}

TEST(Render, ShortensLongExpressions) {
    Expr sum = column(0);
    for (std::uint32_t i = 1; i < 1000; ++i) sum = sum + column(i);
    AirVerifyingKey air;
    air.width.common_main = 1000;
    const std::vector<Expr> constraints{sum};
    const ConstraintDag dag = build_constraint_dag(constraints, {});
    air.nodes = dag.nodes;
    const std::string text = render_expression(air, {}, dag.constraint_idx[0], 50);
    EXPECT_LT(text.size(), 100U);
    EXPECT_THAT(text, testing::HasSubstr("…"));
    EXPECT_EQ(variables_of(air, dag.constraint_idx[0]).size(), 1000U);
}

}  // namespace
}  // namespace whorl
