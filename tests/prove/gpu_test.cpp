// Proofs on GPUs: on the simulated one everywhere, and on every other that this machine has.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <whorl/air.hpp>
#include <whorl/device.hpp>
#include <whorl/prove.hpp>
#include <whorl/task.hpp>
#include <whorl/telemetry.hpp>
#include <whorl/telemetry_export.hpp>

#include "airs/tasks.hpp"
#include "prove/bytes.hpp"
#include "vectors.hpp"

namespace whorl {
namespace {

using test::expect_same_bytes;
using test::stored_proof;
using test::task_of;
using test::value_of;

std::vector<std::string> gpus() {
    std::vector<std::string> ids;
    const std::vector<DeviceReport> devices = *list_devices();
    for (const DeviceReport& device : devices) {
        if (device.id != "cpu" && device.problem.empty()) ids.push_back(device.id);
    }
    return ids;
}

/// The integer fields of the only span of that name.
struct SpanFields {
    std::optional<SpanRecord> span;
    std::int64_t operator[](std::string_view field) const {
        for (const auto& [name, value] : span->fields) {
            if (name == field) return std::get<std::int64_t>(value);
        }
        return 0;
    }
};
SpanFields only_span(const Telemetry& telemetry, std::string_view name) {
    SpanFields found;
    for (const SpanRecord& span : telemetry.spans()) {
        if (span.name != name) continue;
        EXPECT_FALSE(found.span.has_value()) << "two spans " << name;
        found.span = span;
    }
    if (!found.span) {
        ADD_FAILURE() << "no span " << name;
        found.span.emplace();
    }
    return found;
}

class ProvesOnGpu : public testing::TestWithParam<std::string> {};

TEST_P(ProvesOnGpu, ByteForByteHoweverItIsDispatched) {
    const Task task = task_of(GetParam());
    for (const std::string& gpu : gpus()) {
        for (const Dispatch dispatch : {Dispatch::kStaged, Dispatch::kUnfused}) {
            SCOPED_TRACE(testing::Message() << gpu << (dispatch == Dispatch::kStaged ? " staged" : " unfused"));
            const auto proof = prove(task.vk, task.traces, {.device = gpu, .dispatch = dispatch});
            ASSERT_TRUE(proof.has_value()) << to_string(proof.error());
            expect_same_bytes(*encode_proof(*proof), stored_proof(GetParam()));
        }
    }
}

INSTANTIATE_TEST_SUITE_P(Vectors, ProvesOnGpu, testing::ValuesIn(test::kStoredVectors),
                         [](const auto& test) { return test.param; });

TEST(GpuDispatch, AllCosetsOfZerocheckRound0AreOneSubmission) {
    const Task task = task_of("keccak_5_perms");  // one AIR of degree 3: two cosets
    for (const std::string& gpu : gpus()) {
        SCOPED_TRACE(gpu);
        Telemetry telemetry;
        value_of(prove(task.vk, task.traces, {.device = gpu, .telemetry = &telemetry}));
        const SpanFields fields = only_span(telemetry, "zerocheck_ntt_eval_constraints");
        EXPECT_EQ(fields["coset_count"], 2);
        EXPECT_EQ(fields["command_buffer_count"], 1);
        EXPECT_EQ(fields["expected_kernel_count"], 4);
        EXPECT_EQ(fields["kernel_count"], 4);
        EXPECT_EQ(fields["sync_count"], 1);
        EXPECT_EQ(fields["allocation_count"], 0);
    }
}

TEST(GpuDispatch, UnfusedIsASubmissionAWaitAndAScratchAllocationForEachCoset) {
    const Task task = task_of("keccak_5_perms");
    for (const std::string& gpu : gpus()) {
        SCOPED_TRACE(gpu);
        Telemetry telemetry;
        value_of(prove(task.vk, task.traces, {.device = gpu, .dispatch = Dispatch::kUnfused, .telemetry = &telemetry}));
        const SpanFields fields = only_span(telemetry, "zerocheck_ntt_eval_constraints");
        EXPECT_EQ(fields["coset_count"], 2);
        EXPECT_EQ(fields["command_buffer_count"], 2);
        EXPECT_EQ(fields["kernel_count"], 4);
        EXPECT_EQ(fields["sync_count"], 2);
        EXPECT_EQ(fields["allocation_count"], 2);
    }
}

TEST(GpuDispatch, LogupRound0IsOneSubmissionWithBothFinalReductionsInOneStage) {
    const AirTask source = logup_task(5, test_params_small(2, 8, 3), {4});
    const ProvingKey key = value_of(keygen(source.params, source.airs));
    const std::vector<AirTrace> traces = source.make_traces();
    for (const std::string& gpu : gpus()) {
        SCOPED_TRACE(gpu);
        Telemetry telemetry;
        value_of(prove(key.vk, traces, {.device = gpu, .telemetry = &telemetry}));
        const SpanFields fields = only_span(telemetry, "logup_bary_eval_interactions_round0");
        EXPECT_EQ(fields["coset_count"], 1);
        EXPECT_EQ(fields["command_buffer_count"], 1);
        EXPECT_EQ(fields["kernel_count"], 3);
        EXPECT_EQ(fields["expected_kernel_count"], 3);
        EXPECT_EQ(fields["sync_count"], 1);
    }
}

TEST(GpuProver, AllocatesNothingFromTheSecondProofOn) {
    const Task task = task_of("interactions");
    for (const std::string& gpu : gpus()) {
        SCOPED_TRACE(gpu);
        Telemetry telemetry;
        Prover prover = value_of(Prover::create(task.vk, {.device = gpu, .telemetry = &telemetry}));
        value_of(prover.prove(task.traces));
        EXPECT_GT(field_sum(telemetry, "allocation_count"), 0);
        const std::size_t first_span = telemetry.spans().size();
        for (int i = 0; i < 10; ++i) {
            expect_same_bytes(*encode_proof(value_of(prover.prove(task.traces))), stored_proof("interactions"));
        }
        EXPECT_EQ(field_sum(telemetry, "allocation_count", first_span), 0);
        EXPECT_EQ(field_sum(telemetry, "bytes_allocated", first_span), 0);
        EXPECT_GT(field_sum(telemetry, "kernel_count", first_span), 0);
        EXPECT_EQ(field_sum(telemetry, "kernel_count", first_span),
                  field_sum(telemetry, "expected_kernel_count", first_span));
    }
}

TEST(GpuProver, ProversWorkSideBySide) {
    const Task task = task_of("interactions");
    for (const std::string& gpu : gpus()) {
        SCOPED_TRACE(gpu);
        std::vector<std::vector<std::byte>> proofs(3);
        std::vector<std::thread> threads;
        for (auto& bytes : proofs) {
            threads.emplace_back([&] {
                Prover prover = value_of(Prover::create(task.vk, {.device = gpu}));
                for (int i = 0; i < 2; ++i) bytes = *encode_proof(value_of(prover.prove(task.traces)));
            });
        }
        for (std::thread& thread : threads) thread.join();
        for (const auto& bytes : proofs) expect_same_bytes(bytes, stored_proof("interactions"));
    }
}

TEST(GpuPlan, IsThePeakThatTheProofReports) {
    const Task task = task_of("mixture");
    for (const std::string& gpu : gpus()) {
        SCOPED_TRACE(gpu);
        const MemoryPlan plan = value_of(plan_memory(task.vk, task.traces, {.device = gpu}));
        EXPECT_GT(plan.buffers.size(), 0u);
        EXPECT_GE(plan.arena_bytes, plan.peak_live_bytes);
        EXPECT_GE(plan.device_bytes, plan.arena_bytes);
        Telemetry telemetry;
        value_of(prove(task.vk, task.traces, {.device = gpu, .telemetry = &telemetry}));
        EXPECT_EQ(measure_totals(telemetry).device_peak_bytes, static_cast<std::int64_t>(plan.device_bytes));
    }
}

// Minutes on devices that are the host's processor: `make long` runs it there. Its quick form is the vector keccak_5_perms
// above.
TEST(Long, Keccakf1024ByteForByteOnGpus) {
    const bool is_long_run = std::getenv("WHORL_LONG_TESTS") != nullptr;
    std::vector<std::string> devices;
    const std::vector<DeviceReport> listed = *list_devices();
    for (const DeviceReport& device : listed) {
        const bool is_host = device.id == "cpu" || device.id == "sim" || device.name == "Fake Metal";
        if (device.problem.empty() && device.id != "cpu" && (is_long_run || !is_host)) devices.push_back(device.id);
    }
    if (devices.empty()) GTEST_SKIP() << "takes minutes on simulated devices: set WHORL_LONG_TESTS=1, or make long";
    const auto task = vector_task("keccakf_1024");
    ASSERT_TRUE(task.has_value());
    const ProvingKey key = value_of(keygen(task->params, task->airs));
    const std::vector<AirTrace> traces = task->make_traces();
    for (const std::string& gpu : devices) {
        SCOPED_TRACE(gpu);
        expect_same_bytes(*encode_proof(value_of(prove(key.vk, traces, {.device = gpu}))),
                          stored_proof("keccakf_1024"));
    }
}

}  // namespace
}  // namespace whorl
