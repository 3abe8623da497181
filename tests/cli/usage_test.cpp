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
                             "keygen", "commit", "task", "params", "Examples:", "Exit codes:"}) {
        EXPECT_THAT(outcome.out, HasSubstr(word));
    }
    EXPECT_EQ(outcome.err, "");
}

TEST(Usage, EverySubcommandHasHelpWithExamplesAndTheOptionsThatMeanSomethingToIt) {
    const std::vector<std::string> device{"--device"}, gpu{"--dispatch", "--constraints", "--compile-timeout"},
        threads{"--threads"}, spans{"--timings", "--metrics", "--timeline"};
    struct Case {
        std::string command;
        bool has_device, has_threads, has_spans;
    };
    for (const Case& c : {Case{"keccakf", true, true, true},
                          {"prove", true, true, true},
                          {"verify", false, true, true},
                          {"check", false, true, true},
                          {"inspect", false, false, true},
                          {"plan", true, true, true},
                          {"devices", false, false, false},
                          {"doctor", true, true, true},
                          {"keygen", false, false, true},
                          {"params", false, false, true},
                          {"completions", false, false, false},
                          {"man", false, false, false},
                          {"commit", true, true, true},
                          {"bench", true, true, true}}) {
        const Outcome outcome = run_whorl({c.command, "--help"});
        EXPECT_EQ(outcome.exit_code, 0) << outcome;
        EXPECT_EQ(run_whorl({"help", c.command}).out, outcome.out);
        for (const std::string& word : {std::string("Examples:"), "  whorl " + c.command, std::string("--quiet")}) {
            EXPECT_THAT(outcome.out, HasSubstr(word)) << c.command;
        }
        const auto expect_options = [&](const std::vector<std::string>& options, bool has_them) {
            for (const std::string& option : options) {
                EXPECT_EQ(outcome.out.find(option + " ") != std::string::npos, has_them) << c.command << ' ' << option;
            }
        };
        expect_options(device, c.has_device);
        expect_options(gpu, c.has_device);
        expect_options(threads, c.has_threads);
        expect_options(spans, c.has_spans);
    }
    EXPECT_EQ(run_whorl({"help"}).out, run_whorl({"--help"}).out);
}

TEST(Usage, AnEmptyValueIsNotAnOptionLeftOut) {
    const std::string vector = vector_folder("fib_2e5").string();
    const std::vector<std::string> verify{"verify", "--vk", vector + "/vk.postcard", "--proof", vector + "/proof.bin"};
    EXPECT_EQ(run_whorl(verify).exit_code, 0);
    for (const std::string option : {"--expect", "--statement-out", "--metrics", "--timeline"}) {
        std::vector<std::string> arguments = verify;
        arguments.insert(arguments.end(), {option, ""});
        const Outcome outcome = run_whorl(arguments);
        EXPECT_EQ(outcome.exit_code, 2) << outcome;
        EXPECT_THAT(outcome.err, HasSubstr(option + ": expected a value, found an empty one"));
    }
}

TEST(Usage, NamesWhatMayHaveBeenMeant) {
    for (const auto& [arguments, meant] : std::vector<std::pair<std::vector<std::string>, std::string>>{
             {{"porve"}, "did you mean prove?"},
             {{"helo"}, "did you mean help?"},
             {{"prove", "--tusk", "x", "--out", "y"}, "did you mean --task?"},
             {{"prove", "--task", "x", "--otu=y"}, "did you mean --out?"},
             {{"--versoin"}, "did you mean --version?"}}) {
        const Outcome outcome = run_whorl(arguments);
        EXPECT_EQ(outcome.exit_code, 2) << outcome;
        EXPECT_THAT(outcome.err, HasSubstr(meant)) << outcome;
    }
    for (const std::vector<std::string>& arguments : {std::vector<std::string>{"frobnicate"}, {"prove", "--frob"}}) {
        EXPECT_THAT(run_whorl(arguments).err, testing::Not(HasSubstr("did you mean"))) << arguments[0];
    }
}

TEST(Usage, VersionIsPrinted) {
    const Outcome outcome = run_whorl({"--version"});
    EXPECT_EQ(outcome.exit_code, 0);
    EXPECT_THAT(outcome.out, testing::StartsWith("whorl "));
    EXPECT_EQ(run_whorl({"-V"}).out, outcome.out);
}

TEST(Usage, WrongCommandLinesExitWith2AndSayWhy) {
    const std::string fib_key = (vector_folder("fib_2e5") / "vk.postcard").string();
    const std::vector<std::pair<std::vector<std::string>, std::string>> cases{
        {{}, "subcommand"},
        {{"frobnicate"}, "frobnicate"},
        {{"prove"}, "--task"},
        {{"prove", "--task", "x"}, "--out"},
        {{"verify", "--vk", "x"}, "--proof"},
        {{"verify", "--vk", "x", "--proof", "y", "--batch", "z"}, "--batch"},
        {{"prove", "--task", "x", "--task", "y"}, "--task: given 2 times, expected once"},
        {{"prove", "--out", "x", "--task"}, "--task: expected DIR, found nothing"},
        {{"verify", "--threads", "1", "--threads", "2", "--vk", "x", "--proof", "y"}, "--threads: given 2 times"},
        {{"verify", "--threads", "0", "--vk", "x", "--proof", "y"}, "--threads: expected 1 to 1024, found \"0\""},
        {{"bench", "segment", "--task-out", "-"}, "--task-out: expected a folder, found -,"},
        {{"task", "init", "-", "--vk", fib_key}, "DIR: expected a folder, found -,"},
        {{"keccakf", "--permutations", "0"}, "--permutations"},
        {{"keccakf", "--permutations", "-1"}, "--permutations"},
        {{"keccakf", "--permutations", "many"}, "--permutations"},
        {{"keccakf", "--log-stacked-height", "25"}, "--log-stacked-height"},
        {{"keccakf", "--log-stacked-height", "10"}, "expected 11 to 24, found"},
        {{"keccakf", "--threads", "100000"}, "--threads"},
        {{"keccakf", "--frob"}, "--frob"},
        {{"keccakf", "--dispatch", "fast"}, "--dispatch"},
        {{"keccakf", "--constraints", "guessed"}, "--constraints"},
        {{"keccakf", "--compile-timeout", "-1"}, "--compile-timeout"},
        {{"keccakf", "--device", "abacus"}, "abacus"},
        {{"plan"}, "--task"},
        {{"keccakf", "--threads", ""}, "expected 0 to 1024, found \"\""},
        {{"verify", "--vk", "x", "--proof", "y", "--min-security", "nan"}, "expected 0 to 1000, found \"nan\""},
        {{"params"}, "--task, or --vk with --height,"},
        {{"params", "--vk", fib_key, "--height", "0=32", "--height", "0=64"}, "--height: AIR 0: given twice"},
        {{"verify", "--vk", fib_key, "--proof", fib_key, "--public-values", "0=1,2,3", "--public-values", "0=1,2,3"},
         "--public-values: AIR 0: given twice"},
        {{"params", "--task", vector_folder("fib_2e5").string(), "--security", "nan"}, "expected 1 to 124, found"},
        {{"keccakf", "--threads", "010"}, "expected 0 to 1024, found \"010\""},
        {{"keccakf", "--threads", "0x10"}, "expected 0 to 1024, found \"0x10\""},
        {{"task", "init", "x", "--vk", fib_key, "--absent", "-1"}, "expected 0 to 4294967295"},
        {{"bench", "--instruction-set", "abacus"}, "\"plain C++\", found \"abacus\""},
        {{"bench", "--scale", "3"}, "--scale: an option of segment, found all"},
        {{"bench", "logup", "--proof", "3"}, "--proof: an option of segment, found logup"},
        {{"bench", "segment", "--log-height", "5"}, "--log-height: an option of logup and shape, found segment"},
        {{"bench", "keccakf", "--log-stacked-height", "12"},
         "--log-stacked-height: an option of segment and shape, found keccakf"},
        {{"bench", "--task", "x", "--num-airs", "3"}, "--num-airs: an option of shape, found --task"},
        {{"bench", "segment", "--scale", "6", "--log-stacked-height", "11"}, "expected at least 16, log2"},
        {{"bench", "shape", "--log-height", "12", "--log-stacked-height", "11"}, "expected at least 12, log2"},
        {{"params", "--task", "x", "--vk", "y"}, "--vk"},
        {{"params", "--task", "x", "--height", "0=4"}, "--vk"},
        {{"params", "--task", vector_folder("fib_2e5").string(), "--security", "125"}, "expected 1 to 124, found"},
        {{"params", "--task", "x", "--goal", "cheap"}, "balanced|fast|small"},
        {{"plan", "--device", "abacus", "--task", vector_folder("fib_2e5").string()}, "abacus"},
        {{"verify", "--device", "cpu"}, "not expected: --device cpu"},
        {{"doctor", "--device", "abacus"}, "abacus"},
        {{"bench", "sorting"}, "sorting"},
        {{"bench", "segment", "--proof", "209"}, "expected 0 to 208"},
        {{"bench", "segment", "--scale", "23"}, "expected 0 to 22"},
        {{"bench", "logup", "--task", "x"}, "workload excludes --task"},
        {{"bench", "--task-out", "x"}, "one workload, not all, for --task-out,"},
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
