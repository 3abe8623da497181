// Drawn parameters and heights, with the small AIRs: what whorl proves, whorl's verifier accepts. (Against the published
// crates: rust/interop.)
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include <whorl/air.hpp>
#include <whorl/check.hpp>
#include <whorl/prove.hpp>
#include <whorl/task.hpp>
#include <whorl/verify.hpp>

#include "airs/small.hpp"
#include "unit/random.hpp"
#include "vectors.hpp"

namespace whorl {
namespace {

using test::value_of;

std::vector<bool> draw_selectors(test::Random& random, std::size_t count) {
    std::vector<bool> out;
    for (std::size_t i = 0; i < count; ++i) out.push_back(random.below(2) == 1);
    return out;
}

// Skip domains from a single point up, blowups from 1 up, and every fold that the height allows.
SystemParams draw_params(test::Random& random) {
    SystemParams params;
    params.l_skip = random.below(7);
    params.n_stack = 5 + random.below(4);
    params.w_stack = 4096;
    params.log_blowup = 1 + random.below(3);
    params.whir.k = 1 + random.below(4);
    const std::uint32_t rounds = 1 + random.below(params.log_stacked_height() / params.whir.k);
    for (std::uint32_t i = 0; i < rounds; ++i) params.whir.num_queries.push_back(1 + random.below(12));
    params.whir.mu_pow_bits = random.below(4);
    params.whir.query_phase_pow_bits = random.below(4);
    params.whir.folding_pow_bits = random.below(4);
    params.whir.proximity = UniqueDecoding{};
    params.logup = {1u << 30, 7, random.below(4)};
    params.max_constraint_degree = 3 + random.below(3);
    return params;
}

struct DrawnTask {
    SystemParams params;
    std::vector<AnyAir> airs;
    std::vector<AirTrace> traces;
};

DrawnTask draw_task(test::Random& random) {
    DrawnTask task{draw_params(random), {}, {}};
    const auto log_height = [&] { return random.below(std::min(task.params.log_stacked_height(), 8u) + 1); };
    // An AIR that is in the key only, now and then.
    const auto add = [&](AnyAir air, AirTrace trace) {
        task.airs.push_back(std::move(air));
        if (task.traces.empty() || random.below(6) != 0) task.traces.push_back(std::move(trace));
    };
    const auto next_id = [&] { return static_cast<std::uint32_t>(task.airs.size()); };
    const std::uint32_t num_airs = 1 + random.below(5);
    for (std::uint32_t i = 0; i < num_airs; ++i) {
        const std::size_t height = std::size_t{1} << log_height();
        switch (random.below(4)) {
            case 0:
                add(FibonacciAir{}, fibonacci_trace(next_id(), random.below(100), random.below(100), height));
                break;
            case 1: {
                const FibonacciSelectorAir air{draw_selectors(random, height)};
                add(air, fibonacci_selector_trace(next_id(), random.below(100), random.below(100), air.selectors));
                break;
            }
            case 2: {
                const std::uint32_t width = 1 + random.below(20);
                add(SelfInteractionAir{width, static_cast<std::uint16_t>(random.below(5))},
                    self_interaction_trace(next_id(), width, log_height()));
                break;
            }
            case 3: {
                const PreprocessedCachedAir air{draw_selectors(random, height), 1 + random.below(3)};
                add(air, preprocessed_cached_trace(next_id(), air));
                break;
            }
        }
    }
    return task;
}

TEST(DrawnTasks, AreProvedAndAccepted) {
    test::Random random;
    for (int i = 0; i < 60; ++i) {
        const DrawnTask task = draw_task(random);
        SCOPED_TRACE(testing::Message() << "task " << i << ": l_skip " << task.params.l_skip << ", n_stack "
                                        << task.params.n_stack << ", k " << task.params.whir.k << ", rounds "
                                        << task.params.whir.num_rounds() << ", " << task.traces.size() << " traces");
        const ProvingKey key = value_of(keygen(task.params, task.airs));
        ASSERT_TRUE(value_of(check_constraints(key.vk, task.traces)).is_satisfied());
        const Proof proof = value_of(prove(key.vk, task.traces));
        EXPECT_EQ(value_of(decode_proof(encode_proof(proof))), proof);
        const auto verdict = verify(key.vk, proof);
        EXPECT_TRUE(verdict.has_value()) << to_string(verdict.error());
    }
}

TEST(UnsatisfiedTraces, GiveProofsThatAreRejected) {
    for (const std::string vector : {"fib_2e5", "interactions", "cached", "self_interactions", "preprocessed"}) {
        SCOPED_TRACE(vector);
        Task task = value_of(load_task(test::vector_path(vector, "")));
        Fp& cell = task.traces[0].common_main.at(1, 0);
        cell += Fp::one();
        const Proof proof = value_of(prove(task.vk, task.traces));
        EXPECT_FALSE(verify(task.vk, proof).has_value());
    }
}

TEST(Prover, RefusesSkipDomainsThatItCannotHold) {
    SystemParams params = test_params_small(2, 8, 3);
    params.l_skip = 16;
    params.n_stack = 4;
    const std::vector<AnyAir> airs{FibonacciAir{}};
    const ProvingKey key = value_of(keygen(params, airs));
    const std::vector<AirTrace> traces{fibonacci_trace(0, 0, 1, 8)};
    const auto proof = prove(key.vk, traces);
    ASSERT_FALSE(proof.has_value());
    EXPECT_EQ(proof.error().code, ErrorCode::kInvalidArgument);
    EXPECT_NE(proof.error().message.find("l_skip"), std::string::npos) << proof.error().message;
}

}  // namespace
}  // namespace whorl
