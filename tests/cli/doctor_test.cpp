// `whorl doctor`: what it says of devices that work. What it finds on others: gpu/mirror_test.cpp.
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>
#include <set>

#include "backend/gpu/kernels.hpp"
#include "cli/program.hpp"

namespace whorl::test {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(Doctor, TestsEveryKernelOfTheSimulatedDevice) {
    const Outcome outcome = run_whorl({"doctor", "--device", "sim"});
    EXPECT_EQ(outcome.exit_code, 0) << outcome;
    EXPECT_THAT(outcome.out, HasSubstr("on sim: a simulated GPU"));
    EXPECT_THAT(outcome.out, HasSubstr("\nsim is healthy: "));
    EXPECT_THAT(outcome.out, Not(HasSubstr("WRONG")));
    EXPECT_THAT(outcome.out, Not(HasSubstr("NOT TESTED")));

    const auto report = nlohmann::json::parse(run_whorl({"doctor", "--device", "sim", "--json"}).out);
    EXPECT_EQ(report["is_healthy"], true);
    std::set<std::string> tested;
    for (const auto& kernel : report["kernels"]) {
        EXPECT_GT(kernel["dispatches"], 0) << kernel;
        EXPECT_EQ(kernel["problem"], "") << kernel;
        tested.insert(kernel["kernel"]);
    }
#define WH_EXPECT_TESTED(name, Params, threads, barriers, access) EXPECT_TRUE(tested.contains(#name)) << #name;
    WH_ALL_KERNELS(WH_EXPECT_TESTED)
#undef WH_EXPECT_TESTED
    for (const auto& proof : report["proofs"]) EXPECT_EQ(proof["problem"], "") << proof;
    EXPECT_THAT(outcome.out, HasSubstr("160 stages that need each other in order"));
    EXPECT_EQ(report["order"]["stages"], 160);
    EXPECT_EQ(report["order"]["problem"], "");
}

TEST(Doctor, VerifiesProofsOfTheCpu) {
    const Outcome outcome = run_whorl({"doctor", "--quiet"});
    EXPECT_EQ(outcome.exit_code, 0) << outcome;
    EXPECT_THAT(outcome.out, HasSubstr("\ncpu is healthy: "));
    EXPECT_EQ(outcome.err, "");
}

TEST(Doctor, RefusesMetricsThatCannotBeWrittenBeforeAnyWork) {
    const Outcome outcome = run_whorl({"doctor", "--device", "sim", "--metrics", "/no/such/folder/metrics.json"});
    EXPECT_EQ(outcome.exit_code, 2) << outcome;
    EXPECT_THAT(outcome.err, HasSubstr("/no/such/folder"));
    EXPECT_EQ(outcome.out, "");
}

}  // namespace
}  // namespace whorl::test
