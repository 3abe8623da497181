// Devices that allocate little at once.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include <whorl/proof.hpp>
#include <whorl/task.hpp>

#include "backend/gpu/prover.hpp"
#include "gpu/devices.hpp"
#include "prove/bytes.hpp"
#include "prover/input.hpp"
#include "vectors.hpp"

namespace whorl::gpu {
namespace {

using test::value_of;
using testing::HasSubstr;

std::uint64_t largest_buffer(const MemoryPlan& plan) {
    return std::ranges::max(plan.buffers, {}, &PlannedBuffer::bytes).bytes;
}

TEST(MaxBuffer, CutsTheArenaAndChangesNoByte) {
    for (const bool is_unified : {true, false}) {
        SCOPED_TRACE(is_unified);
        const std::string vector = "keccak_5_perms";
        const Task task = value_of(load_task(test::vector_path(vector, "")));
        const ProverInput input = make_prover_input(task.vk, task.traces, nullptr);
        GpuProver unlimited(task.vk, sim::make_runtime(), Dispatch::kStaged);
        const std::uint64_t limit = largest_buffer(unlimited.plan(input));
        GpuProver limited(task.vk, sim::make_runtime({.max_buffer = limit, .is_unified = is_unified}),
                          Dispatch::kStaged);
        const MemoryPlan& plan = limited.plan(input);
        EXPECT_LE(plan.block_bytes, limit);
        EXPECT_GT(plan.arena_bytes, limit);
        for (const PlannedBuffer& buffer : plan.buffers) {
            EXPECT_EQ(buffer.offset / plan.block_bytes, (buffer.offset + buffer.bytes - 1) / plan.block_bytes)
                << buffer.name;
        }
        test::expect_same_bytes(*encode_proof(limited.prove(input)), test::stored_proof(vector));
    }
}

TEST(MaxBuffer, RefusesWhatCannotBeCutWithTheFigures) {
    const Task task = value_of(load_task(test::vector_path("keccak_5_perms", "")));
    const ProverInput input = make_prover_input(task.vk, task.traces, nullptr);
    for (const std::uint64_t limit : {256u, 16384u}) {  // too little for a column, for a buffer
        GpuProver prover(task.vk, sim::make_runtime({.max_buffer = limit}), Dispatch::kStaged);
        try {
            prover.plan(input);
            FAIL() << "no error";
        } catch (const DeviceError& e) {
            EXPECT_THAT(e.what(), HasSubstr("at most " + std::to_string(limit)));
        }
    }
}

}  // namespace
}  // namespace whorl::gpu
