// Proofs that are cut, extended, moved to other AIRs or shown to another task's key.
#include <iostream>

#include <gtest/gtest.h>

#include "support.hpp"

namespace whorl {
namespace {

using Kind = VerifyErrorKind;

class Malformed : public ::testing::TestWithParam<std::string> {};

TEST_P(Malformed, IsRejectedWhenCutAtAnyLength) {
    const auto bytes = test::proof_bytes(GetParam());
    std::atomic<std::size_t> num_decoded{0};
    test::for_each_parallel(bytes.size(), [&](std::size_t size) {
        if (decode_proof(std::span(bytes).first(size))) ++num_decoded;
    });
    EXPECT_EQ(num_decoded, 0u);
    std::cout << GetParam() << ": " << bytes.size() << " truncations rejected\n";
}

TEST_P(Malformed, IsRejectedWithTrailingBytes) {
    const VerifyingKey key = test::load_key(GetParam());
    for (const std::size_t extra : {1, 2, 3, 4, 16, 1000}) {
        auto bytes = test::proof_bytes(GetParam());
        bytes.resize(bytes.size() + extra);
        EXPECT_EQ(test::verdict(key, bytes), "decode-error") << extra;
    }
    auto twice = test::proof_bytes(GetParam());
    const auto copy = twice;
    twice.insert(twice.end(), copy.begin(), copy.end());
    EXPECT_EQ(test::verdict(key, twice), "decode-error");
}

TEST_P(Malformed, IsRejectedUnderEveryOtherKey) {
    const Proof proof = test::load_proof(GetParam());
    for (const std::string& other : test::kVectorNames) {
        if (other == GetParam()) continue;
        const VerifyingKey key = test::load_key(other);
        // Two sizes of one task may share a key.
        if (key == test::load_key(GetParam())) continue;
        EXPECT_FALSE(verify(key, proof)) << other;
    }
}

TEST_P(Malformed, IsRejectedWithOtherPublicValues) {
    const VerifyingKey key = test::load_key(GetParam());
    const Proof proof = test::load_proof(GetParam());
    for (std::size_t air = 0; air < proof.public_values.size(); ++air) {
        for (std::size_t i = 0; i < proof.public_values[air].size(); ++i) {
            Proof altered = proof;
            altered.public_values[air][i] += Fp::one();
            EXPECT_FALSE(verify(key, altered)) << "AIR " << air << ", value " << i;
        }
        Proof extended = proof;
        extended.public_values[air].push_back(Fp::zero());
        const auto verdict = verify(key, extended);
        ASSERT_FALSE(verdict);
        EXPECT_EQ(verdict.error().kind,
                  proof.trace_vdata[air] ? Kind::kPublicValueCount : Kind::kPublicValuesWithoutTrace);
    }
}

TEST_P(Malformed, IsRejectedWhenAnAirIsDroppedOrAdded) {
    const VerifyingKey key = test::load_key(GetParam());
    const Proof proof = test::load_proof(GetParam());
    for (std::size_t air = 0; air < proof.trace_vdata.size(); ++air) {
        EXPECT_FALSE(verify(key, test::with_air_dropped_or_added(key, proof, air))) << "AIR " << air;
    }
    Proof longer = proof;
    longer.trace_vdata.emplace_back();
    longer.public_values.emplace_back();
    const auto verdict = verify(key, longer);
    ASSERT_FALSE(verdict);
    EXPECT_EQ(verdict.error().kind, Kind::kTraceDataCount);
    Proof shorter = proof;
    shorter.trace_vdata.pop_back();
    shorter.public_values.pop_back();
    EXPECT_FALSE(verify(key, shorter));
}

INSTANTIATE_TEST_SUITE_P(Vectors, Malformed, ::testing::ValuesIn(test::kSmallVectors),
                         [](const auto& info) { return info.param; });

// Three copies of one AIR, the second without a trace.
TEST(SwappedAirs, AreRejectedWhenATraceMovesToAnother) {
    const VerifyingKey key = test::load_key("fib_three_airs_one_absent");
    const Proof proof = test::load_proof("fib_three_airs_one_absent");
    ASSERT_TRUE(verify(key, proof));
    ASSERT_FALSE(proof.trace_vdata[1]);

    Proof moved = proof;  // as if AIR 1 had the trace of AIR 0
    std::swap(moved.trace_vdata[0], moved.trace_vdata[1]);
    std::swap(moved.public_values[0], moved.public_values[1]);
    EXPECT_FALSE(verify(key, moved));
}

TEST(SwappedAirs, AreRejectedInEveryPartOfTheProof) {
    std::size_t count = 0;
    for (const std::string& vector : test::kSmallVectors) {
        const VerifyingKey key = test::load_key(vector);
        const Proof proof = test::load_proof(vector);
        // Exchanges entries i and j of each list that has one entry an AIR or trace; equal entries are no change.
        const auto swap_all = [&](auto list_of) {
            const std::size_t size = list_of(proof).size();
            for (std::size_t i = 0; i < size; ++i) {
                for (std::size_t j = 0; j < i; ++j) {
                    Proof swapped = proof;
                    std::swap(list_of(swapped)[i], list_of(swapped)[j]);
                    if (swapped == proof) continue;
                    EXPECT_FALSE(verify(key, swapped)) << vector << " " << i << " " << j;
                    ++count;
                }
            }
        };
        swap_all([](auto& p) -> auto& { return p.trace_vdata; });
        swap_all([](auto& p) -> auto& { return p.public_values; });
        swap_all([](auto& p) -> auto& { return p.batch_constraint.numerator_term_per_air; });
        swap_all([](auto& p) -> auto& { return p.batch_constraint.denominator_term_per_air; });
        swap_all([](auto& p) -> auto& { return p.batch_constraint.column_openings; });
        swap_all([](auto& p) -> auto& { return p.stacking.stacking_openings; });
    }
    std::cout << count << " pairs of entries swapped\n";
    EXPECT_GT(count, 0u);
}

TEST(SwappedAirs, AreRejectedWithSwappedKeys) {
    const VerifyingKey key = test::load_key("mixture");
    const Proof proof = test::load_proof("mixture");
    std::size_t count = 0;
    for (std::size_t i = 0; i < key.airs.size(); ++i) {
        for (std::size_t j = 0; j < i; ++j) {
            if (key.airs[i] == key.airs[j]) continue;
            VerifyingKey swapped = key;
            std::swap(swapped.airs[i], swapped.airs[j]);
            // With the old pre-hash the transcript does not tell; the constraints do.
            EXPECT_FALSE(verify(swapped, proof)) << i << " " << j;
            swapped.pre_hash = *verifying_key_pre_hash(swapped);
            EXPECT_FALSE(verify(swapped, proof)) << i << " " << j;
            ++count;
        }
    }
    std::cout << count << " pairs of AIRs swapped\n";
    EXPECT_GT(count, 0u);
}

}  // namespace
}  // namespace whorl
