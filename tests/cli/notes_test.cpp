// notes.json of task folders: what messages need to name the code of AIRs.
#include <gmock/gmock.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <whorl/air.hpp>
#include <whorl/task.hpp>

#include "cli/program.hpp"
#include "cli/schema.hpp"

namespace whorl::test {
namespace {

using nlohmann::json;
using testing::HasSubstr;

WHORL_COLUMNS(CounterColumns, count, cached_too);

struct Counter {
    std::string label = "counts";

    std::string name() const { return "Counter"; }
    std::uint32_t width() const { return kNumColumns<CounterColumns>; }
    std::vector<std::uint32_t> cached_main_widths() const { return {2}; }
    std::uint32_t num_public_values() const { return 2; }
    void eval(auto& builder) const {
        const auto [local, next] = columns<CounterColumns>(builder.main());
        const auto cached = columns<CounterColumns>(builder.cached_main(0).local);
        const auto values = columns<CounterColumns>(builder.public_values());
        builder.when_transition().assert_eq(next.count, local.count + 1, label);
        builder.when_first_row().assert_eq(local.count, values.count);
        builder.assert_eq(local.cached_too, cached.cached_too);
        PermutationBus{3, "numbers"}.send(builder, {local.count}, 1, "sent");
        PermutationBus{3, "numbers"}.receive(builder, {local.count}, 1);
    }
    static constexpr std::uint32_t kLine = __LINE__ - 6;  // of "counts"
};
struct Absent : Counter {
    std::string name() const { return "Absent"; }
};

Task counter_task(const std::string& label = "counts") {
    const std::vector<AnyAir> airs{Counter{label}, Absent{}};
    Result<ProvingKey> key = keygen(test_params_small(2, 8, 3), airs);
    EXPECT_TRUE(key) << to_string(key.error());
    Task task{.name = "counter", .vk = key->vk, .air_names = key->air_names, .traces = {}, .notes = key->notes};
    AirTrace& trace = task.traces.emplace_back();
    trace.common_main = Matrix(2, 8);
    for (std::uint32_t row = 0; row < 8; ++row) trace.common_main.at(row, 0) = Fp::from_canonical(row);
    trace.cached_mains.emplace_back(Matrix(2, 8));
    trace.public_values = {Fp::zero(), Fp::zero()};
    return task;
}

TEST(Notes, AreSavedAndLoadedAgain) {
    const Task task = counter_task();
    EXPECT_EQ(task.notes.airs[0].cached_mains[0][1], "cached_too");
    const Scratch scratch;
    const Result<void> saved = save_task(task, scratch.path());
    ASSERT_TRUE(saved) << to_string(saved.error());
    const Result<Task> again = load_task(scratch.path());
    ASSERT_TRUE(again) << to_string(again.error());
    EXPECT_EQ(again->notes, task.notes);
    EXPECT_EQ(again->air_names, task.air_names);  // that of the AIR without a trace, too
    EXPECT_EQ(again->vk, task.vk);
    ASSERT_TRUE(save_task(*again, scratch.path() / "again"));
    EXPECT_EQ(read_text(scratch.path() / "again" / "notes.json"), read_text(scratch / "notes.json"));
}

TEST(Notes, AreLeftOutWhereATaskHasNone) {
    Task task = counter_task();
    task.notes = {};
    const Scratch scratch;
    ASSERT_TRUE(save_task(task, scratch.path()));
    EXPECT_FALSE(fs::exists(scratch / "notes.json"));
    EXPECT_THAT(read_text(scratch / "task.json"), testing::Not(HasSubstr("\"notes\"")));
    const Result<Task> again = load_task(scratch.path());
    ASSERT_TRUE(again) << to_string(again.error());
    EXPECT_EQ(again->notes, KeyNotes());
    EXPECT_EQ(again->air_names.at(1), "");
}

TEST(Notes, OfOtherSizesThanTheKeyAreSavedAsFarAsTheyFit) {
    Task task = counter_task();
    task.notes.airs[0].constraints.resize(1000);
    task.notes.airs[0].common_main.resize(1000, "x");
    task.notes.airs[0].cached_mains.resize(1000);
    task.notes.airs[0].cached_mains[0].resize(1000);
    task.notes.airs.resize(1);
    const Scratch scratch;
    ASSERT_TRUE(save_task(task, scratch.path()));
    const Result<Task> again = load_task(scratch.path());
    ASSERT_TRUE(again) << to_string(again.error());
    EXPECT_EQ(again->notes.airs.size(), 2U);
    EXPECT_EQ(again->notes.airs[0].common_main.size(), 2U);
}

TEST(Notes, AreInTheReportsOfCheckAndProve) {
    Task task = counter_task();
    for (std::size_t row = 4; row < 8; ++row) task.traces[0].common_main.at(row, 0) += Fp::one();
    task.traces[0].common_main.at(6, 0) += Fp::one();
    const Scratch scratch;
    ASSERT_TRUE(save_task(task, scratch.path()));
    const std::string line = "notes_test.cpp:" + std::to_string(Counter::kLine) +
                             " \"counts\" `when_transition: next.count == count + 1` fails in row 3 (and 2 more rows)";
    const Outcome check = run_whorl({"check", "--task", scratch.path()});
    EXPECT_EQ(check.exit_code, 1) << check;
    EXPECT_THAT(check.out, HasSubstr("AIR 0 (Counter): 1 constraint fails\n  " + line + "\n")) << check;
    EXPECT_THAT(check.out, HasSubstr("\n    next.count = 5\n"));
    const json report = json::parse(run_whorl({"check", "--task", scratch.path(), "--json"}).out);
    const json& failure = report.at("failures").at(0);
    EXPECT_EQ(failure["source"], json({{"file", "notes_test.cpp"}, {"line", Counter::kLine}, {"label", "counts"}}));
    EXPECT_EQ(failure["row"], 3);
    EXPECT_EQ(failure["num_rows"], 3);
    EXPECT_EQ(report["failing_airs"], json::array({{{"air_id", 0}, {"name", "Counter"}, {"num_constraints", 1}}}));
    const Outcome prove = run_whorl({"prove", "--task", scratch.path(), "--out", scratch / "proof"});
    EXPECT_EQ(prove.exit_code, 1) << prove;
    EXPECT_THAT(prove.err, HasSubstr(line)) << prove;
    const Outcome overwritten = run_whorl({"prove", "--task", scratch.path(), "--out", scratch / "notes.json"});
    EXPECT_EQ(overwritten.exit_code, 2) << overwritten;
}

struct Sender {
    std::string name() const { return "Sender"; }
    std::uint32_t width() const { return 1; }
    void eval(auto& builder) const { PermutationBus{3, "numbers"}.send(builder, {builder.main().local[0]}, 1, "sent"); }
    static constexpr std::uint32_t kLine = __LINE__ - 1;
};

TEST(Notes, AreInTheJsonOfAnUnbalancedBus) {
    const std::vector<AnyAir> airs{Sender{}};
    const Result<ProvingKey> key = keygen(test_params_small(2, 8, 3), airs);
    ASSERT_TRUE(key) << to_string(key.error());
    Task task{.name = "sender", .vk = key->vk, .air_names = key->air_names, .traces = {}, .notes = key->notes};
    task.traces.emplace_back().common_main = Matrix(1, 1);
    const Scratch scratch;
    ASSERT_TRUE(save_task(task, scratch.path()));
    const json report = json::parse(run_whorl({"check", "--task", scratch.path(), "--json"}).out);
    const json& bus = report.at("unbalanced_buses").at(0);
    EXPECT_EQ(bus["name"], "numbers");
    EXPECT_EQ(bus["messages"][0]["contributions"][0]["source"],
              json({{"file", "notes_test.cpp"}, {"line", Sender::kLine}, {"label", "sent"}}));
    EXPECT_EQ(report["failing_airs"], json::array());
    EXPECT_TRUE(
        Schema(json::parse(read_text(fs::path(WHORL_TEST_VECTORS) / "../../docs/output.schema.json"))).accepts(report));
}

TEST(Notes, TextsFromOutsideArePrintableAndShort) {
    Task task = counter_task("a\n\x1b[31mlabel\xff");
    task.notes.buses[3] = std::string(100'000, 'x');
    task.notes.airs[0].common_main[0] = std::string(255, 'x') + "\u00e9";
    const Scratch scratch;
    ASSERT_TRUE(save_task(task, scratch.path()));
    const Result<Task> again = load_task(scratch.path());
    ASSERT_TRUE(again) << to_string(again.error());
    EXPECT_EQ(again->notes.airs[0].common_main[0], std::string(255, 'x'));
    EXPECT_EQ(again->notes.buses.at(3), std::string(kMaxNoteBytes, 'x'));
    std::vector<std::string> labels;
    for (const SourceNote& note : again->notes.airs[0].constraints) labels.push_back(note.label);
    EXPECT_THAT(labels, testing::Contains("a\\x0a\\x1b[31mlabel\uFFFD"));
}

TEST(Notes, ThatDoNotFitTheKeyAreRefused) {
    const Scratch scratch;
    ASSERT_TRUE(save_task(counter_task(), scratch.path()));
    const json good = json::parse(read_text(scratch / "notes.json"));
    const auto expect_error = [&](const std::function<void(json&)>& alter, const std::string& message) {
        json altered = good;
        alter(altered);
        write_text(scratch / "notes.json", altered.dump());
        const Result<Task> task = load_task(scratch.path());
        ASSERT_FALSE(task) << message;
        EXPECT_EQ(task.error().code, ErrorCode::kBadFormat);
        EXPECT_THAT(task.error().message, HasSubstr(message));
    };
    expect_error([](json& notes) { notes["format"] = 2; }, "notes.json/format is 2, this program reads 1");
    expect_error([](json& notes) { notes["vk_pre_hash"][3] = 1; }, "these are the notes on another key");
    expect_error([](json& notes) { notes["airs"].erase(1); }, "/airs has 1 AIRs, the key has 2");
    expect_error([](json& notes) { notes["airs"][0]["common_main"].push_back("c"); },
                 "/airs/0/common_main has 3 elements, the key has 2");
    expect_error([](json& notes) { notes["airs"][0]["preprocessed"] = {"c"}; }, "has 1 elements, the key has 0");
    expect_error([](json& notes) { notes["airs"][0]["public_values"].push_back("c"); }, "has 3 elements");
    expect_error([](json& notes) { notes["airs"][0]["cached_mains"][0].push_back("c"); },
                 "/airs/0/cached_mains/0 has 3 elements, the key has 2");
    expect_error([](json& notes) { notes["airs"][0]["cached_mains"].push_back(json::array()); },
                 "/airs/0/cached_mains has 2 elements, the key has 1");
    expect_error([](json& notes) { notes["airs"][1]["constraints"].push_back(json::object()); },
                 "/airs/1/constraints has 4 elements, the key has 3");
    expect_error([](json& notes) { notes["airs"][1]["interactions"].push_back(json::object()); },
                 "has 3 elements, the key has 2");
    expect_error([](json& notes) { notes["airs"][1]["constraints"][0].erase("line"); }, "has no \"line\"");
    expect_error([](json& notes) { notes["buses"].push_back(notes["buses"][0]); }, "bus 3 is listed twice");
    expect_error([](json& notes) { notes["buses"][0]["index"] = 65536; }, "is 65536, above the largest possible 65535");
    fs::resize_file(scratch / "notes.json", 20'000'000);
    const Result<Task> large = load_task(scratch.path());
    ASSERT_FALSE(large);
    EXPECT_THAT(large.error().message, HasSubstr("a file of notes"));
    fs::remove(scratch.path() / "notes.json");
    const Result<Task> missing = load_task(scratch.path());
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().code, ErrorCode::kIo);
}

/// What docs/notes.schema.json refuses the reader refuses, but for what `line` is needed for.
TEST(Notes, AgreeWithTheirSchema) {
    const Schema schema(
        json::parse(read_text(fs::path(WHORL_TEST_VECTORS).parent_path().parent_path() / "docs/notes.schema.json")));
    const Scratch scratch;
    ASSERT_TRUE(save_task(counter_task(), scratch.path()));
    const json good = json::parse(read_text(scratch / "notes.json"));
    EXPECT_TRUE(schema.accepts(good));
    const json replacements[] = {nullptr, true, "text", 1.5, -1, std::uint64_t{1} << 63, json::array(), json::object()};
    const json flat = good.flatten();
    int num_refused = 0;
    for (const auto& [place, value] : flat.items()) {
        for (const json& replacement : replacements) {
            for (json::json_pointer at(place); !at.empty(); at = at.parent_pointer()) {
                json altered = good;
                altered[at] = replacement;
                if (schema.accepts(altered)) continue;
                ++num_refused;
                write_text(scratch / "notes.json", altered.dump());
                EXPECT_FALSE(load_task(scratch.path())) << at << " = " << replacement;
            }
        }
    }
    EXPECT_GT(num_refused, 300);
}

}  // namespace
}  // namespace whorl::test
