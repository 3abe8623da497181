// Memory that nobody has written must not reach a proof: whatever it holds, the bytes are the same.
#include <gtest/gtest.h>

#include <cstring>
#include <string>

#include <whorl/prove.hpp>
#include <whorl/task.hpp>

#include "backend/cpu/buffer.hpp"
#include "backend/gpu/compiled/sim/sim_gpu.hpp"
#include "prove/bytes.hpp"
#include "prove/poisoned.hpp"
#include "vectors.hpp"

namespace whorl {
namespace {

using test::Poisoned;
using test::value_of;

class PoisonedProof : public testing::TestWithParam<std::string> {};

TEST_P(PoisonedProof, IsTheReferencesOnCpuAndSim) {
    const Task task = value_of(load_task(test::vector_path(GetParam(), "")));
    for (const char* device : {"cpu", "sim"}) {
        // A field element, and a word that is none.
        for (const std::uint8_t byte : {std::uint8_t{0x5A}, std::uint8_t{0xFF}}) {
            SCOPED_TRACE(testing::Message() << device << ", fresh memory filled with " << int{byte});
            const Poisoned poisoned(byte);
            test::expect_same_bytes(*encode_proof(value_of(prove(task.vk, task.traces, {.device = device}))),
                                    test::stored_proof(GetParam()));
        }
    }
}

INSTANTIATE_TEST_SUITE_P(Vectors, PoisonedProof,
                         testing::Values("fib_2e5", "fib_height_1", "interactions", "mixture", "mixture_l_skip_5",
                                         "preprocessed_and_cached", "self_interactions"),
                         [](const auto& test) { return test.param; });

TEST(Poison, FillsFreshMemoryOfTheCpu) {
    const Poisoned poisoned(0xA7);
    const cpu::WordBuffer buffer(100);
    for (std::size_t i = 0; i < buffer.size(); ++i) ASSERT_EQ(buffer.data()[i], 0xA7A7A7A7u);
}

TEST(Poison, FillsWhatTheSimulatedDeviceBinds) {
    const Poisoned poisoned(0xA7);
    const auto runtime = gpu::sim::make_runtime();
    const gpu::Block block = runtime->allocate_shared(512);
    std::memset(block.host, 0, 512);
    const gpu::Address address = runtime->bind(block, 256, 256);
    EXPECT_EQ(static_cast<std::uint8_t>(block.host[255]), 0);
    for (std::size_t i = 256; i < 512; ++i) ASSERT_EQ(static_cast<std::uint8_t>(block.host[i]), 0xA7);
    runtime->unbind(address);
    runtime->release(block);
}

}  // namespace
}  // namespace whorl
