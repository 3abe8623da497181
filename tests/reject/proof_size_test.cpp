// The longest proof under a key.
#include <gtest/gtest.h>

#include <whorl/prove.hpp>
#include <whorl/verify.hpp>

#include "airs/small.hpp"
#include "airs/tasks.hpp"
#include "vectors.hpp"
#include "verifier/proof_size.hpp"

namespace whorl::test {
namespace {

TEST(ProofSize, OfStoredProofsFollowsFromKeyAndHeightsAndIsNotAboveTheKeysMaximum) {
    for (const char* vector : {"cached", "fib_2e5", "fib_height_1", "fib_three_airs_one_absent", "interactions",
                               "keccak_5_perms", "keccakf_1024", "mixture", "mixture_app_100_bits", "mixture_l_skip_5",
                               "preprocessed", "preprocessed_and_cached", "self_interactions"}) {
        const Result<VerifyingKey> vk = decode_verifying_key(read_file(vector_path(vector, "vk.postcard")));
        ASSERT_TRUE(vk) << vector;
        const std::vector<std::byte> bytes = read_file(vector_path(vector, "proof.bin"));
        EXPECT_LE(bytes.size(), max_proof_bytes(*vk)) << vector;
        const Result<Proof> proof = decode_proof(bytes);
        ASSERT_TRUE(proof) << vector;
        std::vector<int> log_heights;
        for (const auto& trace : proof->trace_vdata) {
            log_heights.push_back(trace ? static_cast<int>(trace->log_height) : -1);
        }
        EXPECT_EQ(bytes.size(), proof_bytes(*vk, make_proof_layout(*vk, log_heights))) << vector;
    }
}

/// With each trace as high as a stacked column the bound is exact.
TEST(ProofSize, OfTheTallestTracesIsTheMaximum) {
    for (const std::uint32_t l_skip : {1U, 3U}) {
        for (const std::uint32_t width : {1U, 3U}) {
            const std::uint32_t log_height = l_skip + 6;
            const AirTask task = logup_task(log_height, test_params_small(l_skip, 6, 2), {width});
            const Result<ProvingKey> key = keygen(task.params, task.airs);
            ASSERT_TRUE(key) << to_string(key.error());
            const Result<Proof> proof = prove(key->vk, task.make_traces());
            ASSERT_TRUE(proof) << to_string(proof.error());
            EXPECT_EQ(encode_proof(*proof)->size(), max_proof_bytes(key->vk)) << l_skip << ' ' << width;
        }
    }
}

TEST(ProofSize, OfTheTallestTracesWithoutInteractionsIsTheMaximum) {
    const SystemParams params = test_params_small(2, 6, 2);
    const ProvingKey key = value_of(keygen(params, std::vector<AnyAir>{FibonacciAir{}}));
    const std::vector<AirTrace> traces{fibonacci_trace(0, 1, 1, std::size_t{1} << params.log_stacked_height())};
    EXPECT_EQ(value_of(encode_proof(value_of(prove(key.vk, traces)))).size(), max_proof_bytes(key.vk));
}

TEST(ProofSize, SaturatesForWhatAKeyMayClaimAndIsNothingForParametersThatAreRefused) {
    AirTask task = logup_task(4, test_params_small(2, 10, 10), {1});
    Result<ProvingKey> key = keygen(task.params, task.airs);
    ASSERT_TRUE(key);
    key->vk.airs[0].width.common_main = 0xffffffff;
    key->vk.airs[0].width.cached_mains.assign(2000, 0xffffffff);
    key->vk.params.w_stack = UINT64_MAX;
    key->vk.params.whir.num_queries[0] = ParamLimits::kMaxQueries;
    EXPECT_EQ(max_proof_bytes(key->vk), UINT64_MAX);
    key->vk.params.whir.num_queries.clear();
    EXPECT_EQ(max_proof_bytes(key->vk), 0U);
}

}  // namespace
}  // namespace whorl::test
