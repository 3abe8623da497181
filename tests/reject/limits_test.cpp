// What a key just allows is accepted, and one more is not: checks that a proof of ordinary size never comes near.
#include <gtest/gtest.h>

#include <whorl/air.hpp>
#include <whorl/prove.hpp>

#include "airs/small.hpp"
#include "proof/layout.hpp"
#include "support.hpp"

namespace whorl {
namespace {

using test::value_of;
using Kind = VerifyErrorKind;

std::vector<int> log_heights(const Proof& proof) {
    std::vector<int> out;
    for (const auto& vdata : proof.trace_vdata) out.push_back(vdata ? static_cast<int>(vdata->log_height) : -1);
    return out;
}

// verify() takes the pre-hash of a key as it is, so a key's limits can move without a change of the transcript.
TEST(Limits, StackedWidthMayBeExactlyWhatTheTracesNeed) {
    for (const std::string& vector : test::kSmallVectors) {
        VerifyingKey key = test::load_key(vector);
        const Proof proof = test::load_proof(vector);
        key.params.w_stack = make_proof_layout(key, log_heights(proof)).total_stacked_width();
        EXPECT_TRUE(verify(key, proof)) << vector;
        --key.params.w_stack;
        const auto verdict = verify(key, proof);
        ASSERT_FALSE(verdict) << vector;
        if (key.params.w_stack == 0) continue;  // no key has that, so another rule may refuse it
        EXPECT_EQ(verdict.error().kind, Kind::kStackedWidthTooLarge) << vector;
    }
}

TEST(Limits, InteractionsMayBeOneLessThanTheLimit) {
    const std::vector<AnyAir> airs{SelfInteractionAir{3, 1}};
    const std::vector<AirTrace> traces{self_interaction_trace(0, 3, 3)};
    constexpr std::uint32_t kNumInteractions = 8 * 8;  // eight in each of eight rows
    const auto key_with_limit = [&](std::uint32_t limit) {
        SystemParams params = test_params_small(2, 8, 3);
        params.logup.max_interaction_count = limit;
        return value_of(keygen(params, airs)).vk;
    };
    const VerifyingKey key = key_with_limit(kNumInteractions + 1);
    const Proof proof = value_of(prove(key, traces));
    EXPECT_TRUE(verify(key, proof));

    const VerifyingKey lower = key_with_limit(kNumInteractions);
    EXPECT_FALSE(prove(lower, traces));
    const auto verdict = verify(lower, proof);
    ASSERT_FALSE(verdict);
    EXPECT_EQ(verdict.error().kind, Kind::kTraceHeightsTooLarge);
}

TEST(Limits, TracesMayBeAsTallAsTheStack) {
    const std::vector<AnyAir> airs{FibonacciAir{}};
    const ProvingKey key = value_of(keygen(test_params_small(2, 6, 3), airs));
    const std::vector<AirTrace> traces{fibonacci_trace(0, 0, 1, 256)};
    EXPECT_TRUE(verify(key.vk, value_of(prove(key.vk, traces))));
}

struct RequiredFibonacciAir : FibonacciAir {
    bool is_required() const { return true; }
};

// The transcript says of each AIR whether it has a trace, unless it must have one.
TEST(Limits, RequiredAirsAreProvedAndAccepted) {
    const std::vector<AnyAir> airs{FibonacciAir{}, RequiredFibonacciAir{}, FibonacciAir{}};
    const ProvingKey key = value_of(keygen(test_params_small(2, 8, 3), airs));
    ASSERT_TRUE(key.vk.airs[1].is_required);
    const std::vector<AirTrace> traces{fibonacci_trace(0, 0, 1, 8), fibonacci_trace(1, 1, 1, 16)};
    const Proof proof = value_of(prove(key.vk, traces));
    const auto verdict = verify(key.vk, proof);
    EXPECT_TRUE(verdict) << to_string(verdict.error());
    // The same proof is none for a key that does not require the AIR.
    VerifyingKey other = key.vk;
    other.airs[1].is_required = false;
    EXPECT_FALSE(verify(other, proof));
}

}  // namespace
}  // namespace whorl
