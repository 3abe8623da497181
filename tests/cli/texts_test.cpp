// Completions and the manual page: shells and groff can read them, and they have every command and option.
#include <gmock/gmock.h>

#include <filesystem>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "cli/program.hpp"

namespace whorl::test {
namespace {

using testing::HasSubstr;

std::string text_of(const std::vector<std::string>& arguments) {
    const Outcome outcome = run_whorl(arguments);
    EXPECT_EQ(outcome.exit_code, 0) << outcome;
    EXPECT_EQ(outcome.err, "");
    return outcome.out;
}

/// The path of a program, where it is installed.
std::string find_program(const std::string& name) {
    for (const char* folder : {"/bin/", "/usr/bin/", "/usr/local/bin/", "/opt/homebrew/bin/"}) {
        if (fs::exists(folder + name)) return folder + name;
    }
    return {};
}

/// `text` as a file is something that `words` and the file find nothing wrong with.
void expect_read_by(std::vector<std::string> words, const std::string& text) {
    const Scratch scratch;
    write_text(scratch / "text", text);
    words.push_back(scratch / "text");
    const Outcome outcome = run_command(words);
    EXPECT_EQ(outcome.exit_code, 0) << outcome;
    EXPECT_EQ(outcome.err, "");
}

const std::vector<std::string> kCommands{"keccakf", "prove",  "verify", "check",       "inspect",
                                         "keygen",  "commit", "task",   "plan",        "params",
                                         "devices", "doctor", "bench",  "completions", "man"};

/// Every "--option" that the help of every command names.
std::set<std::string> all_options() {
    std::set<std::string> options;
    std::vector<std::vector<std::string>> helps{{"--help"}, {"task", "init", "--help"}};
    for (const std::string& command : kCommands) helps.push_back({command, "--help"});
    const std::regex listed(R"(^  (-\w,)?(--[\w-]+))");
    for (const std::vector<std::string>& arguments : helps) {
        std::istringstream lines(text_of(arguments));
        for (std::string line; std::getline(lines, line);) {
            std::smatch match;
            if (std::regex_search(line, match, listed)) options.insert(match[2]);
        }
    }
    EXPECT_GT(options.size(), 40U);
    return options;
}

TEST(Texts, HaveEveryCommandAndOption) {
    const std::string bash = text_of({"completions", "bash"});
    const std::string zsh = text_of({"completions", "zsh"});
    const std::string fish = text_of({"completions", "fish"});
    const std::string man = text_of({"man"});
    for (const std::string& command : kCommands) {
        EXPECT_THAT(bash, HasSubstr("':" + command + "'"));
        EXPECT_THAT(zsh, HasSubstr("'" + command + ":"));
        EXPECT_THAT(fish, HasSubstr(" -a " + command + " -d"));
        EXPECT_THAT(man, HasSubstr(".SS whorl " + command)) << command;
    }
    for (const std::string& option : all_options()) {
        EXPECT_THAT(bash, HasSubstr(option));
        EXPECT_THAT(zsh, HasSubstr(option + "["));
        EXPECT_THAT(fish, HasSubstr(" -l " + option.substr(2) + " "));
        EXPECT_THAT(man, HasSubstr(std::regex_replace(option, std::regex("-"), "\\-")));
    }
}

TEST(Texts, BashReadsItsScript) {
    const std::string bash = find_program("bash");
    if (bash.empty()) GTEST_SKIP() << "bash is not installed";
    expect_read_by({bash, "-n"}, text_of({"completions", "bash"}));
}

TEST(Texts, BashCompletesCommandsOptionsAndValues) {
    const std::string bash = find_program("bash");
    if (bash.empty()) GTEST_SKIP() << "bash is not installed";
    const Scratch scratch;
    write_text(scratch / "script", text_of({"completions", "bash"}));
    write_text(scratch / "one.proof", "");
    fs::create_directory(scratch / "one.folder");
    const auto complete = [&](const std::string& words) {
        const Outcome outcome = run_command(
            {bash, "-c",
             "source '" + (scratch / "script") + "'; cd '" + scratch.path().string() + "'; COMP_WORDS=(whorl " + words +
                 "); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _whorl 2>&1; echo \"${COMPREPLY[*]}\""});
        EXPECT_EQ(outcome.exit_code, 0) << outcome;
        return outcome.out;
    };
    EXPECT_EQ(complete("pr"), "prove\n");
    EXPECT_EQ(complete("he"), "help\n");
    EXPECT_EQ(complete("prove --dis"), "--dispatch\n");
    EXPECT_EQ(complete("prove --dispatch ''"), "staged unfused\n");
    EXPECT_EQ(complete("prove --dispatch = u"), "unfused\n");
    EXPECT_EQ(complete("prove --device s"), "sim\n");
    EXPECT_EQ(complete("prove --threads ''"), "\n");
    EXPECT_EQ(complete("prove --out one.p"), "one.proof\n");
    EXPECT_EQ(complete("prove --task one."), "one.folder\n");
    EXPECT_EQ(complete("bench lo"), "logup\n");
    EXPECT_EQ(complete("task ''"), "init\n");
    EXPECT_EQ(complete("task init --he"), "--help --height\n");
    EXPECT_EQ(complete("keygen --air fibonacci --air kec"), "keccak\n");
}

TEST(Texts, ZshReadsItsScript) {
    const std::string zsh = find_program("zsh");
    if (zsh.empty()) GTEST_SKIP() << "zsh is not installed";
    const std::string script = text_of({"completions", "zsh"});
    EXPECT_TRUE(script.starts_with("#compdef whorl\n"));
    expect_read_by({zsh, "-f", "-n"}, script);
}

TEST(Texts, FishReadsItsScript) {
    const std::string fish = find_program("fish");
    if (fish.empty()) GTEST_SKIP() << "fish is not installed";
    expect_read_by({fish, "--no-config", "--no-execute"}, text_of({"completions", "fish"}));
}

TEST(Texts, GroffHasNoWarningForTheManualPage) {
    const std::string groff = find_program("groff");
    if (groff.empty()) GTEST_SKIP() << "groff is not installed";
    const std::string page = text_of({"man"});
    EXPECT_THAT(page, HasSubstr(".TH WHORL 1 "));
    expect_read_by({groff, "-man", "-ww", "-Tascii", "-z"}, page);
}

TEST(Texts, AreWrittenToAFile) {
    const Scratch scratch;
    EXPECT_EQ(text_of({"completions", "fish", "--out", scratch / "fish"}), "");
    EXPECT_EQ(read_text(scratch / "fish"), text_of({"completions", "fish"}));
    EXPECT_EQ(text_of({"man", "-o", scratch / "man"}), "");
    EXPECT_EQ(read_text(scratch / "man"), text_of({"man"}));
    EXPECT_EQ(run_whorl({"completions"}).exit_code, 2);
    EXPECT_THAT(run_whorl({"completions", "tcsh"}).err, HasSubstr("expected bash|zsh|fish, found \"tcsh\""));
}

TEST(Texts, OfTheVersionNameCommitDevicesAndInstructionSets) {
    const std::string text = text_of({"--version"});
    EXPECT_TRUE(std::regex_match(text, std::regex("whorl \\d+\\.\\d+\\.\\d+ \\(proof codec \\d+\\)\n"
                                                  "commit: ([0-9a-f]{12}\\+?|unknown)\n"
                                                  "devices: cpu, sim[a-z, ]*\n"
                                                  "instruction sets: .*plain C\\+\\+; the first is used\n")))
        << text;
    EXPECT_EQ(text_of({"-V"}), text);
}

}  // namespace
}  // namespace whorl::test
