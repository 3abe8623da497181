// Help and messages as text: printable, and no line too long.
#include <gmock/gmock.h>

#include <algorithm>
#include <sstream>

#include "cli/help.hpp"
#include "cli/program.hpp"
#include "text/printable.hpp"

namespace whorl::test {
namespace {

const std::vector<std::string> kCommands{"keccakf", "prove",  "verify", "check",       "inspect",
                                         "keygen",  "commit", "plan",   "params",      "devices",
                                         "doctor",  "bench",  "task",   "completions", "man"};

std::size_t num_columns(const std::string& line) {
    return static_cast<std::size_t>(
        std::ranges::count_if(line, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

/// Holds `text` to printable UTF-8 in lines of at most 100 columns.
void expect_text(const std::string& text, const std::string& of) {
    EXPECT_EQ(printable_lines(text), text) << of;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        EXPECT_LE(num_columns(line), cli::kMaxHelpColumns) << of << ": " << line;
        EXPECT_FALSE(line.ends_with(' ')) << of << ": " << line;
    }
}

TEST(Help, OfEveryCommandIsTextOfAtMost100Columns) {
    const Outcome main = run_whorl({"--help"});
    EXPECT_EQ(main.exit_code, 0);
    expect_text(main.out, "--help");
    for (const std::string& command : kCommands) {
        const Outcome outcome = run_whorl({command, "--help"});
        EXPECT_EQ(outcome.exit_code, 0) << outcome;
        expect_text(outcome.out, command);
    }
    expect_text(run_whorl({"task", "init", "--help"}).out, "task init");
    expect_text(run_whorl({"--version"}).out, "--version");
}

TEST(Help, ShowsTheChoicesOfAnOptionAndItsDefault) {
    const std::string help = run_whorl({"prove", "--help"}).out;
    EXPECT_THAT(help, testing::HasSubstr("--dispatch staged|unfused=staged\n"));
    EXPECT_THAT(help, testing::HasSubstr("--constraints interpreted|generated=interpreted\n"));
    EXPECT_THAT(run_whorl({"bench", "--help"}).out,
                testing::HasSubstr("workload keccakf|logup|all|segment|shape=all Excludes: --task\n"));
}

TEST(Help, LongLinesAreBrokenAtSpaces) {
    const std::string word(60, 'w');
    EXPECT_EQ(cli::wrap_help(word + ' ' + word + "\n  " + word + ' ' + word + '\n'),
              word + '\n' + word + "\n  " + word + "\n  " + word + '\n');
    EXPECT_EQ(cli::wrap_help("  --option X                    " + word + ' ' + word + '\n'),
              "  --option X                    " + word + '\n' + std::string(32, ' ') + word + '\n');
    // The rest of a line goes on with its paragraph, up to a list or an empty line.
    EXPECT_EQ(cli::wrap_help(word + ' ' + word + "\nnext\n  item\n"), word + '\n' + word + " next\n  item\n");
    EXPECT_EQ(cli::wrap_help(word + ' ' + word + "\n\nnext\n"), word + '\n' + word + "\n\nnext\n");
    EXPECT_EQ(cli::wrap_help(word + ' ' + word + '\n' + word), word + '\n' + word + '\n' + word + '\n');
    const std::string unbreakable(200, 'u');
    EXPECT_EQ(cli::wrap_help(unbreakable + '\n'), unbreakable + '\n');
    EXPECT_EQ(cli::wrap_help("\n\n"), "\n\n");
}

TEST(Messages, OfWrongCommandLinesAndInputsArePrintableAndFitA100ColumnTerminal) {
    const Scratch scratch;
    const fs::path task = scratch.copy_of("mixture");
    const std::string key = (task / "vk.postcard").string();
    const std::string proof = (task / "proof.bin").string();
    write_text(scratch / "cut", read_text(proof).substr(0, 999));
    write_text(scratch / "long", read_text(proof) + "x");
    write_text(scratch / "bad.jsonl", "{\"kind\":\"run\"}\n");
    fs::create_directory(scratch / "t");
    std::vector<std::vector<std::string>> wrong{
        {},
        {"frobnicate"},
        {"prove"},
        {"prove", "--task", "x"},
        {"prove", "--task", scratch / "none", "--out", scratch / "p"},
        {"prove", "--task", task, "--out", key},
        {"prove", "--task", task, "--out", scratch / "t"},
        {"verify", "--vk", key},
        {"verify", "--vk", key, "--proof", proof, "--batch", "-"},
        {"verify", "--vk", key, "--proof", scratch / "cut"},
        {"verify", "--vk", key, "--proof", scratch / "long"},
        {"verify", "--vk", proof, "--proof", proof},
        {"verify", "--vk", "/dev/zero", "--proof", proof},
        {"verify", "--vk", key, "--proof", "/dev/zero"},
        {"verify", "--vk", key, "--batch", scratch / "none"},
        {"verify", "--vk", key, "--proof", proof, "--expect", scratch / "bad.jsonl"},
        {"verify", "--vk", key, "--proof", proof, "--public-values", "0"},
        {"verify", "--vk", key, "--proof", proof, "--min-security", "many"},
        {"inspect", "--vk", scratch / "cut"},
        {"keccakf", "--inputs", scratch / "cut"},
        {"keccakf", "--permutations", "9999999999"},
        {"keccakf", "--log-stacked-height", "1"},
        {"plan", "--device", "abacus", "--task", task},
        {"bench", "--beside", scratch / "bad.jsonl"},
        {"bench", "--beside", proof},
        {"bench", "sorting"},
        {"bench", "--runs", "0"},
        {"bench", "--log-height", "22"},
        {"doctor", "--metrics", scratch / "t"},
        {"doctor", "--device", "abacus"},
        {"doctor", "--device", "cuda:77"},
        {"keccakf", "--metrics", "/none/x"},
    };
    for (const std::string& command : kCommands) {
        for (const std::vector<std::string>& options :
             std::vector<std::vector<std::string>>{{"--frob"},
                                                   {"surplus", "surplus"},
                                                   {"--dispatch", "fast"},
                                                   {"--dispatch"},
                                                   {"--constraints", "guessed"},
                                                   {"--compile-timeout", "-1"},
                                                   {"--threads", "100000"},
                                                   {"--threads", "many"}}) {
            wrong.push_back({command});
            wrong.back().insert(wrong.back().end(), options.begin(), options.end());
        }
    }
    for (const std::vector<std::string>& arguments : wrong) {
        const Outcome outcome = run_whorl(arguments);
        EXPECT_GE(outcome.exit_code, 2) << testing::PrintToString(arguments) << outcome;
        std::string text = outcome.err;
        // The names of files are as long as they are.
        for (std::size_t at = 0; (at = text.find(scratch.path().string())) != std::string::npos;) {
            text.replace(at, scratch.path().string().size(), "DIR");
        }
        EXPECT_EQ(printable_lines(text), text) << testing::PrintToString(arguments);
        expect_text(cli::wrap_help(text), testing::PrintToString(arguments));  // as on a terminal
        EXPECT_NE(text, "");
    }
}

TEST(Usage, UnknownOptionsAreNamedBeforeMissingOnes) {
    for (const std::vector<std::string>& arguments :
         {std::vector<std::string>{"--bogus"}, {"prove", "--bogus", "x"}, {"verify", "--vk", "a", "--bogus"}}) {
        const Outcome outcome = run_whorl(arguments);
        EXPECT_EQ(outcome.exit_code, 2) << outcome;
        EXPECT_THAT(outcome.err, testing::HasSubstr("not expected: --bogus")) << outcome;
    }
}

}  // namespace
}  // namespace whorl::test
