// The verifier accepts every stored proof.
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

INSTANTIATE_TEST_SUITE_P(Vectors, Verify, ::testing::ValuesIn(test::kVectorNames),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace whorl
