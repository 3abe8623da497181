// The program doing its work, on vectors and on small keccak-f runs.
#include <gmock/gmock.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>
#include <thread>
#include <utility>

#include "cli/program.hpp"

namespace whorl::test {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;
using testing::UnorderedElementsAre;

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);) lines.push_back(line);
    return lines;
}

TEST(Verify, AcceptsTheStoredProofs) {
    for (const char* name : {"fib_2e5", "mixture", "keccakf_1024"}) {
        const fs::path task = vector_folder(name);
        const Outcome outcome =
            run_whorl({"verify", "--vk", task / "vk.postcard", "--proof", task / "proof.bin", "--min-security", "0"});
        EXPECT_EQ(outcome.exit_code, 0) << outcome;
        EXPECT_THAT(outcome.out, StartsWith("accepted: "));
    }
}

TEST(Verify, IsSilentWhenQuiet) {
    const fs::path task = vector_folder("fib_2e5");
    const Outcome outcome = run_whorl(
        {"verify", "--vk", task / "vk.postcard", "--proof", task / "proof.bin", "--min-security", "0", "--quiet"});
    EXPECT_EQ(outcome.exit_code, 0);
    EXPECT_EQ(outcome.out + outcome.err, "");
}

TEST(Verify, RejectsAnAlteredProofWithStageExpectedAndFound) {
    const Scratch scratch;
    const fs::path task = vector_folder("mixture");
    std::string proof = read_text(task / "proof.bin");
    proof[proof.size() - 4] = static_cast<char>(proof[proof.size() - 4] ^ 1);  // in the final polynomial
    write_text(scratch / "proof.bin", proof);
    const std::vector<std::string> arguments{
        "verify", "--vk", task / "vk.postcard", "--proof", scratch / "proof.bin", "--min-security", "0"};
    const Outcome outcome = run_whorl(arguments);
    EXPECT_EQ(outcome.exit_code, 1) << outcome;
    EXPECT_THAT(outcome.out, StartsWith("rejected: whir"));
    EXPECT_THAT(outcome.err, Not(HasSubstr("rejected")));
    std::vector<std::string> quietly = arguments;
    quietly.emplace_back("--quiet");
    const Outcome quiet = run_whorl(quietly);
    EXPECT_EQ(quiet.exit_code, 1) << quiet;
    EXPECT_EQ(quiet.out, outcome.out) << "what is wrong is printed by a quiet run too";
    EXPECT_EQ(quiet.err, "");
}

TEST(Verify, RejectsAProofUnderAnotherTasksKey) {
    const Outcome outcome = run_whorl({"verify", "--vk", vector_folder("fib_2e5") / "vk.postcard", "--proof",
                                       vector_folder("mixture") / "proof.bin", "--min-security", "0"});
    EXPECT_EQ(outcome.exit_code, 1) << outcome;
    EXPECT_THAT(outcome.out, StartsWith("rejected: "));
}

TEST(VerifyBatch, AnswersEveryLineWithOne) {
    const Scratch scratch;
    const fs::path task = vector_folder("fib_2e5");
    const std::string good = (task / "proof.bin").string();
    const std::string proof = read_text(good);
    std::string altered = proof;
    altered[altered.size() - 4] = static_cast<char>(altered[altered.size() - 4] ^ 1);
    write_text(scratch / "altered", altered);
    write_text(scratch / "cut", proof.substr(0, 100));
    const std::string list = good + '\n' + (scratch / "altered") + '\n' + (scratch / "cut") + '\n' + good;

    const std::vector<std::string> arguments{"verify", "--min-security", "0", "--vk", task / "vk.postcard", "--batch"};
    const auto with = [&](const std::string& last) {
        std::vector<std::string> all = arguments;
        all.push_back(last);
        return all;
    };
    const auto expected = ElementsAre("accepted", StartsWith("rejected whir"), StartsWith("malformed "), "accepted");
    const Outcome piped = run_whorl(with("-"), list);
    EXPECT_EQ(piped.exit_code, 0) << piped;
    EXPECT_THAT(lines_of(piped.out), expected);
    write_text(scratch / "list", list);
    const Outcome listed = run_whorl(with(scratch / "list"));
    EXPECT_EQ(listed.exit_code, 0) << listed;
    EXPECT_THAT(lines_of(listed.out), expected);

    const Outcome unreadable = run_whorl(with("-"), (scratch / "none") + '\n' + good + '\n');
    EXPECT_EQ(unreadable.exit_code, 2) << unreadable;
    EXPECT_THAT(lines_of(unreadable.out), ElementsAre(StartsWith("unreadable "), "accepted"));
    EXPECT_EQ(run_whorl(with(scratch / "no list")).exit_code, 2);
    EXPECT_EQ(run_whorl(with("-"), "").exit_code, 0);
}

TEST(Inspect, ShowsKeyAndProof) {
    const fs::path task = vector_folder("mixture");
    const Outcome outcome = run_whorl({"inspect", "--vk", task / "vk.postcard", "--proof", task / "proof.bin"});
    EXPECT_EQ(outcome.exit_code, 0) << outcome;
    for (const char* word : {"12 AIRs, 4,258 bytes", "Security parameters", "l_skip", "WHIR rounds", "interactions",
                             "23,838 bytes", "Proof size by section", "100.0%"}) {
        EXPECT_THAT(outcome.out, HasSubstr(word));
    }
    // The sections of the table add up to the whole: lines of a name, bytes and share.
    const std::vector<std::string> lines = lines_of(outcome.out);
    std::uint64_t sum = 0;
    for (auto line = std::ranges::find(lines, "Proof size by section") + 2; !line->starts_with("  all "); ++line) {
        std::istringstream stream(*line);
        const std::vector<std::string> words(std::istream_iterator<std::string>(stream), {});
        std::string bytes = words.at(words.size() - 2);
        std::erase(bytes, ',');
        sum += std::stoull(bytes);
    }
    EXPECT_EQ(sum, fs::file_size(task / "proof.bin"));
}

TEST(Check, AcceptsTheVectorsTraces) {
    for (const char* name : {"mixture", "preprocessed_and_cached", "keccak_5_perms", "fib_height_1"}) {
        const Outcome outcome = run_whorl({"check", "--task", vector_folder(name)});
        EXPECT_EQ(outcome.exit_code, 0) << outcome;
        EXPECT_THAT(outcome.out, HasSubstr(std::string(name) + " is satisfied"));
    }
}

TEST(Check, NamesTheConstraintRowAndValuesThatFail) {
    const Scratch scratch;
    const fs::path task = scratch.copy_of("fib_2e5");
    std::string trace = read_text(task / "air0_main.bin");
    trace[4 * 7] = static_cast<char>(trace[4 * 7] + 1);  // column 0, row 7
    write_text(task / "air0_main.bin", trace);
    const Outcome outcome = run_whorl({"check", "--task", task});
    EXPECT_EQ(outcome.exit_code, 1) << outcome;
    EXPECT_THAT(outcome.out, StartsWith("fib_2e5 is not satisfied\n"));
    EXPECT_THAT(outcome.out, HasSubstr("FibonacciAir"));
    EXPECT_THAT(outcome.out, HasSubstr("row 6"));
    EXPECT_EQ(run_whorl({"check", "--task", task, "--quiet"}).out, outcome.out);

    const Outcome unproved = run_whorl({"prove", "--task", task, "--out", scratch / "proof.bin", "--check"});
    EXPECT_EQ(unproved.exit_code, 1) << unproved;
    EXPECT_THAT(scratch.file_names(), ElementsAre("fib_2e5"));
}

TEST(Check, NamesTheBusThatDoesNotBalance) {
    const Scratch scratch;
    const fs::path task = scratch.copy_of("interactions");
    std::string trace = read_text(task / "air0_main.bin");
    trace[0] = static_cast<char>(trace[0] + 1);
    write_text(task / "air0_main.bin", trace);
    const Outcome outcome = run_whorl({"check", "--task", task});
    EXPECT_EQ(outcome.exit_code, 1) << outcome;
    EXPECT_THAT(outcome.out, HasSubstr("bus"));
}

TEST(Prove, YieldsTheReferencesBytesAtAnyNumberOfThreads) {
    const Scratch scratch;
    for (const char* name : {"fib_2e5", "fib_three_airs_one_absent", "mixture", "preprocessed_and_cached"}) {
        const fs::path task = vector_folder(name);
        for (const char* threads : {"1", "3"}) {
            const std::string proof = scratch / "proof.bin";
            const Outcome outcome =
                run_whorl({"prove", "--task", task, "--out", proof, "--threads", threads, "--timings"});
            ASSERT_EQ(outcome.exit_code, 0) << outcome;
            EXPECT_EQ(read_text(proof), read_text(task / "proof.bin")) << name;
            EXPECT_THAT(outcome.err, HasSubstr("stark_prove_excluding_trace"));
            EXPECT_EQ(
                run_whorl({"verify", "--vk", task / "vk.postcard", "--proof", proof, "--min-security", "0"}).exit_code,
                0);
        }
    }
    EXPECT_THAT(scratch.file_names(), ElementsAre("proof.bin"));
}

TEST(Prove, SaysThatConstraintsWereInterpretedWhereGeneratedKernelsWereAskedFor) {
    const Scratch scratch;
    const fs::path task = vector_folder("fib_2e5");
    const std::string proof = scratch / "proof.bin";
    const std::vector<std::string> command{"prove", "--task", task, "--out", proof, "--constraints", "generated"};
    const auto run_with = [&](std::vector<std::string> more) {
        more.insert(more.begin(), command.begin(), command.end());
        const Outcome outcome = run_whorl(more);
        EXPECT_EQ(outcome.exit_code, 0) << outcome;
        EXPECT_EQ(read_text(proof), read_text(task / "proof.bin"));
        return outcome.err;
    };
    EXPECT_THAT(run_with({"--device", "sim"}), HasSubstr("whorl: note: constraints were interpreted: sim compiles no"));
    EXPECT_THAT(run_with({"--device", "cpu"}), HasSubstr("whorl: note: constraints were interpreted: "));
    EXPECT_EQ(run_with({"--device", "sim", "--quiet"}), "");
}

TEST(Prove, TracesThatBreakAConstraintAreNamedAndNothingIsWritten) {
    const Scratch scratch;
    const fs::path task = scratch.copy_of("fib_2e5");
    std::string trace = read_text(task / "air0_main.bin");
    trace[4 * 7] = static_cast<char>(trace[4 * 7] + 1);
    write_text(task / "air0_main.bin", trace);
    for (const char* device : {"cpu", "sim"}) {
        const Outcome outcome =
            run_whorl({"prove", "--task", task, "--out", scratch / "proof.bin", "--device", device, "--quiet"});
        EXPECT_EQ(outcome.exit_code, 1) << outcome;
        EXPECT_THAT(outcome.err, HasSubstr("the traces do not satisfy the key"));
        EXPECT_THAT(outcome.err, HasSubstr("fails in row 6"));
        EXPECT_THAT(scratch.file_names(), ElementsAre("fib_2e5"));
    }
}

TEST(Prove, WithoutVerificationTracesThatBreakAConstraintGiveAProofThatIsRejected) {
    const Scratch scratch;
    const fs::path task = scratch.copy_of("fib_2e5");
    std::string trace = read_text(task / "air0_main.bin");
    trace[4 * 7] = static_cast<char>(trace[4 * 7] + 1);
    write_text(task / "air0_main.bin", trace);
    ASSERT_EQ(run_whorl({"prove", "--task", task, "--out", scratch / "proof.bin", "--no-verify"}).exit_code, 0);
    const Outcome outcome =
        run_whorl({"verify", "--vk", task / "vk.postcard", "--proof", scratch / "proof.bin", "--min-security", "0"});
    EXPECT_EQ(outcome.exit_code, 1) << outcome;
    EXPECT_THAT(outcome.out, Not(HasSubstr("statement")));
}

TEST(Prove, SaysThatTheProofIsVerifiedUnlessToldNotTo) {
    const Scratch scratch;
    const fs::path task = vector_folder("fib_2e5");
    const Outcome verified = run_whorl({"prove", "--task", task, "--out", scratch / "proof.bin", "--timings"});
    EXPECT_EQ(verified.exit_code, 0) << verified;
    EXPECT_THAT(verified.out, HasSubstr("verified in"));
    EXPECT_THAT(verified.err, HasSubstr("verify "));
    const Outcome unverified = run_whorl({"prove", "--task", task, "--out", scratch / "proof.bin", "--no-verify"});
    EXPECT_EQ(unverified.exit_code, 0) << unverified;
    EXPECT_THAT(unverified.out, Not(HasSubstr("verified in")));
}

// check, prove and plan give one answer to traces that do not fit the key, with the AIR's name and a remedy.
TEST(Task, ThatDoesNotFitItsKeyIsBadInputToAll) {
    const Scratch scratch;
    const auto expect_refused = [&](const fs::path& task, std::string_view reason) {
        for (const std::vector<std::string>& arguments : {std::vector<std::string>{"check", "--task", task},
                                                          {"prove", "--task", task, "--out", scratch / "proof.bin"},
                                                          {"plan", "--task", task, "--device", "sim"}}) {
            const Outcome outcome = run_whorl(arguments);
            EXPECT_EQ(outcome.exit_code, 2) << outcome;
            EXPECT_THAT(outcome.err, HasSubstr(std::string(reason)));
        }
    };
    // Taller than fib_2e5's stacked columns of 2^10.
    const fs::path task = scratch.copy_of("fib_2e5");
    json document = json::parse(read_text(task / "task.json"));
    document["airs"][0]["height"] = 1 << 16;
    write_text(task / "task.json", document.dump());
    write_text(task / "air0_main.bin", std::string(std::size_t{2} * 4 << 16, '\0'));
    expect_refused(
        task, "AIR 0 (FibonacciAir): expected a height of at most 2^10, the stacked height of the key, found 2^16");
    document["airs"] = json::array();
    write_text(task / "task.json", document.dump());
    expect_refused(task, "expected the trace of at least one AIR, found none");
    EXPECT_FALSE(fs::exists(scratch / "proof.bin"));
}

TEST(Keccakf, ProvesVerifiesAndWritesAProofAndKeyThatFit) {
    const Scratch scratch;
    const Outcome outcome = run_whorl({"keccakf", "--permutations", "2", "--out", scratch / "proof.bin", "--vk-out",
                                       scratch / "vk", "--metrics", scratch / "metrics.json", "--timeline",
                                       scratch / "timeline.json", "--threads", "2", "--timings"});
    ASSERT_EQ(outcome.exit_code, 0) << outcome;
    EXPECT_THAT(outcome.out, HasSubstr("keccakf: 2 permutations, 2,633 columns x 64 rows"));
    EXPECT_THAT(outcome.out, HasSubstr("verified in"));
    EXPECT_THAT(scratch.file_names(), UnorderedElementsAre("proof.bin", "vk", "metrics.json", "timeline.json"));
    EXPECT_EQ(run_whorl({"verify", "--vk", scratch / "vk", "--proof", scratch / "proof.bin"}).exit_code, 0);

    const json metrics = json::parse(read_text(scratch / "metrics.json"));
    EXPECT_EQ(metrics["totals"]["proof_bytes"], fs::file_size(scratch / "proof.bin"));
    EXPECT_EQ(metrics["totals"]["threads"], 2);
    const auto& spans = metrics["spans"];
    std::vector<std::string> names;
    for (std::size_t i = 0; i < spans.size(); ++i) {
        const auto& span = spans[i];
        names.push_back(span.at("name"));
        EXPECT_GE(span.at("start_ms").get<double>(), 0);
        EXPECT_GE(span.at("time_ms").get<double>(), 0);
        EXPECT_TRUE(span.at("fields").is_object());
        EXPECT_TRUE(span.at("parent").is_null() || span.at("parent").get<std::size_t>() < i);
        EXPECT_TRUE(metrics["totals"].contains(names.back() + "_time_ms"));
    }
    for (const char* name : {"keygen", "generate_trace", "stark_prove_excluding_trace", "prover.main_trace_commit",
                             "rs_code_matrix", "merkle_tree", "prover.rap_constraints", "logup_gkr", "round0",
                             "mle_rounds", "prover.openings", "stacked_reduction", "whir", "verify"}) {
        EXPECT_THAT(names, testing::Contains(name));
        EXPECT_THAT(outcome.err, HasSubstr(name)) << "in the span tree";
    }
    const json timeline = json::parse(read_text(scratch / "timeline.json"));
    EXPECT_EQ(timeline.at("traceEvents").size(), spans.size() + 1);
}

TEST(Keccakf, TakesItsInputsFromAFile) {
    const Scratch scratch;
    const std::string inputs = (vector_folder("keccak_5_perms") / "inputs.u64le").string();
    for (const auto& [file, permutations] : {std::pair{"two", "2"}, {"all", "5"}}) {
        const Outcome outcome = run_whorl({"keccakf", "--inputs", inputs, "--permutations", permutations, "--out",
                                           scratch / file, "--log-stacked-height", "12"});
        ASSERT_EQ(outcome.exit_code, 0) << outcome;
        EXPECT_THAT(outcome.out, HasSubstr(std::string("keccakf: ") + permutations + " permutations"));
        EXPECT_THAT(outcome.out, HasSubstr("stacked height 2^12"));
    }
    EXPECT_NE(read_text(scratch / "two"), read_text(scratch / "all"));
    EXPECT_EQ(
        run_whorl({"keccakf", "--inputs", inputs, "--log-stacked-height", "12", "--quiet", "--out", scratch / "every"})
            .exit_code,
        0);
    EXPECT_EQ(read_text(scratch / "all"), read_text(scratch / "every"));
}

TEST(Keccakf, IsSilentWhenQuiet) {
    const Outcome outcome = run_whorl({"keccakf", "--permutations", "1", "--quiet"});
    EXPECT_EQ(outcome.exit_code, 0);
    EXPECT_EQ(outcome.out + outcome.err, "");
}

TEST(Bench, PrintsAJsonLineForEachRunAndASummary) {
    const Outcome outcome = run_whorl(
        {"bench", "all", "--permutations", "1", "--log-height", "4", "--runs", "2", "--threads", "2", "--quiet"});
    ASSERT_EQ(outcome.exit_code, 0) << outcome;
    EXPECT_EQ(outcome.err, "");
    std::vector<std::string> kinds;
    for (const std::string& line : lines_of(outcome.out)) {
        const json entry = json::parse(line);
        kinds.push_back(entry.at("kind"));
        EXPECT_THAT(entry.at("name").get<std::string>(), testing::MatchesRegex("proof/(keccakf_1|logup_2e4)/cpu"));
        EXPECT_GT(entry.at("proof_bytes"), 0);
        EXPECT_GT(entry.at("peak_rss_bytes"), 0);
        EXPECT_NE(entry.at("instruction_set"), "");
        EXPECT_GT(entry.at(kinds.back() == "run" ? "prove_ms" : "prove_median_ms"), 0);
        if (kinds.back() == "run") {
            EXPECT_TRUE(entry.at("spans").contains("logup_gkr_time_ms"));
        }
    }
    EXPECT_THAT(kinds, ElementsAre("run", "run", "summary", "run", "run", "summary"));
}

TEST(Messages, AreBrokenAt100ColumnsOnATerminalOnly) {
    const std::string device = "none-" + std::string(20, 'x');
    const std::vector<std::string> command{"doctor", "--device", device};
    int exit_code = -1;
    const std::optional<std::string> shown = run_on_terminal(command, exit_code, {{"NO_COLOR", "1"}});
    if (!shown) GTEST_SKIP() << "no pseudo-terminal here (is /dev/pts mounted?)";
    EXPECT_EQ(exit_code, 2) << *shown;
    EXPECT_THAT(*shown, HasSubstr(device));
    EXPECT_GE(lines_of(*shown).size(), 2U);
    for (std::string line : lines_of(*shown)) {
        std::erase(line, '\r');
        if (line.starts_with("\x1b[2K")) line.erase(0, 4);
        EXPECT_LE(line.size(), 100U) << line;
    }
    const Outcome redirected = run_whorl({"doctor", "--device", device});
    EXPECT_EQ(lines_of(redirected.err).size(), 1U) << redirected;
}

TEST(Progress, IsShownOnATerminalOnly) {
    // Large enough for the line to be drawn several times.
    const std::vector<std::string> command{"keccakf", "--permutations", "100"};
    int exit_code = -1;
    const std::optional<std::string> shown = run_on_terminal(command, exit_code, {{"NO_COLOR", "1"}});
    if (!shown) GTEST_SKIP() << "no pseudo-terminal here (is /dev/pts mounted?)";
    EXPECT_EQ(exit_code, 0) << *shown;
    EXPECT_THAT(*shown, HasSubstr(" s  "));
    EXPECT_THAT(*shown, HasSubstr("stark_prove_excluding_trace > "));
    EXPECT_THAT(*shown, HasSubstr("\x1b[2K"));

    std::vector<std::string> quiet = command;
    quiet.emplace_back("--quiet");
    EXPECT_EQ(run_on_terminal(quiet, exit_code, {}), "");
    const Outcome redirected = run_whorl({"keccakf", "--permutations", "20"});
    EXPECT_THAT(redirected.out + redirected.err, Not(HasSubstr("\x1b")));
}

}  // namespace
}  // namespace whorl::test
