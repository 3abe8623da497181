// What the program says when the machine is too small.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <unistd.h>
#include <nlohmann/json.hpp>

#include <cstdint>
#include <filesystem>

#include "cli/program.hpp"
#include "machine/sanitizers.hpp"

namespace whorl::test {
namespace {

using testing::HasSubstr;

/// Why `ulimit -v` says nothing here; null where it does.
constexpr const char* kWithoutAddressLimits =
#if defined(WHORL_SANITIZED)
    "sanitizers reserve more address space than any limit allows";
#elif defined(__APPLE__)
    "macOS does not limit address space";
#else
    nullptr;
#endif

TEST(Machine, ATraceLargerThanItsMemoryIsRefusedAtOnce) {
    // 2^23 rows of 2,633 columns and their codeword: 265 GB.
    const Outcome outcome = run_whorl({"keccakf", "--permutations", "349525"});
    EXPECT_EQ(outcome.exit_code, 3) << outcome;
    EXPECT_THAT(outcome.err, HasSubstr("keccakf_349525 needs more than"));
    EXPECT_THAT(outcome.err, HasSubstr("are available"));
}

TEST(Machine, FilesLargerThanItsMemoryAreNotRead) {
    if (kWithoutAddressLimits != nullptr) GTEST_SKIP() << kWithoutAddressLimits;
    const auto run_limited = [](const std::string& arguments) {
        return run_command(
            {"/bin/sh", "-c", std::string("ulimit -v 1000000; exec ") + WHORL_PROGRAM + " " + arguments});
    };
    const Scratch scratch;
    fs::resize_file((write_text(scratch / "key", ""), scratch / "key"), std::uint64_t{200} << 20);
    const Outcome outcome = run_limited("inspect --vk " + (scratch / "key"));
    EXPECT_EQ(outcome.exit_code, 3) << outcome;
    EXPECT_THAT(outcome.err, testing::AllOf(HasSubstr("key"), HasSubstr("2.3 GiB"), HasSubstr("ulimit -v")));

    // Columns of a task, before they are taken in.
    const fs::path task = scratch.copy_of("fib_2e5");
    nlohmann::json document = nlohmann::json::parse(read_text(task / "task.json"));
    document["airs"][0]["height"] = 1 << 27;
    write_text(task / "task.json", document.dump());
    fs::resize_file(task / "air0_main.bin", std::uint64_t{1} << 30);
    const Outcome check = run_limited("check --task " + task.string());
    EXPECT_EQ(check.exit_code, 3) << check;
    EXPECT_THAT(check.err, testing::AllOf(HasSubstr("air0_main.bin"), HasSubstr("1.0 GiB"), HasSubstr("ulimit -v")));
}

TEST(Machine, MemoryThatRunsOutIsReportedNotFatal) {
    if (kWithoutAddressLimits != nullptr) GTEST_SKIP() << kWithoutAddressLimits;
    const Scratch scratch;
    // The trace alone takes 5.5 GB.
    const std::string command = std::string("ulimit -v 3000000; exec ") + WHORL_PROGRAM +
                                " keccakf --permutations 20000 --out " + (scratch / "proof.bin");
    const Outcome outcome = run_command({"/bin/sh", "-c", command});
    EXPECT_EQ(outcome.exit_code, 3) << outcome;
    EXPECT_THAT(outcome.err, HasSubstr("memory"));
    EXPECT_TRUE(scratch.file_names().empty());
}

TEST(Machine, MemoryThatRunsOutIsNoVerdictOfTheDoctor) {
    if (kWithoutAddressLimits != nullptr) GTEST_SKIP() << kWithoutAddressLimits;
    // How much the program takes depends on the build: some of these limits end it in its work.
    int num_ended = 0;
    for (const int limit_kb : {60000, 80000, 100000}) {
        const std::string command =
            fmt::format("ulimit -v {}; exec {} doctor --device sim --quiet", limit_kb, WHORL_PROGRAM);
        const Outcome outcome = run_command({"/bin/sh", "-c", command});
        EXPECT_NE(outcome.exit_code, 1) << outcome;
        EXPECT_THAT(outcome.out, testing::Not(HasSubstr("WRONG")));
        if (outcome.exit_code != 3) continue;
        ++num_ended;
        EXPECT_THAT(outcome.err, HasSubstr("not enough memory"));
    }
    EXPECT_GT(num_ended, 0);
}

#ifdef WHORL_REFUSED_THREADS
TEST(Machine, ThreadsThatAreRefusedForAMomentAreWaitedFor) {
    // Between the trial and the start, as by another program of the same user that takes the last threads.
    const Scratch scratch;
    const fs::path task = scratch.copy_of("fib_2e5");
    const Outcome outcome =
        run_command({"/usr/bin/env", std::string("LD_PRELOAD=") + WHORL_REFUSED_THREADS, WHORL_PROGRAM, "prove",
                     "--quiet", "--threads", "3", "--task", task.string(), "--out", scratch / "proof"});
    EXPECT_EQ(outcome.exit_code, 0) << outcome;
    EXPECT_EQ(read_text(scratch / "proof"), read_text(task / "proof.bin"));
}
#endif

#ifdef __linux__
/// The program under a limit of prlimit (util-linux), as a user whom limits on processes bind: they do not bind root.
Outcome run_limited(const std::string& limit, const std::vector<std::string>& arguments) {
    std::vector<std::string> words;
    if (::geteuid() == 0) words = {"/usr/bin/setpriv", "--reuid=64123", "--clear-groups"};
    words.insert(words.end(), {"/usr/bin/prlimit", limit, WHORL_PROGRAM});
    words.insert(words.end(), arguments.begin(), arguments.end());
    return run_command(words);
}

bool can_limit() {
    return fs::exists("/usr/bin/setpriv") && fs::exists("/usr/bin/prlimit") &&
           run_limited("--nofile=64", {"--version"}).exit_code == 0;
}

TEST(Machine, WithoutThreadsWorkGoesOnWithTheOneThereIs) {
#ifdef WHORL_SANITIZED
    GTEST_SKIP() << "sanitizers start threads of their own";
#endif
    if (!can_limit()) GTEST_SKIP() << "the program cannot be run by setpriv and prlimit";
    const std::string vector = vector_folder("mixture");
    const std::vector<std::vector<std::string>> commands{
        {"check", "--task", vector},
        {"plan", "--device", "sim", "--task", vector},
        {"keccakf", "--permutations", "2"},
    };
    const Outcome verified = run_limited("--nproc=1", {"verify", "--vk", vector + "/vk.postcard", "--proof",
                                                       vector + "/proof.bin", "--min-security", "0"});
    EXPECT_EQ(verified.exit_code, 0) << verified;
    EXPECT_THAT(verified.err, testing::Not(HasSubstr("threads work")));  // it takes but one
    for (std::vector<std::string> command : commands) {
        command.insert(command.end(), {"--threads", "8"});
        const Outcome outcome = run_limited("--nproc=1", command);
        EXPECT_EQ(outcome.exit_code, 0) << command[0] << ": " << outcome;
        EXPECT_THAT(outcome.err, HasSubstr("note: 1 of 8 threads work")) << command[0];
    }
}

TEST(Machine, WithoutAddressSpaceForThreadsWorkGoesOnWithFewer) {
#ifdef WHORL_SANITIZED
    GTEST_SKIP() << "sanitizers reserve more address space than any limit allows";
#endif
    if (!can_limit()) GTEST_SKIP() << "the program cannot be run by setpriv and prlimit";
    bool has_worked = false;
    for (const unsigned megabytes : {30, 60, 120, 250, 500, 1000, 4000}) {
        const Outcome outcome = run_limited("--as=" + std::to_string(megabytes * 1'000'000ULL),
                                            {"check", "--threads", "64", "--task", vector_folder("mixture")});
        if (outcome.exit_code == 127) continue;  // too little for the program's libraries
        EXPECT_TRUE(outcome.exit_code == 0 || outcome.exit_code == 3) << megabytes << " MB: " << outcome;
        has_worked |= outcome.exit_code == 0;
    }
    EXPECT_TRUE(has_worked);
}
#endif

}  // namespace
}  // namespace whorl::test
