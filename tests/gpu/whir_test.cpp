// WHIR on a GPU against the CPU backend's, on the stored tasks.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include <whorl/task.hpp>

#include "backend/cpu/cpu_backend.hpp"
#include "backend/gpu/resident.hpp"
#include "backend/gpu/whir.hpp"
#include "gpu/devices.hpp"
#include "gpu/tall_task.hpp"
#include "unit/random.hpp"
#include "vectors.hpp"

namespace whorl::gpu {
namespace {

void expect_equals_cpu(const VerifyingKey& vk, const std::vector<AirTrace>& task_traces) {
    const ProverInput input = make_prover_input(vk, task_traces, nullptr);
    const WhirParams& params = input.params().whir;
    const cpu::CpuBackend::Commitments code = cpu::CpuBackend().commit(input);
    on_devices([&](Device& device) {
        const auto expect_equal = [&](const auto& a, const auto& b) {
            if (device.is_planning()) return;
            EXPECT_EQ(a, b);
        };
        const NttRoots roots(device, input.params().log_codeword_height(), NttDirection::kForward);
        device.recorder().submit_and_wait(1);
        const Residents residents(device);
        const DeviceTraces traces(device, residents, input);
        const StackedCommitments commitments(device, roots, traces, residents, input);

        test::Random random;
        const std::vector<Fp4> u = random.fp4s(input.params().n_stack + 1);
        const Fp4 mu = random.fp4();
        cpu::WhirProver expected(input, code.stacked, u, mu);
        WhirProver found(device, roots, traces, input, commitments, u, mu);
        WhirProof expected_proof, found_proof;
        unsigned log_leaves = input.params().log_codeword_height() - params.k;
        for (unsigned round = 0; round < params.num_rounds(); ++round, --log_leaves) {
            SCOPED_TRACE(testing::Message() << "round " << round);
            for (unsigned s = 0; s < params.k; ++s) {
                expect_equal(found.round_message(), expected.round_message());
                const Fp4 alpha = random.fp4();
                found.fold(alpha);
                expected.fold(alpha);
            }
            if (round + 1 < params.num_rounds()) {
                expect_equal(found.commit_codeword(), expected.commit_codeword());
                const Fp4 z0 = random.fp4();
                expect_equal(found.ood_value(z0), expected.ood_value(z0));
            } else {
                expect_equal(found.final_poly(), expected.final_poly());
            }
            std::vector<std::uint32_t> indices(params.num_queries[round]);
            for (std::uint32_t& index : indices) index = random.below(std::uint32_t{1} << log_leaves);
            if (round == 0) {
                found.open_initial(indices, found_proof);
                expected.open_initial(indices, expected_proof);
            } else {
                found.open_codeword(indices, found_proof);
                expected.open_codeword(indices, expected_proof);
            }
            const Fp4 gamma = random.fp4();
            found.bind_queries(indices, gamma);
            expected.bind_queries(indices, gamma);
        }
        expect_equal(found_proof, expected_proof);
    });
}

class WhirOnGpu : public testing::TestWithParam<std::string> {};

TEST_P(WhirOnGpu, EqualsCpu) {
    const Task task = test::value_of(load_task(test::vector_path(GetParam(), "")));
    expect_equals_cpu(task.vk, task.traces);
}

INSTANTIATE_TEST_SUITE_P(Vectors, WhirOnGpu,
                         testing::Values("cached", "fib_2e5", "fib_height_1", "keccak_5_perms", "mixture",
                                         "mixture_l_skip_5", "preprocessed_and_cached"),
                         [](const auto& test) { return test.param; });

TEST(WhirOnGpuOf, TallTraces) {
    const TallTask task = tall_task();
    expect_equals_cpu(task.vk, task.traces);
}

}  // namespace
}  // namespace whorl::gpu
