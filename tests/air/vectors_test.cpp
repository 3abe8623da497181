// The C++ AIRs of src/airs give the keys and traces of the vectors, which the reference's own AIRs gave.
#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <whorl/air.hpp>
#include <whorl/key.hpp>
#include <whorl/task.hpp>

#include "airs/keccak.hpp"
#include "airs/tasks.hpp"
#include "vectors.hpp"

namespace whorl {
namespace {

using test::key_bytes;
using test::kVectorNames;
using test::load_key;
using test::value_of;

std::vector<KeccakState> stored_inputs(const std::string& vector) {
    const std::vector<std::byte> bytes = test::read_file(test::vector_path(vector, "inputs.u64le"));
    std::vector<KeccakState> inputs(bytes.size() / sizeof(KeccakState));
    std::memcpy(inputs.data(), bytes.data(), bytes.size());
    return inputs;
}

void expect_same_matrix(const Matrix& found, const Matrix& expected, const std::string& where) {
    ASSERT_EQ(found.width(), expected.width()) << where;
    ASSERT_EQ(found.height(), expected.height()) << where;
    const auto [a, b] = std::mismatch(found.values().begin(), found.values().end(), expected.values().begin());
    if (a == found.values().end()) return;
    const auto index = static_cast<std::size_t>(a - found.values().begin());
    FAIL() << where << ": column " << index / found.height() << ", row " << index % found.height() << " is "
           << a->canonical() << ", expected " << b->canonical();
}

class VectorAirs : public testing::TestWithParam<std::string> {};

TEST_P(VectorAirs, GiveTheReferencesParameters) {
    const auto task = vector_task(GetParam());
    ASSERT_TRUE(task);
    EXPECT_EQ(task->params, load_key(GetParam()).params);
}

TEST_P(VectorAirs, GiveTheReferencesKey) {
    const auto task = vector_task(GetParam());
    ASSERT_TRUE(task);
    const ProvingKey key = value_of(keygen(task->params, task->airs));
    const VerifyingKey expected = load_key(GetParam());

    ASSERT_EQ(key.vk.airs.size(), expected.airs.size());
    for (std::size_t i = 0; i < expected.airs.size(); ++i) {
        SCOPED_TRACE("AIR " + std::to_string(i));
        const AirVerifyingKey& air = key.vk.airs[i];
        const auto [a, b] = std::mismatch(air.nodes.begin(), air.nodes.end(), expected.airs[i].nodes.begin(),
                                          expected.airs[i].nodes.end());
        EXPECT_EQ(a, air.nodes.end()) << "first different node is " << a - air.nodes.begin();
        EXPECT_EQ(b, expected.airs[i].nodes.end());
        EXPECT_TRUE(air == expected.airs[i]);
    }
    EXPECT_EQ(key.vk.trace_height_constraints, expected.trace_height_constraints);
    EXPECT_EQ(key.vk.pre_hash, expected.pre_hash);
    EXPECT_EQ(*encode_verifying_key(key.vk), key_bytes(GetParam()));
}

TEST_P(VectorAirs, GiveTheStoredTraces) {
    if (GetParam() == "keccakf_1024") GTEST_SKIP() << "its trace is not stored; tests/prove checks its commitment";
    const auto task = vector_task(GetParam());
    ASSERT_TRUE(task);
    const std::vector<AirTrace> traces = task->make_traces();
    const Task stored = value_of(load_task(test::vector_path(GetParam(), "")));

    ASSERT_EQ(traces.size(), stored.traces.size());
    for (std::size_t t = 0; t < traces.size(); ++t) {
        const AirTrace& found = traces[t];
        const AirTrace& expected = stored.traces[t];
        const std::string where = "AIR " + std::to_string(expected.air_id);
        ASSERT_EQ(found.air_id, expected.air_id);
        EXPECT_EQ(found.public_values, expected.public_values) << where;
        expect_same_matrix(found.common_main, expected.common_main, where + ", common main");
        ASSERT_EQ(found.cached_mains.size(), expected.cached_mains.size()) << where;
        for (std::size_t k = 0; k < found.cached_mains.size(); ++k) {
            expect_same_matrix(found.cached_mains[k], expected.cached_mains[k], where + ", cached main");
        }
        ASSERT_EQ(found.preprocessed.has_value(), expected.preprocessed.has_value()) << where;
        if (found.preprocessed)
            expect_same_matrix(*found.preprocessed, *expected.preprocessed, where + ", preprocessed");
    }
}

INSTANTIATE_TEST_SUITE_P(, VectorAirs, testing::ValuesIn(kVectorNames), [](const auto& info) { return info.param; });

TEST(VectorTasks, AreListedInTheOrderOfTheFolders) {
    const auto names = vector_task_names();
    ASSERT_EQ(names.size(), kVectorNames.size());
    EXPECT_TRUE(std::equal(names.begin(), names.end(), kVectorNames.begin()));
    EXPECT_FALSE(vector_task("no such vector"));
}

TEST(KeccakInputs, OfTheBenchmarkAreTheReferencesRandomNumbers) {
    EXPECT_EQ(random_keccak_inputs(1024), stored_inputs("keccakf_1024"));
    EXPECT_EQ(random_keccak_inputs(5, 7), stored_inputs("keccak_5_perms"));
}

TEST(Keccak, MatchesThePublishedPermutationOfZero) {
    KeccakState state{};
    keccak_f(state);
    EXPECT_EQ(state[0], 0xF1258F7940E1DDE7U);
    EXPECT_EQ(state[1], 0x84D5CCF933C0478AU);
    EXPECT_EQ(state[24], 0xEAF1FF7B5CECA249U);
}

TEST(KeccakTrace, EndsEachPermutationWithItsOutput) {
    const std::vector<KeccakState> inputs = random_keccak_inputs(21, 3);  // more than one block of permutations
    const Matrix trace = keccak_trace(inputs);
    ASSERT_EQ(trace.height(), 512U);
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        KeccakState output = inputs[i];
        keccak_f(output);
        for (std::uint32_t word = 0; word < 25; ++word) {
            std::uint64_t found = 0;
            for (std::uint32_t limb = 0; limb < KeccakColumns::kNumLimbs; ++limb) {
                const auto column = KeccakColumns::a_prime_prime_prime(word % 5, word / 5, limb);
                found |= std::uint64_t{trace.at(24 * i + 23, column).canonical()} << (16 * limb);
            }
            EXPECT_EQ(found, output[word]) << "permutation " << i << ", word " << word;
        }
    }
}

TEST(KeccakTrace, OfNoInputsIsOneRow) {
    const Matrix trace = keccak_trace({});
    EXPECT_EQ(trace.height(), 1U);
    EXPECT_EQ(trace.at(0, KeccakColumns::step_flag(0)), Fp::one());
}

}  // namespace
}  // namespace whorl
