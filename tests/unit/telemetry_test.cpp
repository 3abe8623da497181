#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <whorl/telemetry.hpp>
#include <whorl/telemetry_export.hpp>

namespace whorl {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;

void record_a_run(Telemetry& telemetry) {
    const Span outer(&telemetry, "prove");
    {
        Span commit(&telemetry, "commit");
        commit.set("bytes", std::int64_t{1024});
        commit.set("rate", 0.5);
        commit.set("bytes", std::int64_t{2048});
    }
    for (int i = 0; i < 3; ++i) {
        Span layer(&telemetry, "layer");
        layer.set("index", std::int64_t{i});
        const Span round(&telemetry, "round");
    }
}

TEST(Telemetry, SpansFormATreeInOrderOfOpening) {
    Telemetry telemetry;
    record_a_run(telemetry);
    std::vector<std::string> names;
    for (const SpanRecord& span : telemetry.spans()) names.push_back(span.name);
    EXPECT_THAT(names, ElementsAre("prove", "commit", "layer", "round", "layer", "round", "layer", "round"));
    EXPECT_EQ(telemetry.spans()[0].parent, SpanRecord::kNoParent);
    EXPECT_EQ(telemetry.spans()[1].parent, 0U);
    EXPECT_EQ(telemetry.spans()[3].parent, 2U);
    EXPECT_EQ(telemetry.spans()[4].parent, 0U);
}

TEST(Telemetry, ChildrenLieInsideTheirParents) {
    Telemetry telemetry;
    record_a_run(telemetry);
    for (const SpanRecord& span : telemetry.spans()) {
        if (span.parent == SpanRecord::kNoParent) continue;
        const SpanRecord& parent = telemetry.spans()[span.parent];
        EXPECT_GE(span.start_ms, parent.start_ms);
        EXPECT_LE(span.start_ms + span.time_ms, parent.start_ms + parent.time_ms + 1e-6);
    }
}

TEST(Telemetry, ASecondValueReplacesTheFirst) {
    Telemetry telemetry;
    record_a_run(telemetry);
    const auto& fields = telemetry.spans()[1].fields;
    ASSERT_EQ(fields.size(), 2U);
    EXPECT_EQ(fields[0].first, "bytes");
    EXPECT_EQ(std::get<std::int64_t>(fields[0].second), 2048);
}

TEST(Telemetry, ObserverSeesEveryOpeningAndClosing) {
    Telemetry telemetry;
    std::string seen;
    telemetry.set_observer([&](const SpanRecord& span, bool is_open) { seen += (is_open ? "+" : "-") + span.name; });
    {
        const Span a(&telemetry, "a");
        const Span b(&telemetry, "b");
    }
    EXPECT_EQ(seen, "+a+b-b-a");
}

TEST(Telemetry, ASpanWithoutTelemetryDoesNothing) {
    Span span(nullptr, "nowhere");
    span.set("key", 1.0);
}

TEST(SpanTree, SiblingsOfOneNameShareALine) {
    Telemetry telemetry;
    record_a_run(telemetry);
    const std::string tree = span_tree(telemetry);
    EXPECT_THAT(tree, HasSubstr("\n  layer x3 "));
    EXPECT_THAT(tree, HasSubstr("\n    round x3 "));
    EXPECT_THAT(tree, HasSubstr("bytes=2048 rate=0.5"));
    EXPECT_THAT(tree, HasSubstr("100.0%"));
    EXPECT_THAT(tree, testing::Not(HasSubstr("index=")));
    EXPECT_EQ(std::count(tree.begin(), tree.end(), '\n'), 4);
}

TEST(SpanTree, OfNothingIsEmpty) {
    EXPECT_EQ(span_tree(Telemetry()), "");
}

TEST(Metrics, HaveTheShapeThatProgramsReadAndSumTimesByName) {
    Telemetry telemetry;
    record_a_run(telemetry);
    RunTotals totals = measure_totals(telemetry);
    totals.num_threads = 3;
    totals.proof_bytes = 77;
    const json metrics = json::parse(*metrics_json(telemetry, totals));
    ASSERT_EQ(metrics["spans"].size(), 8U);
    EXPECT_TRUE(metrics["spans"][0]["parent"].is_null());
    EXPECT_EQ(metrics["spans"][3]["parent"], 2);
    EXPECT_EQ(metrics["spans"][1]["fields"], json({{"bytes", 2048}, {"rate", 0.5}}));
    EXPECT_EQ(metrics["totals"]["threads"], 3);
    EXPECT_EQ(metrics["totals"]["proof_bytes"], 77);
    EXPECT_GT(metrics["totals"]["peak_rss_bytes"], 1 << 20);
    EXPECT_GT(metrics["totals"]["minor_page_faults"], 0);
    double layers_ms = 0;
    for (const auto& span : metrics["spans"]) {
        if (span["name"] == "layer") layers_ms += span["time_ms"].get<double>();
    }
    EXPECT_NEAR(metrics["totals"]["layer_time_ms"].get<double>(), layers_ms, 1e-9);
    EXPECT_LE(layers_ms, metrics["totals"]["total_ms"].get<double>());
}

TEST(Metrics, ASpanInsideItsNamesakeIsNotCountedTwice) {
    Telemetry telemetry;
    {
        const Span outer(&telemetry, "fold");
        const Span between(&telemetry, "half");
        const Span inner(&telemetry, "fold");
    }
    const json metrics = json::parse(*metrics_json(telemetry, measure_totals(telemetry)));
    EXPECT_EQ(metrics["totals"]["fold_time_ms"], metrics["spans"][0]["time_ms"]);
    EXPECT_FALSE(metrics["totals"].contains("proof_bytes"));
}

TEST(Timeline, IsAListOfCompleteEventsInMicroseconds) {
    Telemetry telemetry;
    record_a_run(telemetry);
    const json events = json::parse(*timeline_json(telemetry)).at("traceEvents");
    ASSERT_EQ(events.size(), 9U);
    EXPECT_EQ(events[0]["ph"], "M");
    EXPECT_EQ(events[2]["ph"], "X");
    EXPECT_EQ(events[2]["name"], "commit");
    EXPECT_EQ(events[2]["args"]["bytes"], 2048);
    EXPECT_NEAR(events[1]["dur"].get<double>(), telemetry.spans()[0].time_ms * 1000, 1e-6);
}

TEST(Timeline, TextThatIsNotUtf8DoesNotBreakIt) {
    Telemetry telemetry;
    {
        Span(&telemetry, "a\xff").set("key", std::string("\xc3"));
    }
    EXPECT_FALSE(json::parse(*timeline_json(telemetry)).is_discarded());
}

TEST(Telemetry, SpansCountWhatHappenedInThem) {
    Telemetry telemetry;
    std::int64_t kernels = 5;
    {
        const Span before(&telemetry, "before");
        telemetry.set_counters([&](auto& counts) { counts.emplace_back("kernel_count", kernels); });
        {
            const Span outer(&telemetry, "outer");
            kernels += 1;
            {
                const Span inner(&telemetry, "inner");
                kernels += 2;
            }
            {
                const Span idle(&telemetry, "idle");
            }
        }
        {
            const Span next(&telemetry, "next");
            kernels += 4;
        }
        telemetry.set_counters({});
    }
    const auto count_of = [&](std::size_t span) -> std::int64_t {
        const auto& fields = telemetry.spans()[span].fields;
        return fields.empty() ? 0 : std::get<std::int64_t>(fields.front().second);
    };
    EXPECT_EQ(count_of(0), 0);
    EXPECT_EQ(count_of(1), 3);
    EXPECT_EQ(count_of(2), 2);
    EXPECT_EQ(count_of(3), 0);
    EXPECT_EQ(count_of(4), 4);
    EXPECT_EQ(field_sum(telemetry, "kernel_count"), 7);
    EXPECT_EQ(field_sum(telemetry, "kernel_count", 2), 6);
    EXPECT_EQ(json::parse(*metrics_json(telemetry, measure_totals(telemetry)))["totals"]["kernels"], 7);
}

}  // namespace
}  // namespace whorl
