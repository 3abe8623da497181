// The stacked reduction on a GPU against the CPU backend's, on the stored tasks.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include <whorl/task.hpp>

#include "backend/cpu/stacking.hpp"
#include "backend/gpu/resident.hpp"
#include "backend/gpu/stacking.hpp"
#include "gpu/devices.hpp"
#include "gpu/tall_task.hpp"
#include "unit/random.hpp"
#include "vectors.hpp"

namespace whorl::gpu {
namespace {

void expect_equals_cpu(const VerifyingKey& vk, const std::vector<AirTrace>& task_traces) {
    const ProverInput input = make_prover_input(vk, task_traces, nullptr);
    test::Random random;
    const Fp4 lambda = random.fp4();
    const std::vector<Fp4> r = random.fp4s(input.layout.n_max + 1);
    const std::vector<Fp4> u = random.fp4s(input.params().n_stack + 1);

    on_devices([&](Device& device) {
        const Residents residents(device);
        const DeviceTraces traces(device, residents, input);
        cpu::StackedReduction expected(input, lambda, r);
        StackedReduction found(device, traces, input, lambda, r);
        const auto expect_equal = [&](const auto& a, const auto& b) {
            if (device.is_planning()) return;
            EXPECT_EQ(a, b);
        };
        expect_equal(found.univariate_message(), expected.univariate_message());
        found.fold_univariate(u[0]);
        expected.fold_univariate(u[0]);
        for (std::size_t i = 1; i < u.size(); ++i) {
            SCOPED_TRACE(testing::Message() << "round " << i);
            expect_equal(found.round_message(), expected.round_message());
            found.fold(u[i]);
            expected.fold(u[i]);
        }
        expect_equal(found.openings(), expected.openings());
    });
}

class StackedReductionOnGpu : public testing::TestWithParam<std::string> {};

TEST_P(StackedReductionOnGpu, EqualsCpu) {
    const Task task = test::value_of(load_task(test::vector_path(GetParam(), "")));
    expect_equals_cpu(task.vk, task.traces);
}

INSTANTIATE_TEST_SUITE_P(Vectors, StackedReductionOnGpu,
                         testing::Values("cached", "fib_2e5", "fib_height_1", "keccak_5_perms", "mixture",
                                         "mixture_app_100_bits", "mixture_l_skip_5", "preprocessed_and_cached"),
                         [](const auto& test) { return test.param; });

TEST(StackedReductionOnGpuOf, TallTraces) {
    const TallTask task = tall_task();
    expect_equals_cpu(task.vk, task.traces);
}

}  // namespace
}  // namespace whorl::gpu
