// Drawn keys and traces over the whole range that a key may have: check accepts them, CPU and simulated GPU prove them with the same
// bytes, and the verifier accepts. (Against the published crates: rust/interop.)
//
//     WHORL_DRAWN_CASES=1000 WHORL_SEED=7 build/release/prove_tests --gtest_filter='DrawnTasks.*'
//
// Case i has the seed WHORL_SEED + i, which failures print; with WHORL_DRAWN_CASES=1 that seed repeats it.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <iostream>
#include <map>
#include <string>
#include <vector>

#include <whorl/air.hpp>
#include <whorl/check.hpp>
#include <whorl/prove.hpp>
#include <whorl/task.hpp>
#include <whorl/verify.hpp>

#include "airs/small.hpp"
#include "prove/agreement.hpp"
#include "prove/drawn_air.hpp"
#include "prover/input.hpp"
#include "unit/random.hpp"
#include "vectors.hpp"

namespace whorl {
namespace {

using test::DrawnAir;
using test::DrawnShape;
using test::expect_proved_alike;
using test::Random;
using test::value_of;

constexpr std::uint32_t kMaxLSkip = ParamLimits::kMaxLSkip;

std::vector<bool> draw_selectors(Random& random, std::size_t count) {
    std::vector<bool> out;
    for (std::size_t i = 0; i < count; ++i) out.push_back(random.below(2) == 1);
    return out;
}

// Every skip domain in turn, stacked heights from 2 up, blowups from 2 up, and every fold that the height allows.
SystemParams draw_params(Random& random, std::uint64_t seed) {
    SystemParams params;
    params.l_skip = static_cast<std::uint32_t>(seed % (kMaxLSkip + 1));
    const std::uint32_t max_n_stack = params.l_skip < 8 ? 10 - params.l_skip : 2;
    params.n_stack = params.l_skip == 0 ? 1 + random.below(max_n_stack) : random.below(max_n_stack + 1);
    params.log_blowup = 1 + random.below(3);
    params.w_stack = 4096;
    params.whir.k = 1 + random.below(std::min(4u, params.log_stacked_height()));
    const std::uint32_t rounds = 1 + random.below(params.log_stacked_height() / params.whir.k);
    for (std::uint32_t i = 0; i < rounds; ++i) params.whir.num_queries.push_back(1 + random.below(6));
    params.whir.mu_pow_bits = random.below(4);
    params.whir.query_phase_pow_bits = random.below(4);
    params.whir.folding_pow_bits = random.below(3);
    params.whir.proximity = UniqueDecoding{};
    params.logup = {1u << 30, 1 + random.below(4), random.below(4)};
    params.max_constraint_degree =
        params.l_skip < 5 && random.below(6) == 0 ? 6 + random.below(10) : 1 + random.below(4);
    return params;
}

struct DrawnTask {
    SystemParams params;
    std::vector<AnyAir> airs;
    std::vector<AirTrace> traces;
};

DrawnShape draw_shape(Random& random, const SystemParams& params, unsigned log_height) {
    DrawnShape shape;
    shape.seed = random.next();
    shape.log_height = log_height;
    const std::uint32_t num_cached = random.below(3);
    for (std::uint32_t i = 0; i < num_cached; ++i) shape.cached_widths.push_back(1 + random.below(3));
    const bool has_common = num_cached == 0 || random.below(4) != 0;
    shape.common_width = has_common ? 1 + random.below(6) : 0;
    shape.preprocessed_width = random.below(3) == 0 ? 1 + random.below(3) : 0;
    shape.num_public_values = random.below(3);
    shape.reads_next_row = random.below(2) == 0;
    shape.max_degree = 1 + random.below(params.max_constraint_degree);
    shape.num_constraints = random.below((has_common ? shape.common_width : shape.cached_widths.back()) + 1);
    shape.num_interactions = shape.num_constraints == 0 ? 1 + random.below(2) : random.below(3);
    shape.max_message = (1u << params.logup.log_max_message_length) - 1;
    shape.buses = {0, 65535, static_cast<std::uint16_t>(random.below(65536))};
    return shape;
}

DrawnTask draw_task(std::uint64_t seed) {
    Random random(seed);
    DrawnTask task{draw_params(random, seed), {}, {}};
    const unsigned max_log_height = task.params.log_stacked_height();
    // Heights that fill a stacked column come up more often than others.
    const auto draw_log_height = [&] {
        return random.below(5) == 0 ? max_log_height : random.below(max_log_height + 1);
    };
    // An AIR that is in the key only, now and then.
    const auto add = [&](AnyAir air, AirTrace trace) {
        task.airs.push_back(std::move(air));
        if (task.traces.empty() || random.below(6) != 0) task.traces.push_back(std::move(trace));
    };
    const auto next_id = [&] { return static_cast<std::uint32_t>(task.airs.size()); };
    // The small AIRs have degree 3 and messages of as many fields as columns.
    const bool has_room = task.params.max_constraint_degree >= 3;
    const std::uint32_t num_airs = 1 + random.below(4);
    for (std::uint32_t i = 0; i < num_airs; ++i) {
        const unsigned log_height = draw_log_height();
        const std::size_t height = std::size_t{1} << log_height;
        switch (has_room ? random.below(8) : 7) {
            case 0:
                add(FibonacciAir{}, fibonacci_trace(next_id(), random.below(100), random.below(100), height));
                break;
            case 1: {
                const FibonacciSelectorAir air{draw_selectors(random, height)};
                add(air, fibonacci_selector_trace(next_id(), random.below(100), random.below(100), air.selectors));
                break;
            }
            case 2: {
                const std::uint32_t width = 1 + random.below((1u << task.params.logup.log_max_message_length) - 1);
                add(SelfInteractionAir{width, static_cast<std::uint16_t>(random.below(5))},
                    self_interaction_trace(next_id(), width, log_height));
                break;
            }
            case 3: {
                const PreprocessedCachedAir air{draw_selectors(random, height), 1 + random.below(3)};
                add(air, preprocessed_cached_trace(next_id(), air));
                break;
            }
            default: {
                const DrawnAir air(draw_shape(random, task.params, log_height));
                add(air, air.trace(next_id()));
                break;
            }
        }
    }
    return task;
}

// The key that allows just as many stacked columns as the traces need.
VerifyingKey tight_key(SystemParams params, const std::vector<AnyAir>& airs, const std::vector<AirTrace>& traces) {
    const ProvingKey key = value_of(keygen(params, airs));
    params.w_stack = make_proof_layout(key.vk, log_heights_of(key.vk, traces)).total_stacked_width();
    return value_of(keygen(params, airs)).vk;
}

std::uint64_t number_from_environment(const char* name, std::uint64_t otherwise) {
    const char* text = std::getenv(name);
    return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

TEST(DrawnTasks, AreProvedAlikeAndAccepted) {
    const std::uint64_t num_cases = number_from_environment("WHORL_DRAWN_CASES", 3 * (kMaxLSkip + 1));
    const std::uint64_t first_seed = Random::seed_of_run();
    std::array<std::uint64_t, kMaxLSkip + 1> by_l_skip{};
    std::map<unsigned, std::uint64_t> by_log_height;
    for (std::uint64_t seed = first_seed; seed < first_seed + num_cases; ++seed) {
        const DrawnTask task = draw_task(seed);
        SCOPED_TRACE(testing::Message() << "WHORL_SEED=" << seed << ": l_skip " << task.params.l_skip << ", n_stack "
                                        << task.params.n_stack << ", degree " << task.params.max_constraint_degree
                                        << ", k " << task.params.whir.k << ", rounds " << task.params.whir.num_rounds()
                                        << ", " << task.traces.size() << " traces");
        expect_proved_alike(tight_key(task.params, task.airs, task.traces), task.traces);
        ++by_l_skip[task.params.l_skip];
        for (const AirTrace& trace : task.traces) ++by_log_height[trace.common_main.log_height()];
        if (HasFatalFailure()) return;
    }
    std::cout << "drawn tasks by l_skip:";
    for (const std::uint64_t count : by_l_skip) std::cout << ' ' << count;
    std::cout << "; traces by log height:";
    for (const auto& [log_height, count] : by_log_height) std::cout << ' ' << log_height << ": " << count;
    std::cout << '\n';
}

// One AIR with everything at a limit of the key.
DrawnShape shape_at_limits() {
    DrawnShape shape;
    shape.seed = 5;
    shape.log_height = 2;
    shape.common_width = 3;
    shape.cached_widths = {1};
    shape.preprocessed_width = 1;
    shape.reads_next_row = true;
    shape.max_degree = 2;
    shape.num_constraints = 1;
    shape.num_interactions = 2;
    shape.buses = {65535};
    return shape;
}

TEST(Limits, TheHighestDegreeIsProved) {
    SystemParams params = test_params_small(1, 2, 1);
    params.max_constraint_degree = 255;
    DrawnShape shape = shape_at_limits();
    shape.max_degree = 255;
    shape.num_interactions = 0;
    const std::vector<AnyAir> airs{DrawnAir(shape)};
    const std::vector<AirTrace> traces{DrawnAir(shape).trace(0)};
    expect_proved_alike(tight_key(params, airs, traces), traces);
}

TEST(Limits, TheLongestMessagesAreProved) {
    SystemParams params = test_params_small(2, 2, 1);
    params.logup.log_max_message_length = 7;
    DrawnShape shape = shape_at_limits();
    shape.max_message = 127;
    const std::vector<AnyAir> airs{DrawnAir(shape)};
    const std::vector<AirTrace> traces{DrawnAir(shape).trace(0)};
    expect_proved_alike(tight_key(params, airs, traces), traces);
}

TEST(Limits, StacksThatAreExactlyFullAreProvedAndOneColumnMoreIsRefused) {
    SystemParams params = test_params_small(3, 1, 1);
    DrawnShape tall = shape_at_limits();
    tall.log_height = 4;  // each column fills a stacked column
    DrawnShape low = tall;
    low.log_height = 0;  // two columns fill one
    low.seed = 6;
    low.common_width = 2;
    low.cached_widths = {2};
    low.preprocessed_width = 2;
    const std::vector<AnyAir> airs{DrawnAir(tall), DrawnAir(low)};
    const std::vector<AirTrace> traces{DrawnAir(tall).trace(0), DrawnAir(low).trace(1)};
    VerifyingKey vk = tight_key(params, airs, traces);
    EXPECT_EQ(vk.params.w_stack, 3u + 1u + 1u + 1u + 1u + 1u);
    expect_proved_alike(vk, traces);
    --vk.params.w_stack;
    EXPECT_FALSE(prove(vk, traces).has_value());
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
    const std::vector<AnyAir> airs{FibonacciAir{}};
    ProvingKey key = value_of(keygen(test_params_small(2, 8, 3), airs));
    key.vk.params.l_skip = ParamLimits::kMaxLSkip + 1;
    const std::vector<AirTrace> traces{fibonacci_trace(0, 0, 1, 8)};
    const auto proof = prove(key.vk, traces);
    ASSERT_FALSE(proof.has_value());
    EXPECT_EQ(proof.error().code, ErrorCode::kInvalidArgument);
    EXPECT_NE(proof.error().message.find("l_skip"), std::string::npos) << proof.error().message;
}

}  // namespace
}  // namespace whorl
