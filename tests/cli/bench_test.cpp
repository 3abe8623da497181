// Results of `whorl bench` side by side.
#include <gmock/gmock.h>

#include "cli/bench_results.hpp"
#include "cli/program.hpp"

namespace whorl::test {
namespace {

using cli::BenchResults;
using testing::HasSubstr;
using testing::Not;

std::string run_line(const std::string& name, const std::string& spans) {
    return R"({"kind":"run","name":")" + name + R"(","spans":{)" + spans + "}}\n";
}

BenchResults results_of(const std::vector<std::string>& lines) {
    BenchResults results;
    for (const std::string& line : lines) {
        const Result<void> added = results.add_line(line);
        EXPECT_TRUE(added) << to_string(added.error());
    }
    return results;
}

TEST(BenchResults, AreSideBySideAsMediansWithRatios) {
    const BenchResults ours =
        results_of({run_line("proof/keccakf_8/metal", R"("whir_time_ms":30,"commit_stream_time_ms":5)"),
                    run_line("proof/keccakf_8/metal", R"("whir_time_ms":10)"),
                    run_line("proof/keccakf_8/metal", R"("whir_time_ms":20)"),
                    R"({"kind":"summary","name":"proof/keccakf_8/metal"})"});
    const BenchResults theirs =
        results_of({run_line("proof/logup_2e4/cpu", R"("whir_time_ms":1)"),
                    run_line("proof/keccakf_8/other", R"("prover.openings.whir_time_ms":40,"merkle_tree_time_ms":7)")});
    ASSERT_EQ(ours.runs().size(), 1U);
    ASSERT_NE(theirs.find("keccakf_8"), nullptr);
    EXPECT_EQ(theirs.find("keccakf_9"), nullptr);
    EXPECT_EQ(cli::side_by_side(ours.runs()[0], *theirs.find("keccakf_8")),
              "keccakf_8\n"
              "  median ms                 metal, 3 runs  other, 1 run  ratio\n"
              "      merkle_tree                       -           7.0      -\n"
              "      prover.openings.whir           20.0          40.0   0.50\n"
              "  on a GPU whorl has rs_code_matrix and merkle_tree in one span\n");
}

TEST(BenchResults, OfTheOriginalNameTheirSource) {
    const fs::path file =
        fs::path(WHORL_TEST_VECTORS).parent_path().parent_path() / "bench/results/original-m2-max.jsonl";
    const Result<BenchResults> results = BenchResults::parse(read_text(file), file.string());
    ASSERT_TRUE(results) << to_string(results.error());
    const cli::BenchRuns* runs = results->find("keccakf_1024");
    ASSERT_NE(runs, nullptr);
    EXPECT_THAT(runs->source, HasSubstr("M2 Max"));
    EXPECT_EQ(runs->times_ms.at("stark_prove_excluding_trace"), std::vector<double>{2270});
}

TEST(Bench, PutsARunBesideAnEarlierOne) {
    const Scratch scratch;
    const std::string file = scratch / "earlier.jsonl";
    write_text(file, run_line("proof/keccakf_1/gone", R"("stark_prove_excluding_trace_time_ms":1000)"));
    const std::vector<std::string> command{"bench", "all",     "--permutations", "1", "--log-height", "4", "--runs",
                                           "1",     "--quiet", "--beside",       file};
    const Outcome outcome = run_whorl(command);
    EXPECT_EQ(outcome.exit_code, 0) << outcome;
    EXPECT_THAT(outcome.out, HasSubstr(R"("name":"proof/keccakf_1/cpu")"));
    EXPECT_THAT(outcome.out, Not(HasSubstr("median ms ")));
    EXPECT_THAT(outcome.err, HasSubstr("gone, 1 run"));
    EXPECT_THAT(outcome.err, HasSubstr("1000.0"));
    EXPECT_THAT(outcome.err, HasSubstr(file + " has no runs of logup_2e4"));
}

TEST(Bench, ProvesTheShapesOfABlockAndATaskFolder) {
    const Scratch scratch;
    const std::string task = scratch / "task";
    const std::vector<std::string> segment{"bench", "segment", "--proof", "149", "--scale", "14"};
    std::vector<std::string> saving = segment;
    saving.insert(saving.end(), {"--task-out", task});
    const Outcome saved = run_whorl(saving);
    EXPECT_EQ(saved.exit_code, 0) << saved;
    EXPECT_EQ(saved.out, "");
    EXPECT_THAT(run_whorl({"check", "--task", task}).out, HasSubstr("block_proof_149_scale_14 is satisfied"));
    EXPECT_THAT(run_whorl(saving).err, HasSubstr("expected a new or an empty folder"));

    EXPECT_THAT(run_whorl({"bench", "segment", "--scale", "22", "--task-out", scratch / "new", "--metrics",
                           scratch / "new/vk.postcard"})
                    .err,
                HasSubstr("is in the folder of --task-out"));

    std::vector<std::string> proving = segment;
    proving.insert(proving.end(), {"--runs", "1", "--quiet"});
    const Outcome proved = run_whorl(proving);
    EXPECT_EQ(proved.exit_code, 0) << proved;
    EXPECT_THAT(proved.out, HasSubstr(R"("name":"proof/block_proof_149_scale_14/cpu")"));
    EXPECT_THAT(proved.out, HasSubstr(R"("airs":42,)"));
    const Outcome of_task = run_whorl({"bench", "--task", task, "--runs", "1", "--quiet"});
    EXPECT_EQ(of_task.exit_code, 0) << of_task;
    EXPECT_THAT(of_task.out, HasSubstr(R"("name":"proof/block_proof_149_scale_14/cpu")"));
    const Outcome shape = run_whorl({"bench", "shape", "--num-airs", "5", "--num-columns", "9", "--num-buses", "3",
                                     "--log-height", "4", "--runs", "1", "--quiet"});
    EXPECT_EQ(shape.exit_code, 0) << shape;
    EXPECT_THAT(shape.out, HasSubstr(R"("name":"proof/shape_5x9_c50_i10_b3_2e4/cpu")"));
    EXPECT_THAT(run_whorl({"bench", "shape", "--num-constraints", "0", "--num-interactions", "0"}).err,
                HasSubstr("an AIR has constraints or interactions"));
}

TEST(Bench, RefusesToBePutBesideWhatIsNoResult) {
    const Scratch scratch;
    const std::string file = scratch / "file";
    for (const std::string& text : {std::string("once upon a time\n"), run_line("nobody", ""),
                                    run_line("proof/keccakf_1/cpu", R"("a_time_ms":"x")"),
                                    std::string(R"({"kind":"run","name":"proof/keccakf_1/cpu"})")}) {
        write_text(file, '\n' + text);
        const Outcome outcome = run_whorl({"bench", "--beside", file});
        EXPECT_EQ(outcome.exit_code, 2) << text << outcome;
        EXPECT_THAT(outcome.err, HasSubstr(file + ", line 2: ")) << text;
        EXPECT_EQ(outcome.out, "");
    }
    EXPECT_EQ(run_whorl({"bench", "--beside", scratch / "absent"}).exit_code, 2);
}

}  // namespace
}  // namespace whorl::test
