// The verifier accepts every stored proof, and gives one verdict on any number of threads.
#include <cstdint>

#include <gtest/gtest.h>
#include <whorl/verify.hpp>

#include "vectors.hpp"

namespace whorl {
namespace {

class Verify : public ::testing::TestWithParam<std::string> {};

TEST_P(Verify, AcceptsTheStoredProof) {
    const auto verdict = verify(test::load_key(GetParam()), test::load_proof(GetParam()));
    EXPECT_TRUE(verdict) << to_string(verdict.error());
}

TEST_P(Verify, GivesOneVerdictOnAnyNumberOfThreads) {
    const VerifyingKey key = test::load_key(GetParam());
    const Proof proof = test::load_proof(GetParam());
    Proof altered = proof;
    auto& leaves = altered.whir.initial_round_opened_rows.front();
    // Of two wrong openings the first in order is told.
    for (const std::size_t query : {leaves.size() - 1, leaves.size() / 2}) leaves[query].front().front() += Fp::one();
    const auto rejected = verify(key, altered);
    ASSERT_FALSE(rejected);
    EXPECT_EQ(rejected.error().kind, VerifyErrorKind::kInitialMerklePath);
    for (const std::uint32_t num_threads : {0U, 2U, 3U, 1000U}) {
        EXPECT_TRUE(verify(key, proof, {.num_threads = num_threads})) << num_threads;
        const auto verdict = verify(key, altered, {.num_threads = num_threads});
        ASSERT_FALSE(verdict) << num_threads;
        EXPECT_EQ(to_string(verdict.error()), to_string(rejected.error())) << num_threads;
    }
}

INSTANTIATE_TEST_SUITE_P(Vectors, Verify, ::testing::ValuesIn(test::kVectorNames),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace whorl
