// Keys beyond those of the vectors: parts, unused columns, height constraints, and every way keygen fails.
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <whorl/air.hpp>

#include "air/keygen.hpp"
#include "airs/small.hpp"
#include "key/height_bounds.hpp"

namespace whorl {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

// An AIR from parts, for tests that need an odd one.
struct TestAir {
    std::function<void(SymbolicBuilder&)> constraints = [](SymbolicBuilder&) {};
    std::uint32_t num_columns = 1;
    std::vector<std::uint32_t> cached = {};
    std::optional<Matrix> fixed = {};

    std::string name() const { return "TestAir"; }
    std::uint32_t width() const { return num_columns; }
    std::vector<std::uint32_t> cached_main_widths() const { return cached; }
    std::optional<Matrix> preprocessed() const { return fixed; }
    void eval(SymbolicBuilder& builder) const { constraints(builder); }
};

const SystemParams kParams = test_params_small(2, 8, 3);

Result<ProvingKey> keys_of(std::vector<AnyAir> airs, const SystemParams& params = kParams) {
    return generate_keys(params, airs, [](const SystemParams&, const Matrix& matrix) -> Result<MatrixCommitment> {
        if (matrix.at(0, 0) == Fp::from_canonical(13)) return Error{ErrorCode::kMachine, "commit", "out of memory"};
        return MatrixCommitment{.commit = {Fp::one()}, .stacking_width = 1};
    });
}

void expect_error(std::vector<AnyAir> airs, const std::string& message, const SystemParams& params = kParams) {
    const auto key = keys_of(std::move(airs), params);
    ASSERT_FALSE(key) << message;
    EXPECT_EQ(key.error().code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(key.error().stage, "keygen");
    EXPECT_THAT(key.error().message, HasSubstr(message));
}

TEST(Keygen, RejectsAirsThatCannotBeProved) {
    expect_error({}, "the list of AIRs is empty");
    expect_error({TestAir{.num_columns = 0}},
                 "AIR 0 (TestAir): the main trace has no columns, expected at least 1; return");
    expect_error({FibonacciAir{}, TestAir{}}, "AIR 1 (TestAir): there is neither a constraint nor an interaction");
    expect_error({DummyInteractionAir{.num_fields = 0}}, "interaction 0 has an empty message");
    expect_error({TestAir{[](SymbolicBuilder& b) { b.assert_zero(b.main().next[3]); }}},
                 "column 3 of the common main is read, which has 1 column; raise");
    expect_error({TestAir{[](SymbolicBuilder& b) { b.assert_zero(b.cached_main(2).next[0]); }}},
                 "a cached main beyond the 0 there are");
    expect_error({TestAir{[](SymbolicBuilder& b) { b.assert_zero(b.public_values()[0]); }}},
                 "public value 0 is read, the AIR declares none");
}

TEST(Keygen, RejectsMessagesThatAreTooLong) {
    const auto air_with_message = [](std::size_t length) {
        return TestAir{[length](SymbolicBuilder& b) {
            b.push_interaction(0, std::vector<Expr>(length, b.main().local[0]), b.one(), 1);
        }};
    };
    EXPECT_TRUE(keys_of({air_with_message(127)}));
    expect_error({air_with_message(128)}, "a message of 128 fields, at most 127 fit");
}

TEST(Keygen, RejectsDegreesAboveTheParameters) {
    const auto cube = [](SymbolicBuilder& b) { return b.main().local[0] * b.main().local[0] * b.main().local[0]; };
    EXPECT_TRUE(keys_of({TestAir{[&](SymbolicBuilder& b) { b.assert_zero(cube(b)); }}}));
    expect_error(
        {TestAir{[&](SymbolicBuilder& b) {
            b.assert_zero(b.main().local[0]);
            b.when_first_row().assert_zero(cube(b));
        }}},
        ": constraint 1 `when_first_row: main[0] * main[0] * main[0] == 0` has degree 4, at most 3 is possible");
    expect_error(
        {TestAir{[&](SymbolicBuilder& b) { b.push_interaction(0, {b.one(), cube(b) * cube(b)}, b.one(), 0); }}},
        "field 1 of interaction 0 `main[0] * main[0] * main[0] * (main[0] * main[0] * main[0])` has degree 6");
    expect_error({TestAir{[&](SymbolicBuilder& b) {
                     b.push_interaction(0, {b.one()}, cube(b) * b.main().local[0] * b.zero(), 0);
                 }}},
                 "the count of interaction 0 `0` has degree 4");
}

TEST(Keygen, RejectsPreprocessedPartsThatDoNotFit) {
    const auto with = [](Matrix matrix) {
        return TestAir{.constraints = [](SymbolicBuilder& b) { b.assert_zero(b.main().local[0]); },
                       .fixed = std::move(matrix)};
    };
    expect_error({with(Matrix(0, 4))}, "no columns");
    expect_error({with(Matrix(1, 3))}, "3 rows, expected a power of two");
    expect_error({with(Matrix(1, 0))}, "0 rows, expected a power of two");
    expect_error({with(Matrix(1, 2048))}, "2^11 rows, at most 2^10 fit");
    const auto failing = keys_of({with(Matrix({Fp::from_canonical(13)}, 1, 1))});
    ASSERT_FALSE(failing);
    EXPECT_EQ(failing.error().code, ErrorCode::kMachine);
    EXPECT_THAT(to_string(failing.error()), AllOf(HasSubstr("AIR 0 (TestAir)"), HasSubstr("out of memory")));
}

TEST(Keygen, NamesAllErrorsOfAllAirsWithTheirLines) {
    const auto cube = [](const Expr& x) { return x * x * x; };
    const std::uint32_t line = __LINE__;
    const std::vector<AnyAir> airs{TestAir{[&](SymbolicBuilder& b) {
                                       const auto& local = b.main().local;
                                       b.assert_zero(local[7]);
                                       b.when(local[0]).assert_eq(cube(local[0]), 1, "too high");
                                       PermutationBus{3}.send(b, {}, 1);
                                   }},
                                   FibonacciAir{}, TestAir{[](SymbolicBuilder&) { throw std::runtime_error("no"); }},
                                   TestAir{.num_columns = 0}, TestAir{[](SymbolicBuilder&) { throw 5; }}};
    const auto key = keys_of(airs);
    ASSERT_FALSE(key);
    const std::string& message = key.error().message;
    const std::string at = "\n  AIR 0 (TestAir), keygen_test.cpp:";
    EXPECT_THAT(message, testing::StartsWith("6 errors\n"));
    EXPECT_THAT(message, HasSubstr(at + std::to_string(line + 3) + ": column 7 of the common main is read"));
    EXPECT_THAT(message, HasSubstr(at + std::to_string(line + 4) +
                                   " \"too high\": constraint 1 `main[0] * (main[0] * main[0] * main[0] - 1) == 0` has "
                                   "degree 4"));
    EXPECT_THAT(message, HasSubstr(at + std::to_string(line + 5) + ": interaction 0 has an empty message"));
    EXPECT_THAT(message, HasSubstr("\n  AIR 2 (TestAir): eval() threw: no; "));
    EXPECT_THAT(message, HasSubstr("\n  AIR 3 (TestAir): the main trace has no columns"));
    EXPECT_THAT(message, HasSubstr("\n  AIR 4 (TestAir): eval() threw what is no std::exception; "));
}

TEST(Keygen, KeepsItsMessageShort) {
    const auto key = keys_of({TestAir{[](SymbolicBuilder& b) {
        for (int i = 0; i < 1000; ++i) PermutationBus{3}.send(b, {}, 1);
    }}});
    ASSERT_FALSE(key);
    EXPECT_THAT(key.error().message, AllOf(testing::StartsWith("1000 errors"), testing::EndsWith("\n  and 980 more")));
}

// keygen and check_constraints count constraints alike: as the key does, not as eval() says them.
TEST(Keygen, NotesStandInTheOrderOfTheKey) {
    const std::uint32_t line = __LINE__;
    const auto key = keys_of({TestAir{[](SymbolicBuilder& b) {
                                          const Expr x = b.main().local[0];
                                          const Expr y = b.main().local[1];
                                          b.assert_eq(x, y, "late");
                                          b.assert_zero(x, "early");
                                          b.assert_eq(x, y, "again");
                                          LookupBus{2, "table"}.lookup_key(b, {x}, y, "asked");
                                      },
                                      2}});
    ASSERT_TRUE(key);
    ASSERT_EQ(key->notes.airs.size(), 1U);
    const AirNotes& notes = key->notes.airs[0];
    EXPECT_THAT(notes.constraints, ElementsAre(SourceNote{"keygen_test.cpp", line + 5, "early"},
                                               SourceNote{"keygen_test.cpp", line + 4, "late"}));
    EXPECT_THAT(notes.interactions, ElementsAre(SourceNote{"keygen_test.cpp", line + 7, "asked"}));
    EXPECT_EQ(key->notes.buses.at(2), "table");
}

WHORL_COLUMNS(ThreeColumns, a, b[2]);

struct NamedAir {
    std::vector<std::string> names = {};

    std::string name() const { return "NamedAir"; }
    std::uint32_t width() const { return 3; }
    std::vector<std::uint32_t> cached_main_widths() const { return {3}; }
    std::uint32_t num_public_values() const { return 3; }
    std::vector<std::string> column_names() const { return names; }
    void eval(auto& builder) const {
        builder.assert_zero(columns<ThreeColumns>(builder.main()).next.b[1]);
        builder.assert_zero(columns<ThreeColumns>(builder.cached_main(0).local).a);
        builder.assert_zero(columns<ThreeColumns>(builder.public_values()).b[0]);
    }
};

TEST(Keygen, KeepsNamesOfColumns) {
    const auto key = keys_of({NamedAir{}, NamedAir{{"x", std::string(300, 'y'), "z"}}});
    ASSERT_TRUE(key);
    const AirNotes& notes = key->notes.airs[0];
    EXPECT_THAT(notes.common_main, ElementsAre("a", "b[0]", "b[1]"));
    EXPECT_THAT(notes.cached_mains, ElementsAre(ElementsAre("a", "b[0]", "b[1]")));
    EXPECT_THAT(notes.public_values, ElementsAre("a", "b[0]", "b[1]"));
    EXPECT_THAT(notes.preprocessed, ElementsAre());
    // column_names() counts before the struct.
    EXPECT_THAT(key->notes.airs[1].common_main, ElementsAre("x", std::string(kMaxNoteBytes, 'y'), "z"));
    expect_error({NamedAir{{"x"}}}, "column_names() has 1 names, expected 3 as width() says, or none");
}

TEST(Keygen, RejectsStructsOfColumnsOfAnotherWidth) {
    expect_error({TestAir{[](SymbolicBuilder& b) { b.assert_zero(columns<ThreeColumns>(b.main()).local.a); }, 4}},
                 "the common main is read as 3 columns, expected its 4; make");
    // Once, although both rows of the window are read so.
    const auto key =
        keys_of({TestAir{[](SymbolicBuilder& b) { b.assert_zero(columns<ThreeColumns>(b.main()).local.a); }, 4}});
    ASSERT_FALSE(key);
    EXPECT_THAT(key.error().message, Not(HasSubstr("2 errors")));
}

TEST(Keygen, RejectsPublicValuesThatTheAirDoesNotDeclare) {
    expect_error({TestAir{[](SymbolicBuilder& b) { b.assert_zero(b.public_values()[0] - b.main().local[0]); }}},
                 "public value 0 is read, the AIR declares none; return their number from num_public_values()");
}

TEST(Keygen, RejectsColumnsOfAnotherAir) {
    // Each is read by an AIR of one column alone.
    const auto kept = std::make_shared<std::vector<Expr>>();
    const TestAir rich{.constraints =
                           [kept](SymbolicBuilder& b) {
                               kept->assign({b.main().local[3], b.cached_main(0).local[1], b.preprocessed().local[0]});
                               b.assert_zero(b.main().local[0]);
                           },
                       .num_columns = 4,
                       .cached = {2},
                       .fixed = Matrix(1, 4)};
    for (std::size_t i = 0; i < 3; ++i) {
        expect_error({rich, TestAir{[kept, i](SymbolicBuilder& b) { b.assert_zero((*kept)[i] * b.main().local[0]); }}},
                     "AIR 1 (TestAir): an expression reads a column that this AIR does not have");
        expect_error({rich, TestAir{[kept, i](SymbolicBuilder& b) { b.push_interaction(0, {(*kept)[i]}, 1, 1); }}},
                     "AIR 1 (TestAir): an expression reads a column that this AIR does not have");
    }
}

TEST(Keygen, RejectsABusWithTwoNames) {
    constexpr unsigned line = __LINE__ + 2;
    const auto sender = [](std::string_view name) {
        return TestAir{[name](SymbolicBuilder& b) { PermutationBus{5, name}.send(b, {b.main().local[0]}, 1); }};
    };
    EXPECT_TRUE(keys_of({sender("a"), sender(""), sender("a")}));
    const std::string place = fmt::format("keygen_test.cpp:{}", line);
    expect_error(
        {sender("a"), sender("b")},
        fmt::format("AIR 1 (TestAir), {}: bus 5 is named \"b\", and \"a\" by AIR 0 (TestAir), {}; give each bus", place,
                    place));
}

// Nothing that messages need is in the key.
TEST(Keygen, NotesDoNotChangeTheKey) {
    const auto plain = TestAir{[](SymbolicBuilder& b) { b.push_interaction(1, {b.main().local[0]}, b.one(), 1); }};
    const auto noted =
        TestAir{[](SymbolicBuilder& b) { PermutationBus{1, "name"}.send(b, {b.main().local[0]}, 1, "label"); }};
    EXPECT_EQ(keys_of({plain})->vk, keys_of({noted})->vk);
    EXPECT_EQ(keys_of({NamedAir{}})->vk, keys_of({NamedAir{{"x", "y", "z"}}})->vk);
}

struct Overriding : AirBase {
    std::string name() const override { return "Overriding"; }
    std::uint32_t width() const override { return 1; }
    std::uint32_t num_public_values() const override { return 1; }
    void eval(auto& builder) const { builder.assert_eq(builder.main().local[0], builder.public_values()[0]); }
};

TEST(Keygen, TakesAirsThatOverrideTheirMembers) {
    const auto key = keys_of({Overriding{}});
    ASSERT_TRUE(key);
    EXPECT_EQ(key->vk.airs[0].num_public_values, 1U);
    EXPECT_FALSE(key->vk.airs[0].is_required);
}

TEST(Keygen, RejectsUnworkableParameters) {
    SystemParams params = kParams;
    params.whir.num_queries.clear();
    expect_error({FibonacciAir{}}, "whir has no rounds, expected at least 1", params);
}

TEST(Keygen, DescribesThePreprocessedPart) {
    const auto key = keys_of({FibonacciSelectorAir{{true, false}}});
    ASSERT_TRUE(key);
    const AirVerifyingKey& air = key->vk.airs[0];
    EXPECT_EQ(air.width.preprocessed, 1U);
    EXPECT_EQ(air.preprocessed->hypercube_dim, -1);  // 2 rows, l_skip 2
    EXPECT_EQ(air.preprocessed->stacking_width, 1U);
    EXPECT_EQ(key->air_names, std::vector<std::string>{"FibonacciSelectorAir"});
    EXPECT_EQ(key->preprocessed[0]->at(0, 0), Fp::one());
}

TEST(Keygen, ListsUnusedColumnsInTheKeysOrder) {
    const auto constraints = [](bool reads_next) {
        return [reads_next](SymbolicBuilder& b) {
            b.assert_zero(b.main().local[1]);
            if (reads_next) b.assert_zero(b.cached_main(0).next[0]);
        };
    };
    using Entry = Variable::Entry;
    const auto still = keys_of({TestAir{constraints(false), 2, {1}, Matrix(1, 4)}});
    ASSERT_TRUE(still);
    EXPECT_FALSE(still->vk.airs[0].need_rot);
    EXPECT_THAT(still->vk.airs[0].unused_variables,
                ElementsAre(Variable{Entry::kPreprocessed, 0, 0, 0}, Variable{Entry::kMain, 0, 0, 0},
                            Variable{Entry::kMain, 1, 0, 0}));
    const auto rotated = keys_of({TestAir{constraints(true), 2, {1}, Matrix(1, 4)}});
    ASSERT_TRUE(rotated);
    EXPECT_TRUE(rotated->vk.airs[0].need_rot);
    EXPECT_THAT(rotated->vk.airs[0].unused_variables,
                ElementsAre(Variable{Entry::kPreprocessed, 0, 0, 0}, Variable{Entry::kPreprocessed, 0, 1, 0},
                            Variable{Entry::kMain, 0, 0, 0}, Variable{Entry::kMain, 1, 0, 0},
                            Variable{Entry::kMain, 1, 1, 0}, Variable{Entry::kMain, 1, 1, 1}));
}

TEST(Keygen, MarksRequiredAirs) {
    AnyAir air = FibonacciAir{};
    air.is_required = true;
    const auto key = keys_of({air, FibonacciAir{}});
    ASSERT_TRUE(key);
    EXPECT_TRUE(key->vk.airs[0].is_required);
    EXPECT_FALSE(key->vk.airs[1].is_required);
}

AirVerifyingKey with_interactions(const std::vector<std::pair<std::uint16_t, std::uint32_t>>& bus_and_weight) {
    AirVerifyingKey air;
    for (const auto& [bus, weight] : bus_and_weight) air.interactions.push_back({{0}, 0, bus, weight});
    return air;
}

TEST(TraceHeightConstraints, KeepOnlyThoseThatNoOtherImplies) {
    // Bus 3 weighs 1 an interaction, so the count of interactions, with its lower threshold, implies it.
    const std::vector<AirVerifyingKey> implied{with_interactions({{3, 1}}), with_interactions({{3, 1}, {3, 0}})};
    EXPECT_THAT(trace_height_constraints(kParams, implied).value(),
                ElementsAre(TraceHeightConstraint{{1, 2}, 1U << 30}));

    const std::vector<AirVerifyingKey> heavy{with_interactions({{9, 1}, {3, 4}}), with_interactions({{9, 5}})};
    EXPECT_THAT(trace_height_constraints(kParams, heavy).value(),
                ElementsAre(TraceHeightConstraint{{4, 0}, Fp::kModulus}, TraceHeightConstraint{{1, 5}, Fp::kModulus},
                            TraceHeightConstraint{{2, 1}, 1U << 30}));

    const std::vector<AirVerifyingKey> dominated{with_interactions({{1, 2}, {2, 3}})};
    EXPECT_THAT(trace_height_constraints(kParams, dominated).value(),
                ElementsAre(TraceHeightConstraint{{3}, Fp::kModulus}, TraceHeightConstraint{{2}, 1U << 30}));
    const std::vector<AirVerifyingKey> dominated_later{with_interactions({{1, 9}, {2, 5}})};
    EXPECT_THAT(trace_height_constraints(kParams, dominated_later).value(),
                ElementsAre(TraceHeightConstraint{{9}, Fp::kModulus}, TraceHeightConstraint{{2}, 1U << 30}));

    // An AIR that adds to a bus with no weight is not bounded by it.
    const std::vector<AirVerifyingKey> weightless{with_interactions({{1, 5}, {2, 6}}), with_interactions({{1, 0}})};
    EXPECT_THAT(trace_height_constraints(kParams, weightless).value(),
                ElementsAre(TraceHeightConstraint{{6, 0}, Fp::kModulus}, TraceHeightConstraint{{2, 1}, 1U << 30}));

    const std::vector<AirVerifyingKey> silent{AirVerifyingKey()};
    EXPECT_THAT(trace_height_constraints(kParams, silent).value(), ElementsAre(TraceHeightConstraint{{0}, 1U << 30}));
}

TEST(TraceHeightConstraints, MustFit32Bits) {
    const std::vector<AirVerifyingKey> airs{with_interactions({{3, 0xffffffff}, {3, 1}})};
    const auto result = trace_height_constraints(kParams, airs);
    ASSERT_FALSE(result);
    EXPECT_THAT(result.error().message, HasSubstr("bus 3: the count weights of AIR 0 add up to 4294967296"));
    const auto named = [&](const std::string& name) {
        return trace_height_constraints(kParams, airs, std::vector<std::string>{name}).error().message;
    };
    EXPECT_THAT(named("Adder"), HasSubstr("of AIR 0 (Adder) add up"));
    EXPECT_THAT(named(""), HasSubstr("of AIR 0 add up"));
}

TEST(TraceHeightConstraints, MustKeepSumsOfHeightsWithin64Bits) {
    // 2^33 interactions' worth of weight on 33 AIRs, times heights of 2^27 and more, need 65 bits.
    SystemParams tall = kParams;
    tall.n_stack = 27 - tall.l_skip;
    std::vector<AirVerifyingKey> airs(33, with_interactions({{7, 0xffffffff}}));
    const auto result = trace_height_constraints(tall, airs);
    ASSERT_FALSE(result);
    EXPECT_THAT(result.error().message, HasSubstr("bus 7: the count weights of all AIRs add up to"));
    airs.resize(32);
    EXPECT_TRUE(trace_height_constraints(tall, airs));
    // 2^37 − 1 times 2^27 is the last product that fits.
    airs.push_back(with_interactions({{7, 31}}));
    EXPECT_TRUE(trace_height_constraints(tall, airs));
    airs.back() = with_interactions({{7, 32}});
    EXPECT_FALSE(trace_height_constraints(tall, airs));
}

TEST(TraceHeightConstraints, TakeBusesUpToTheLimitAndAtTheEdgesOf16Bits) {
    const auto of_buses = [](std::uint32_t first, std::uint32_t count) {
        std::vector<std::pair<std::uint16_t, std::uint32_t>> weights;
        for (std::uint32_t i = 0; i < count; ++i) weights.emplace_back(static_cast<std::uint16_t>(first + i), 1);
        return std::vector<AirVerifyingKey>{with_interactions(weights)};
    };
    EXPECT_TRUE(trace_height_constraints(kParams, of_buses(0, kMaxBuses)));
    EXPECT_TRUE(trace_height_constraints(kParams, of_buses(65536 - kMaxBuses, kMaxBuses)));
    const auto result = trace_height_constraints(kParams, of_buses(0, kMaxBuses + 1));
    ASSERT_FALSE(result);
    EXPECT_THAT(result.error().message, HasSubstr("4097 buses are used, at most 4096 are possible"));
}

TEST(TraceHeightBounds, SayWhichBusTheyProtect) {
    const std::vector<AirVerifyingKey> airs{with_interactions({{9, 1}, {3, 4}}), with_interactions({{9, 5}})};
    const auto bounds = trace_height_bounds(kParams, airs).value();
    ASSERT_EQ(bounds.size(), 3U);
    EXPECT_EQ(bounds[0].bus, std::uint16_t{3});
    EXPECT_EQ(bounds[1].bus, std::uint16_t{9});
    EXPECT_EQ(bounds[2].bus, std::nullopt);
    EXPECT_THAT(bounds[0].weights, ElementsAre(std::pair(0U, std::uint64_t{4})));
}

}  // namespace
}  // namespace whorl
