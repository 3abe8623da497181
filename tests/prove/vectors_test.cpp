// The reference's proofs, byte for byte: from every vector's key and traces, at any thread count, on every instruction set.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include <whorl/air.hpp>
#include <whorl/prove.hpp>
#include <whorl/task.hpp>
#include <whorl/verify.hpp>

#include "airs/tasks.hpp"
#include "unit/targets.hpp"
#include "vectors.hpp"

namespace whorl {
namespace {

using test::value_of;

std::vector<std::byte> stored_proof(const std::string& vector) {
    return test::read_file(test::vector_path(vector, "proof.bin"));
}

// Names the first difference instead of printing both proofs.
void expect_same_bytes(const std::vector<std::byte>& found, const std::vector<std::byte>& expected) {
    ASSERT_EQ(found.size(), expected.size());
    const auto [a, b] = std::ranges::mismatch(found, expected);
    EXPECT_TRUE(a == found.end()) << "first difference at byte " << (a - found.begin());
}

class ProvesVector : public testing::TestWithParam<std::string> {};

TEST_P(ProvesVector, ByteForByteFromItsFiles) {
    const Task task = value_of(load_task(test::vector_path(GetParam(), "")));
    const Proof proof = value_of(prove(task.vk, task.traces));
    expect_same_bytes(encode_proof(proof), stored_proof(GetParam()));
    const auto verdict = verify(task.vk, proof);
    EXPECT_TRUE(verdict.has_value()) << to_string(verdict.error());
}

TEST_P(ProvesVector, ByteForByteAtAnyThreadCount) {
    const Task task = value_of(load_task(test::vector_path(GetParam(), "")));
    for (const std::uint32_t threads : {1u, 2u, 5u}) {
        SCOPED_TRACE(testing::Message() << threads << " threads");
        expect_same_bytes(encode_proof(value_of(prove(task.vk, task.traces, {.num_threads = threads}))),
                          stored_proof(GetParam()));
    }
}

TEST_P(ProvesVector, ByteForByteOnEveryInstructionSet) {
    const Task task = value_of(load_task(test::vector_path(GetParam(), "")));
    test::on_every_target(
        [&] { expect_same_bytes(encode_proof(value_of(prove(task.vk, task.traces))), stored_proof(GetParam())); });
}

INSTANTIATE_TEST_SUITE_P(Vectors, ProvesVector,
                         testing::Values("cached", "fib_2e5", "fib_height_1", "fib_three_airs_one_absent",
                                         "interactions", "keccak_5_perms", "mixture", "mixture_app_100_bits",
                                         "mixture_l_skip_5", "preprocessed", "preprocessed_and_cached",
                                         "self_interactions"),
                         [](const auto& test) { return test.param; });

TEST(ProvesKeccak, Keccakf1024ByteForByte) {
    const auto task = vector_task("keccakf_1024");
    ASSERT_TRUE(task.has_value());
    const ProvingKey key = value_of(keygen(task->params, task->airs));
    const std::vector<AirTrace> traces = task->make_traces();
    expect_same_bytes(encode_proof(value_of(prove(key.vk, traces))), stored_proof("keccakf_1024"));
}

}  // namespace
}  // namespace whorl
