// Whole proofs on a simulated device that watches every word of its memory: no thread touches what another thread of its
// stage wrote, also not behind a barrier of its group.
#include <gtest/gtest.h>

#include <string>

#include <whorl/proof.hpp>
#include <whorl/task.hpp>

#include "backend/gpu/compiled/sim/sim_gpu.hpp"
#include "backend/gpu/prover.hpp"
#include "prove/bytes.hpp"
#include "prover/input.hpp"
#include "vectors.hpp"

namespace whorl::gpu {
namespace {

class RacesInProof : public testing::TestWithParam<std::string> {};

TEST_P(RacesInProof, ThereAreNone) {
    const Task task = test::value_of(load_task(test::vector_path(GetParam(), "")));
    const ProverInput input = make_prover_input(task.vk, task.traces, nullptr);
    GpuProver prover(task.vk, sim::make_runtime({.finds_races = true}), Dispatch::kStaged);
    test::expect_same_bytes(*encode_proof(prover.prove(input)), test::stored_proof(GetParam()));
}

INSTANTIATE_TEST_SUITE_P(Vectors, RacesInProof, testing::ValuesIn(test::kStoredVectors),
                         [](const auto& info) { return std::string(info.param); });

}  // namespace
}  // namespace whorl::gpu
