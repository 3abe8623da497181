// ProverOptions::verify_after: no proof that the verifier rejects is handed out.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include <whorl/prove.hpp>
#include <whorl/task.hpp>
#include <whorl/telemetry.hpp>

#include "engine/verify_after.hpp"
#include "prove/bytes.hpp"
#include "vectors.hpp"

namespace whorl {
namespace {

using test::task_of;
using test::value_of;
using testing::HasSubstr;

TEST(VerifyAfter, LeavesTheBytesAndIsASpanOfItsOwn) {
    const Task task = task_of("mixture");
    for (const char* device : {"cpu", "sim"}) {
        for (const bool is_verified : {false, true}) {
            Telemetry telemetry;
            const Proof proof = value_of(
                prove(task.vk, task.traces, {.device = device, .verify_after = is_verified, .telemetry = &telemetry}));
            test::expect_same_bytes(*encode_proof(proof), test::stored_proof("mixture"));
            EXPECT_EQ(std::ranges::count(telemetry.spans(), "verify", &SpanRecord::name), is_verified ? 1 : 0);
        }
    }
}

TEST(VerifyAfter, NamesTheConstraintThatTracesBreak) {
    Task task = task_of("fib_2e5");
    task.traces[0].common_main.at(7, 0) += Fp::one();
    for (const char* device : {"cpu", "sim"}) {
        const auto proof = prove(task.vk, task.traces, {.device = device, .verify_after = true});
        ASSERT_FALSE(proof.has_value());
        EXPECT_EQ(proof.error().code, ErrorCode::kUnsatisfied);
        EXPECT_THAT(proof.error().message, HasSubstr("the traces do not satisfy the key"));
        EXPECT_THAT(proof.error().message, HasSubstr("AIR 0: 2 constraints fail"));
    }
}

TEST(VerifyAfter, NamesTheBusThatDoesNotBalance) {
    Task task = task_of("interactions");
    task.traces[0].common_main.at(0, 0) += Fp::one();
    const auto proof = prove(task.vk, task.traces, {.verify_after = true});
    ASSERT_FALSE(proof.has_value());
    EXPECT_EQ(proof.error().code, ErrorCode::kUnsatisfied);
    EXPECT_THAT(proof.error().message, HasSubstr("does not balance"));
}

TEST(VerifyAfter, ARejectedProofOfGoodTracesIsABugToReport) {
    const Task task = task_of("fib_2e5");
    Proof proof = value_of(prove(task.vk, task.traces));
    EXPECT_TRUE(verify_made(task.vk, task.traces, {}, {}, proof, Transcript(), nullptr).has_value());
    proof.whir.final_poly[0] += Fp4::one();
    const auto verdict = verify_made(task.vk, task.traces, {}, {}, proof, Transcript(), nullptr);
    ASSERT_FALSE(verdict.has_value());
    EXPECT_EQ(verdict.error().code, ErrorCode::kInternal);
    EXPECT_THAT(verdict.error().message, HasSubstr("whir"));
    EXPECT_THAT(verdict.error().message, HasSubstr("please report it"));
}

}  // namespace
}  // namespace whorl
