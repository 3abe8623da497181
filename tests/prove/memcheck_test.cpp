// Proofs on the CPU that are small enough for valgrind (scripts/valgrind.sh), one for each kind of fast path: traces below and
// above a vector of lanes, a block of rows and the skip domain. They do not poison memory, which would count as writing it.
#include <gtest/gtest.h>

#include <vector>

#include <whorl/air.hpp>
#include <whorl/prove.hpp>
#include <whorl/verify.hpp>

#include "airs/small.hpp"
#include "prove/drawn_air.hpp"
#include "vectors.hpp"

namespace whorl {
namespace {

using test::value_of;

void expect_accepted(const SystemParams& params, const std::vector<AnyAir>& airs, const std::vector<AirTrace>& traces) {
    const ProvingKey key = value_of(keygen(params, airs));
    const auto verdict = verify(key.vk, value_of(prove(key.vk, traces, {.num_threads = 1})));
    EXPECT_TRUE(verdict.has_value()) << to_string(verdict.error());
}

SystemParams small_params(std::uint32_t l_skip, std::uint32_t n_stack) {
    SystemParams params = test_params_small(l_skip, n_stack, 2);
    params.whir.num_queries = {2};
    return params;
}

TEST(Memcheck, TracesThatAreRepeatedToFillTheSkipDomain) {
    const std::vector<AnyAir> airs{SelfInteractionAir{2, 0}, SelfInteractionAir{1, 1}, FibonacciAir{}};
    expect_accepted(small_params(7, 1), airs,
                    {self_interaction_trace(0, 2, 6), self_interaction_trace(1, 1, 3), fibonacci_trace(2, 1, 2, 1)});
}

TEST(Memcheck, TracesOfManyBlocks) {
    const std::vector<AnyAir> airs{SelfInteractionAir{3, 0}, FibonacciAir{}};
    expect_accepted(small_params(1, 8), airs, {self_interaction_trace(0, 3, 8), fibonacci_trace(1, 1, 2, 64)});
}

TEST(Memcheck, WithoutASkipVariable) {
    const std::vector<AnyAir> airs{SelfInteractionAir{2, 0}, FibonacciAir{}};
    expect_accepted(small_params(0, 3), airs, {self_interaction_trace(0, 2, 2), fibonacci_trace(1, 1, 2, 1)});
}

TEST(Memcheck, AllKindsOfParts) {
    test::DrawnShape shape;
    shape.seed = 9;
    shape.log_height = 5;
    shape.common_width = 3;
    shape.cached_widths = {2, 1};
    shape.preprocessed_width = 2;
    shape.num_public_values = 1;
    shape.reads_next_row = true;
    shape.max_degree = 3;
    shape.num_constraints = 2;
    shape.num_interactions = 2;
    shape.max_message = 3;
    shape.buses = {0, 65535};
    const test::DrawnAir air(shape);
    expect_accepted(small_params(3, 3), {air}, {air.trace(0)});
}

}  // namespace
}  // namespace whorl
