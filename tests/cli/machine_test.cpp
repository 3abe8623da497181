// What the program says when the machine is too small.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include "cli/program.hpp"

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define WHORL_UNDER_SANITIZER 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define WHORL_UNDER_SANITIZER 1
#endif

namespace whorl::test {
namespace {

using testing::HasSubstr;

TEST(Machine, ATraceLargerThanItsMemoryIsRefusedAtOnce) {
    // 2^23 rows of 2,633 columns and their codeword: 265 GB.
    const Outcome outcome = run_whorl({"keccakf", "--permutations", "349525"});
    EXPECT_EQ(outcome.exit_code, 3) << outcome;
    EXPECT_THAT(outcome.err, HasSubstr("keccakf_349525 needs more than"));
    EXPECT_THAT(outcome.err, HasSubstr("this machine has"));
}

TEST(Machine, MemoryThatRunsOutIsReportedNotFatal) {
#ifdef WHORL_UNDER_SANITIZER
    GTEST_SKIP() << "sanitizers reserve more address space than any limit allows";
#endif
#ifdef __APPLE__
    GTEST_SKIP() << "macOS does not limit address space";
#endif
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
#ifdef WHORL_UNDER_SANITIZER
    GTEST_SKIP() << "sanitizers reserve more address space than any limit allows";
#endif
#ifdef __APPLE__
    GTEST_SKIP() << "macOS does not limit address space";
#endif
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

}  // namespace
}  // namespace whorl::test
