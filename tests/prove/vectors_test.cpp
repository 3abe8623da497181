// The reference's proofs, byte for byte: from every vector's key and traces, at any thread count, on every instruction set.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include <whorl/air.hpp>
#include <whorl/prove.hpp>
#include <whorl/task.hpp>
#include <whorl/verify.hpp>

#include "airs/tasks.hpp"
#include "prove/bytes.hpp"
#include "unit/targets.hpp"
#include "vectors.hpp"

namespace whorl {
namespace {

using test::expect_same_bytes;
using test::stored_proof;
using test::value_of;

class ProvesVector : public testing::TestWithParam<std::string> {};

TEST_P(ProvesVector, ByteForByteFromItsFiles) {
    const Task task = value_of(load_task(test::vector_path(GetParam(), "")));
    const Proof proof = value_of(prove(task.vk, task.traces));
    expect_same_bytes(*encode_proof(proof), stored_proof(GetParam()));
    const auto verdict = verify(task.vk, proof);
    EXPECT_TRUE(verdict.has_value()) << to_string(verdict.error());
}

TEST_P(ProvesVector, ByteForByteAtAnyThreadCount) {
    const Task task = value_of(load_task(test::vector_path(GetParam(), "")));
    for (const std::uint32_t threads : {1u, 2u, 5u}) {
        SCOPED_TRACE(testing::Message() << threads << " threads");
        expect_same_bytes(*encode_proof(value_of(prove(task.vk, task.traces, {.num_threads = threads}))),
                          stored_proof(GetParam()));
    }
}

TEST_P(ProvesVector, ByteForByteOnEveryInstructionSet) {
    const Task task = value_of(load_task(test::vector_path(GetParam(), "")));
    test::on_every_target(
        [&] { expect_same_bytes(*encode_proof(value_of(prove(task.vk, task.traces))), stored_proof(GetParam())); });
}

INSTANTIATE_TEST_SUITE_P(Vectors, ProvesVector, testing::ValuesIn(test::kStoredVectors),
                         [](const auto& test) { return test.param; });

TEST(ProvesKeccak, Keccakf1024ByteForByte) {
    const auto task = vector_task("keccakf_1024");
    ASSERT_TRUE(task.has_value());
    const ProvingKey key = value_of(keygen(task->params, task->airs));
    const std::vector<AirTrace> traces = task->make_traces();
    expect_same_bytes(*encode_proof(value_of(prove(key.vk, traces))), stored_proof("keccakf_1024"));
}

}  // namespace
}  // namespace whorl
