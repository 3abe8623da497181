// Traces that do not fit the key are refused by name before any work is done.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <functional>
#include <ostream>
#include <set>
#include <string>
#include <system_error>

#include <fmt/format.h>

#include <whorl/air.hpp>
#include <whorl/check.hpp>
#include <whorl/device.hpp>
#include <whorl/prove.hpp>
#include <whorl/task.hpp>
#include <whorl/validate.hpp>

#include "engine/check_traces.hpp"
#include "engine/files.hpp"
#include "key/height_bounds.hpp"
#include "proof/layout.hpp"
#include "vectors.hpp"

namespace whorl {
namespace {

using test::value_of;

// `mixture` with one thing wrong, and what the message must say.
struct BadInput {
    std::string name;
    std::function<void(Task&)> spoil;
    std::string message;
};

void PrintTo(const BadInput& input, std::ostream* out) {
    *out << input.name;
}

Task mixture_task() {
    return value_of(load_task(test::vector_path("mixture", "")));
}

// The key after a change of its parameters or interactions, as keygen would have made it.
void rebuild_key(VerifyingKey& vk) {
    vk.trace_height_constraints = value_of(trace_height_constraints(vk.params, vk.airs));
    vk.pre_hash = *verifying_key_pre_hash(vk);
}

// An empty folder that lives as long as the test.
class Folder {
public:
    Folder() {
        std::string name = (std::filesystem::temp_directory_path() / "whorl-input-XXXXXX").string();
        path_ = ::mkdtemp(name.data());
    }
    ~Folder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    const std::filesystem::path& path() const { return path_; }

private:
    std::filesystem::path path_;
};

class RefusesTraces : public testing::TestWithParam<BadInput> {};

// One validation: whoever is asked says the same, and a task that would be refused is not saved.
TEST_P(RefusesTraces, NamingPlaceExpectedAndFoundInOneVoice) {
    Task task = mixture_task();
    GetParam().spoil(task);
    const auto checked = check_traces(task.vk, task.traces, task.air_names);
    ASSERT_FALSE(checked.has_value());
    EXPECT_EQ(checked.error().code, ErrorCode::kInvalidArgument);
    const std::string& message = checked.error().message;
    EXPECT_NE(message.find(GetParam().message), std::string::npos) << message;

    const auto problems = value_of(find_trace_problems(task.vk, task.traces, task.air_names));
    ASSERT_FALSE(problems.empty());
    for (const TraceProblem& problem : problems) EXPECT_NE(message.find(to_string(problem)), std::string::npos);

    const auto expect_same = [&](const auto& result, const char* stage) {
        ASSERT_FALSE(result.has_value()) << stage;
        EXPECT_EQ(result.error().code, ErrorCode::kInvalidArgument);
        EXPECT_EQ(result.error().stage, stage);
        EXPECT_EQ(result.error().message, message);
    };
    ProverOptions options;
    options.air_names = task.air_names;
    expect_same(prove(task.vk, task.traces, options), "prove");
    expect_same(check_constraints(task.vk, task.traces, task.air_names), "check");
    options.device = "sim";
    expect_same(plan_memory(task.vk, task.traces, options), "plan");
    const Folder folder;
    expect_same(save_task(task, folder.path() / "task"), "task.save");
    EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

Matrix zeros(std::size_t width, std::size_t height) {
    return Matrix(width, height);
}

INSTANTIATE_TEST_SUITE_P(
    Prover, RefusesTraces,
    testing::Values(
        BadInput{"NoTraces", [](Task& t) { t.traces.clear(); },
                 "traces: expected the trace of at least one AIR, found none"},
        BadInput{"UnknownAir", [](Task& t) { t.traces[0].air_id = 99; },
                 "AIR 99: expected an AIR of the key, which has 12 AIRs numbered from 0"},
        BadInput{"FirstAirThatIsNotThere", [](Task& t) { t.traces[0].air_id = 12; },
                 "AIR 12: expected an AIR of the key, which has 12 AIRs numbered from 0"},
        BadInput{"RepeatedAir", [](Task& t) { t.traces[1] = t.traces[0]; }, "AIR 0 (FibonacciAir): expected one trace"},
        BadInput{"WrongWidth", [](Task& t) { t.traces[0].common_main = zeros(3, 16); },
                 "AIR 0 (FibonacciAir), common main: expected 2 columns, found 3"},
        BadInput{"HeightNotAPowerOfTwo", [](Task& t) { t.traces[0].common_main = zeros(2, 12); },
                 "AIR 0 (FibonacciAir): expected a power of two as height, found 12; pad the trace"},
        BadInput{"HeightZero", [](Task& t) { t.traces[0].common_main = zeros(2, 0); }, "height, found 0"},
        BadInput{"AboveTheStackedHeight", [](Task& t) { t.traces[0].common_main = zeros(2, 2048); },
                 "AIR 0 (FibonacciAir): expected a height of at most 2^10, the stacked height of the key, found 2^11; "
                 "split the trace or use a key with a larger l_skip + n_stack"},
        BadInput{"PartsOfDifferentHeight", [](Task& t) { t.traces[3].cached_mains[0] = zeros(1, 8); },
                 "cached part 0: expected a height of 4, that of the common main, found 8"},
        BadInput{"MissingCachedPart", [](Task& t) { t.traces[3].cached_mains.clear(); },
                 ": expected 1 cached parts, found 0"},
        BadInput{"MissingPreprocessedPart", [](Task& t) { t.traces[5].preprocessed.reset(); },
                 ": expected a preprocessed part, found none"},
        BadInput{"UnexpectedPreprocessedPart", [](Task& t) { t.traces[0].preprocessed = zeros(1, 16); },
                 ": expected no preprocessed part, found one"},
        BadInput{"PreprocessedHeightOfAnotherKey",
                 [](Task& t) {
                     t.traces[5].common_main = zeros(2, 8);
                     t.traces[5].preprocessed = zeros(1, 8);
                 },
                 ": expected a height of 2^4, that of the key's preprocessed columns, found 2^3"},
        BadInput{"MissingPublicValue", [](Task& t) { t.traces[0].public_values.pop_back(); },
                 ": expected 3 public values, found 2"},
        BadInput{"WordOverTheField",
                 [](Task& t) { t.traces[0].common_main.at(1, 0) = Fp::from_montgomery(Fp::kModulus); },
                 "common main: expected field elements, found a word that is not below p"},
        BadInput{"PublicValueOverTheField",
                 [](Task& t) { t.traces[0].public_values[1] = Fp::from_montgomery(0xffffffff); },
                 "public values: expected field elements, found a word that is not below p"},
        BadInput{"RequiredAirAbsent",
                 [](Task& t) {
                     t.vk.airs[2].is_required = true;
                     t.vk.pre_hash = *verifying_key_pre_hash(t.vk);
                     t.traces.erase(t.traces.begin() + 2);
                 },
                 ": expected a trace, which the key requires, found none"},
        BadInput{"TooManyStackedColumns",
                 [](Task& t) {
                     t.vk.params.w_stack = 1;
                     t.vk.pre_hash = *verifying_key_pre_hash(t.vk);
                 },
                 "stacked columns of all traces: expected at most 1 of height 2^10 (w_stack of the key), found "},
        BadInput{"TooManyInteractions",
                 [](Task& t) {
                     t.vk.params.logup.max_interaction_count = 20;
                     rebuild_key(t.vk);
                 },
                 "interactions of all AIRs: expected fewer than 20 (sum of interactions x height"},
        BadInput{"ABusWhoseCountsCanWrap",
                 [](Task& t) {
                     for (AirVerifyingKey& air : t.vk.airs) {
                         for (auto& interaction : air.interactions) {
                             interaction.count_weight = 1U << 28;
                             interaction.bus_index = 65535;
                         }
                     }
                     rebuild_key(t.vk);
                 },
                 "bus 65535: expected fewer than 2013265921 (sum of count weights x height"}),
    [](const auto& test) { return test.param.name; });

TEST(Prover, RefusesPreprocessedColumnsThatTheKeyDoesNotCommitTo) {
    Task task = value_of(load_task(test::vector_path("mixture", "")));
    for (const char* device : {"cpu", "sim"}) {
        SCOPED_TRACE(device);
        Prover prover = value_of(Prover::create(task.vk, {.device = device}));
        Fp& cell = task.traces[5].preprocessed->columns()->at(3, 0);
        cell += Fp::one();
        const auto proof = prover.prove(task.traces);
        const auto checked = check_constraints(task.vk, task.traces);
        cell -= Fp::one();
        ASSERT_FALSE(checked.has_value());
        EXPECT_EQ(checked.error().code, ErrorCode::kInvalidArgument);
        ASSERT_FALSE(proof.has_value());
        EXPECT_EQ(proof.error().code, ErrorCode::kInvalidArgument);
        EXPECT_NE(proof.error().message.find("AIR 5, preprocessed part: expected the columns that the key commits to"),
                  std::string::npos)
            << proof.error().message;
        std::string expected;
        for (const Fp x : task.vk.airs[5].preprocessed->commit) expected += fmt::format("{:08x}", x.canonical());
        EXPECT_NE(proof.error().message.find("(commitment " + expected + ")"), std::string::npos)
            << proof.error().message;
        // The prover goes on with other traces.
        EXPECT_TRUE(prover.prove(task.traces).has_value());
    }
}

TEST(CheckTraces, ReportsAllThatIsWrongAndCountsWhatDoesNotFit) {
    Task task = mixture_task();
    for (AirTrace& trace : task.traces) trace.common_main = zeros(trace.common_main.width(), 12);
    const auto problems = value_of(find_trace_problems(task.vk, task.traces, task.air_names));
    EXPECT_GT(problems.size(), task.traces.size());
    std::set<std::uint32_t> airs;
    for (const TraceProblem& problem : problems) airs.insert(problem.air_id.value());
    EXPECT_EQ(airs.size(), task.traces.size());

    const std::string message = check_traces(task.vk, task.traces, task.air_names).error().message;
    EXPECT_EQ(message.find(fmt::format("{} problems: (1) AIR 0 (FibonacciAir): ", problems.size())), 0U) << message;
    EXPECT_NE(message.find(fmt::format(". And {} more", problems.size() - 8)), std::string::npos) << message;
    EXPECT_LT(message.size(), 2000U);
}

TEST(CheckTraces, NamesLimitBusAndHeaviestAir) {
    Task task = mixture_task();
    for (AirVerifyingKey& air : task.vk.airs) {
        for (auto& interaction : air.interactions) interaction.count_weight = 1U << 28;
    }
    rebuild_key(task.vk);
    const auto problems = value_of(find_trace_problems(task.vk, task.traces, task.air_names));
    ASSERT_FALSE(problems.empty());
    for (const TraceProblem& problem : problems) {
        ASSERT_TRUE(problem.bus_index.has_value());
        EXPECT_EQ(problem.place, fmt::format("bus {}", *problem.bus_index));
        EXPECT_NE(problem.remedy.find("first that of AIR "), std::string::npos) << problem.remedy;
    }
}

TEST(CheckTraces, CutsNamesAtACharacter) {
    Task task = mixture_task();
    task.air_names[0] = std::string(63, 'x') + "\u00e9" + std::string(100'000, 'y');
    task.traces[0].common_main = zeros(2, 12);
    const auto problems = value_of(find_trace_problems(task.vk, task.traces, task.air_names));
    ASSERT_FALSE(problems.empty());
    EXPECT_EQ(problems[0].place, "AIR 0 (" + std::string(63, 'x') + "...)");
}

TEST(CheckTraces, KeepsNamesOf64BytesWhole) {
    Task task = mixture_task();
    task.traces[0].common_main = zeros(2, 12);
    const auto place_with = [&](const std::string& name) {
        task.air_names[0] = name;
        return value_of(find_trace_problems(task.vk, task.traces, task.air_names)).at(0).place;
    };
    EXPECT_EQ(place_with(std::string(64, 'x')), "AIR 0 (" + std::string(64, 'x') + ")");
    EXPECT_EQ(place_with(std::string(65, 'x')), "AIR 0 (" + std::string(64, 'x') + "...)");
    EXPECT_EQ(place_with(""), "AIR 0");
}

TEST(CheckTraces, CountsTheProblemsThatTheMessageLeavesOut) {
    Task task = mixture_task();
    std::size_t num_problems = 0;
    const auto message = [&] { return check_traces(task.vk, task.traces, task.air_names).error().message; };
    for (AirTrace& trace : task.traces) {
        if (num_problems == 8) break;
        if (trace.common_main.width() == 0) continue;
        trace.public_values.resize(trace.public_values.size() + 1);
        ++num_problems;
    }
    ASSERT_EQ(num_problems, 8U);
    EXPECT_EQ(message().find("8 problems: (1) "), 0U) << message();
    EXPECT_NE(message().find(". (8) "), std::string::npos) << message();
    EXPECT_EQ(message().find("more"), std::string::npos) << message();
    for (AirTrace& trace : task.traces) {
        if (trace.public_values.size() != task.vk.airs[trace.air_id].num_public_values) continue;
        trace.public_values.resize(trace.public_values.size() + 1);
        break;
    }
    EXPECT_NE(message().find(". And 1 more"), std::string::npos) << message();
}

TEST(CheckTraces, SaysOneThingOfAMatrixThatHoldsNothing) {
    Task task = mixture_task();
    task.traces[0].common_main = Matrix(2, std::size_t{1} << 60);
    const auto problems = value_of(find_trace_problems(task.vk, task.traces, task.air_names));
    ASSERT_EQ(problems.size(), 1U);
    EXPECT_EQ(problems[0].place, "AIR 0 (FibonacciAir), common main");
    EXPECT_EQ(problems[0].expected, "a matrix that holds its elements");
}

TEST(CheckTraces, NeedNoNames) {
    Task task = mixture_task();
    task.traces[0].common_main = zeros(2, 12);
    EXPECT_EQ(check_traces(task.vk, task.traces).error().message,
              "AIR 0: expected a power of two as height, found 12; pad the trace");
}

// Many interactions a row, on one bus, in one column.
struct Chatty {
    std::string name() const { return "Chatty"; }
    std::uint32_t width() const { return 1; }
    template <class Builder>
    void eval(Builder& b) const {
        for (int i = 0; i < 2048; ++i) b.push_interaction(1, {b.main().local[0]}, b.main().local[0], 0);
    }
};

// 2^31 cells of the LogUp table in a trace of 4 MB: the bound that is left where the key allows more interactions.
TEST(CheckTraces, RefusesALogupTableOf2To31Cells) {
    SystemParams params = test_params_small(4, 16, 4);
    params.logup.max_interaction_count = 0xffffffff;
    const ProvingKey key = value_of(keygen(params, std::vector<AnyAir>{Chatty{}}));
    std::vector<AirTrace> traces(1);
    traces[0].common_main = zeros(1, std::size_t{1} << 19);
    EXPECT_TRUE(check_traces(key.vk, traces).has_value());
    traces[0].common_main = zeros(1, std::size_t{1} << 20);
    const auto refused = check_traces(key.vk, traces, key.air_names);
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(
        refused.error().message.find("interactions of all AIRs: expected fewer than 2^31 cells in the LogUp table "
                                     "(interactions x height), found 2147483648"),
        0U)
        << refused.error().message;
}

struct Heavy {
    std::string name() const { return "Heavy"; }
    std::uint32_t width() const { return 1; }
    void eval(auto& b) const {
        b.name_bus(1, "memory");
        b.push_interaction(1, {b.main().local[0]}, b.main().local[0], 1 << 16);
    }
};

TEST(CheckTraces, NamesBuses) {
    const ProvingKey key = value_of(keygen(test_params_small(4, 16, 4), std::vector<AnyAir>{Heavy{}}));
    std::vector<AirTrace> traces(1);
    traces[0].common_main = zeros(1, std::size_t{1} << 15);
    const auto refused = check_traces(key.vk, traces, key.air_names, key.notes);
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().message.find("bus 1 (memory): expected fewer than 2013265921 "), 0U)
        << refused.error().message;
}

// Adds to bus 1 with a weight.
struct Weighted {
    std::string label;
    std::uint32_t weight = 0;
    std::string name() const { return label; }
    std::uint32_t width() const { return 1; }
    void eval(auto& b) const { b.push_interaction(1, {b.main().local[0]}, b.main().local[0], weight); }
};

// Absent AIRs do not count, short ones with the height that they are lifted to, and the heaviest is named.
TEST(CheckTraces, AddUpTheWeightsOfABusToTheLast) {
    // 2^30 + 2^29 leave 402,653,185 to the modulus; a trace of one row counts 2^4 times.
    const auto problems = [](std::uint32_t last_weight, std::vector<std::uint64_t> heights) {
        const std::vector<AnyAir> airs{Weighted{"A", 1U << 16}, Weighted{"B", 1U << 16}, Weighted{"C", last_weight},
                                       Weighted{"D", 1U << 16}};
        const ProvingKey key = value_of(keygen(test_params_small(4, 16, 4), airs));
        KeyNotes notes;
        notes.buses[1] = "";
        return height_problems(key.vk, heights, key.air_names, notes);
    };
    EXPECT_TRUE(problems(25'165'824, {1U << 13, 1U << 14, 1, 0}).empty());
    const auto one_more = problems(25'165'825, {1U << 13, 1U << 14, 1, 0});
    ASSERT_EQ(one_more.size(), 1U);
    EXPECT_EQ(one_more[0].bus_index, 1U);
    EXPECT_EQ(one_more[0].place, "bus 1");
    EXPECT_EQ(one_more[0].found, "2013265936");
    EXPECT_EQ(
        one_more[0].remedy,
        "make traces shorter, first that of AIR 1 (B) with 1073741824 of them, or split them over several proofs");
    const auto equal = problems(1, {1U << 14, 1U << 14, 1, 0});
    ASSERT_EQ(equal.size(), 1U);
    EXPECT_NE(equal[0].remedy.find("first that of AIR 0 (A) with 1073741824"), std::string::npos) << equal[0].remedy;
}

TEST(CheckTraces, SaysWhereTheLimitOfAllInteractionsIs) {
    SystemParams params = test_params_small(4, 16, 4);
    params.logup.max_interaction_count = 100;
    const ProvingKey key = value_of(keygen(params, std::vector<AnyAir>{Weighted{"A", 0}}));
    const auto problems = height_problems(key.vk, std::vector<std::uint64_t>{128}, key.air_names, {});
    ASSERT_EQ(problems.size(), 1U);
    EXPECT_EQ(problems[0].place, "interactions of all AIRs");
    EXPECT_EQ(problems[0].found, "128");
    EXPECT_NE(problems[0].remedy.find("; the limit is logup.max_interaction_count of the key"), std::string::npos);
}

TEST(CheckTraces, PreprocessedPartsHaveTheKeysWidthAndAreThereWhereTheKeyHasThem) {
    Task task = value_of(load_task(test::vector_path("preprocessed_and_cached", "")));
    const auto message = [&] { return check_traces(task.vk, task.traces).error().message; };
    const Matrix columns = task.traces[0].preprocessed->matrix();
    task.traces[0].preprocessed = zeros(columns.width() + 1, columns.height());
    EXPECT_NE(message().find("preprocessed part: expected "), std::string::npos) << message();
    task.traces[0].preprocessed.reset();
    EXPECT_NE(
        message().find("expected a preprocessed part, found none; hand over the columns that the key was made from"),
        std::string::npos)
        << message();
    Task plain = value_of(load_task(test::vector_path("fib_2e5", "")));
    plain.traces[0].preprocessed = zeros(1, 32);
    EXPECT_EQ(check_traces(plain.vk, plain.traces).error().message, "AIR 0: expected no preprocessed part, found one");
    Prover prover =
        value_of(Prover::create(ProvingKey{.vk = plain.vk, .air_names = {"F"}, .preprocessed = {std::nullopt}}));
    EXPECT_EQ(prover.prove(plain.traces).error().message, "AIR 0 (F): expected no preprocessed part, found one");
}

TEST(CheckTraces, AcceptsTracesThatFillTheKeyExactly) {
    Task task = mixture_task();
    const auto log_heights = [&] {
        std::vector<int> heights(task.vk.airs.size(), -1);
        for (const AirTrace& trace : task.traces) {
            heights[trace.air_id] = static_cast<int>(trace.common_main.log_height());
        }
        return heights;
    }();
    task.vk.params.w_stack = total_stacked_width(task.vk, log_heights);
    task.vk.params.logup.max_interaction_count =
        static_cast<std::uint32_t>(count_logup_cells(task.vk, log_heights)) + 1;
    rebuild_key(task.vk);
    EXPECT_TRUE(check_traces(task.vk, task.traces).has_value());
    --task.vk.params.logup.max_interaction_count;
    rebuild_key(task.vk);
    EXPECT_FALSE(check_traces(task.vk, task.traces).has_value());
}

TEST(SaveTask, RefusesAKeyThatCouldNotBeReadBack) {
    Task task = mixture_task();
    const Folder folder;
    task.vk.pre_hash[0] += Fp::one();
    const auto other_hash = save_task(task, folder.path() / "task");
    ASSERT_FALSE(other_hash.has_value());
    EXPECT_NE(other_hash.error().message.find("pre_hash of the key: expected"), std::string::npos);
    task.vk.airs[0].nodes[0].op = SymbolicNode::Op::kNeg;
    const auto broken = save_task(task, folder.path() / "task");
    ASSERT_FALSE(broken.has_value());
    EXPECT_EQ(broken.error().stage, "task.save");
    EXPECT_NE(broken.error().message.find("AIR 0: node 0, left operand: expected below 0"), std::string::npos)
        << broken.error().message;
    EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

// As much JSON as is read, and no more.
TEST(SaveTask, RefusesATaskThatWouldNotBeRead) {
    Task task = value_of(load_task(test::vector_path("fib_2e5", "")));
    const Folder folder;
    task.air_names = {""};
    ASSERT_TRUE(save_task(task, folder.path() / "least").has_value());
    const auto least = std::filesystem::file_size(folder.path() / "least/task.json");
    task.air_names[0] = std::string(kTaskJsonLimit.max_bytes - least, 'x');
    ASSERT_TRUE(save_task(task, folder.path() / "most").has_value());
    EXPECT_EQ(std::filesystem::file_size(folder.path() / "most/task.json"), kTaskJsonLimit.max_bytes);
    EXPECT_EQ(value_of(load_task(folder.path() / "most")).air_names, task.air_names);
    task.air_names[0] += 'x';
    const auto saved = save_task(task, folder.path() / "task");
    ASSERT_FALSE(saved.has_value());
    EXPECT_EQ(saved.error().code, ErrorCode::kInvalidArgument);
    EXPECT_NE(saved.error().message.find("task.json would have "), std::string::npos) << saved.error().message;
}

TEST(Prover, NamesTheDevicesThatItHas) {
    const Task task = value_of(load_task(test::vector_path("fib_2e5", "")));
    const auto no_name = prove(task.vk, task.traces, {.device = "abacus"});
    ASSERT_FALSE(no_name.has_value());
    EXPECT_EQ(no_name.error().code, ErrorCode::kInvalidArgument);
    EXPECT_NE(no_name.error().message.find("cuda:NUMBER"), std::string::npos) << no_name.error().message;
    const auto not_there = prove(task.vk, task.traces, {.device = "cuda:77"});
    ASSERT_FALSE(not_there.has_value());
    EXPECT_EQ(not_there.error().code, ErrorCode::kMachine);
    EXPECT_NE(not_there.error().message.find("available: cpu, sim"), std::string::npos) << not_there.error().message;
}

TEST(Prover, RefusesUnworkableParameters) {
    Task task = value_of(load_task(test::vector_path("fib_2e5", "")));
    task.vk.params.whir.num_queries.clear();
    const auto proof = prove(task.vk, task.traces);
    ASSERT_FALSE(proof.has_value());
    EXPECT_EQ(proof.error().code, ErrorCode::kInvalidArgument);
}

TEST(CommitMatrix, GivesTheKeysPreprocessedCommitment) {
    const Task task = value_of(load_task(test::vector_path("preprocessed_and_cached", "")));
    const MatrixCommitment commitment = value_of(commit_matrix(task.vk.params, *task.traces[0].preprocessed));
    EXPECT_EQ(commitment.commit, task.vk.airs[0].preprocessed->commit);
    EXPECT_EQ(commitment.stacking_width, task.vk.airs[0].preprocessed->stacking_width);
}

TEST(CommitMatrix, RefusesWhatCannotBeStacked) {
    const SystemParams params = test_params_small(2, 8, 3);
    EXPECT_FALSE(commit_matrix(params, Matrix(0, 4)).has_value());
    EXPECT_FALSE(commit_matrix(params, Matrix(1, 3)).has_value());
    EXPECT_FALSE(commit_matrix(params, Matrix(1, 0)).has_value());
    EXPECT_FALSE(commit_matrix(params, Matrix(1, 2048)).has_value());
}

}  // namespace
}  // namespace whorl
