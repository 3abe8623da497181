#include <gmock/gmock.h>

#include <utility>

#include "cli/program.hpp"

namespace whorl::test {
namespace {

using testing::HasSubstr;

TEST(Usage, HelpNamesEverySubcommandAndTheExitCodes) {
    const Outcome outcome = run_whorl({"--help"});
    EXPECT_EQ(outcome.exit_code, 0);
    for (const char* word : {"keccakf", "prove", "verify", "check", "inspect", "plan", "devices", "doctor", "bench",
                             "Examples:", "Exit codes:"}) {
        EXPECT_THAT(outcome.out, HasSubstr(word));
    }
    EXPECT_EQ(outcome.err, "");
}

TEST(Usage, EverySubcommandHasHelpWithExamplesAndTheCommonOptions) {
    for (const std::string command :
         {"keccakf", "prove", "verify", "check", "inspect", "plan", "devices", "doctor", "bench"}) {
        const Outcome outcome = run_whorl({command, "--help"});
        EXPECT_EQ(outcome.exit_code, 0) << outcome;
        for (const std::string& word :
             {std::string("Examples:"), "  whorl " + command, std::string("--device"), std::string("--dispatch"),
              std::string("--constraints"), std::string("--compile-timeout"), std::string("--threads"),
              std::string("--metrics"), std::string("--timeline"), std::string("--quiet")}) {
            EXPECT_THAT(outcome.out, HasSubstr(word)) << command;
        }
    }
}

TEST(Usage, VersionIsPrinted) {
    const Outcome outcome = run_whorl({"--version"});
    EXPECT_EQ(outcome.exit_code, 0);
    EXPECT_THAT(outcome.out, testing::MatchesRegex("whorl [0-9]+\\.[0-9]+\\.[0-9]+ .*\n"));
}

TEST(Usage, WrongCommandLinesExitWith2AndSayWhy) {
    const std::vector<std::pair<std::vector<std::string>, std::string>> cases{
        {{}, "subcommand"},
        {{"frobnicate"}, "frobnicate"},
        {{"prove"}, "--task"},
        {{"prove", "--task", "x"}, "--out"},
        {{"verify", "--vk", "x"}, "--proof"},
        {{"verify", "--vk", "x", "--proof", "y", "--batch", "z"}, "--batch"},
        {{"keccakf", "--permutations", "0"}, "--permutations"},
        {{"keccakf", "--permutations", "-1"}, "--permutations"},
        {{"keccakf", "--permutations", "many"}, "--permutations"},
        {{"keccakf", "--log-stacked-height", "25"}, "--log-stacked-height"},
        {{"keccakf", "--log-stacked-height", "10"}, "not in range 11 to 24"},
        {{"keccakf", "--threads", "100000"}, "--threads"},
        {{"keccakf", "--frob"}, "--frob"},
        {{"keccakf", "--dispatch", "fast"}, "--dispatch"},
        {{"keccakf", "--constraints", "guessed"}, "--constraints"},
        {{"keccakf", "--compile-timeout", "-1"}, "--compile-timeout"},
        {{"keccakf", "--device", "abacus"}, "abacus"},
        {{"plan"}, "--task"},
        {{"plan", "--task", vector_folder("fib_2e5").string()}, "cpu"},
        {{"doctor", "--device", "abacus"}, "abacus"},
        {{"bench", "sorting"}, "sorting"},
        {{"bench", "logup", "--log-height", "22"}, "--log-height"},
    };
    for (const auto& [arguments, word] : cases) {
        const Outcome outcome = run_whorl(arguments);
        EXPECT_EQ(outcome.exit_code, 2) << testing::PrintToString(arguments) << outcome;
        EXPECT_THAT(outcome.err, HasSubstr(word)) << testing::PrintToString(arguments);
        EXPECT_EQ(outcome.out, "") << testing::PrintToString(arguments);
    }
}

TEST(Usage, ADeviceThatIsNotThereExitsWith3AndNamesWhatThereIs) {
    const std::string task = vector_folder("fib_2e5").string();
    const Scratch scratch;
    const std::string proof = scratch / "proof.bin";
    for (const std::vector<std::string>& arguments :
         {std::vector<std::string>{"keccakf", "--permutations", "1", "--device", "cuda:77"},
          {"prove", "--task", task, "--out", proof, "--device", "cuda:77"},
          {"bench", "--device", "cuda:77"},
          {"doctor", "--device", "cuda:77"}}) {
        const Outcome outcome = run_whorl(arguments);
        EXPECT_EQ(outcome.exit_code, 3) << outcome;
        EXPECT_THAT(outcome.err, HasSubstr("\"cuda:77\""));
        EXPECT_THAT(outcome.err, HasSubstr("available: cpu, sim"));
    }
    EXPECT_FALSE(fs::exists(proof));
}

}  // namespace
}  // namespace whorl::test
