// The Metal backend as it is, on a fake Metal that does the worst that Metal allows.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <string_view>
#include <thread>

#include <whorl/device.hpp>
#include <whorl/prove.hpp>
#include <whorl/task.hpp>
#include <whorl/telemetry.hpp>
#include <whorl/telemetry_export.hpp>

#include "backend/gpu/compiled/metal/metal_gpus.hpp"
#include "doctor/doctor.hpp"
#include "fake/fake_metal.hpp"
#include "prove/bytes.hpp"
#include "vectors.hpp"

namespace whorl {
namespace {

using test::expect_same_bytes;
using test::stored_proof;
using test::task_of;
using test::value_of;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;

class MetalRuntime : public testing::Test {
protected:
    void SetUp() override { fake_metal::set_options({}); }
    void TearDown() override {
        fake_metal::set_options({});
        EXPECT_THAT(fake_metal::live_objects(), IsEmpty());
    }
};

Result<Proof> prove_on_metal(const Task& task, Telemetry* telemetry = nullptr) {
    return prove(task.vk, task.traces, {.device = "metal", .telemetry = telemetry});
}

void expect_stored_proof(const std::string& vector) {
    const Result<Proof> proof = prove_on_metal(task_of(vector));
    ASSERT_TRUE(proof.has_value()) << to_string(proof.error());
    expect_same_bytes(*encode_proof(*proof), stored_proof(vector));
}

std::string failure_of(const std::string& vector) {
    const Result<Proof> proof = prove_on_metal(task_of(vector));
    return proof ? "none" : to_string(proof.error());
}

TEST_F(MetalRuntime, IsTheGpuThatGpuMeans) {
    const Task task = task_of("fib_2e5");
    const std::uint64_t before = fake_metal::counts().command_buffers;
    expect_same_bytes(*encode_proof(value_of(prove(task.vk, task.traces, {.device = "gpu"}))), stored_proof("fib_2e5"));
    EXPECT_GT(fake_metal::counts().command_buffers, before);
}

TEST_F(MetalRuntime, YieldsTheSameBytesInWhateverOrderMetalWorks) {
    for (const std::uint64_t seed : {1, 2, 3, 4, 5, 6}) {
        SCOPED_TRACE(seed);
        fake_metal::set_options({.seed = seed});
        for (const char* vector : {"interactions", "preprocessed_and_cached"}) expect_stored_proof(vector);
    }
    fake_metal::set_options({.is_eager = true});
    expect_stored_proof("interactions");
}

// What the spans count is what Metal was given.
TEST_F(MetalRuntime, EncodesWhatTheRecorderCounts) {
    const Task task = task_of("interactions");
    const fake_metal::Counts before = fake_metal::counts();
    Telemetry telemetry;
    value_of(prove_on_metal(task, &telemetry));
    const fake_metal::Counts after = fake_metal::counts();
    const auto spent = [&](std::string_view counter) {
        return static_cast<std::uint64_t>(field_sum(telemetry, counter, 0));
    };
    EXPECT_EQ(after.command_buffers - before.command_buffers, spent("command_buffer_count"));
    EXPECT_EQ(after.encoders - before.encoders, spent("encoder_count"));
    EXPECT_EQ(after.dispatches - before.dispatches, spent("kernel_count"));
    EXPECT_GT(spent("kernel_count"), 50u);
}

TEST_F(MetalRuntime, CutsWhatIsLargerThanTheLargestBuffer) {
    const Task task = task_of("keccak_5_perms");
    const MemoryPlan plan = value_of(plan_memory(task.vk, task.traces, {.device = "metal"}));
    std::uint64_t largest = 0;
    for (const PlannedBuffer& buffer : plan.buffers) largest = std::max(largest, buffer.bytes);
    ASSERT_LT(largest, plan.arena_bytes);
    fake_metal::set_options({.max_buffer_length = largest});
    expect_stored_proof("keccak_5_perms");
    fake_metal::set_options({.max_buffer_length = largest / 2});
    EXPECT_THAT(failure_of("keccak_5_perms"), HasSubstr("at most " + std::to_string(largest / 2)));
}

TEST_F(MetalRuntime, NamesTheKernelAndStageThatFail) {
    fake_metal::set_options({.failing_kernel = "round0_evaluate_cosets"});
    EXPECT_THAT(failure_of("fib_2e5"),
                AllOf(HasSubstr("metal:0: the GPU failed in zerocheck_ntt_eval_constraints, stage "),
                      HasSubstr("round0_evaluate_cosets")));
    fake_metal::set_options({.failing_kernel = "merkle_fold", .failure = fake_metal::CommandBufferError::kPageFault});
    EXPECT_THAT(failure_of("fib_2e5"), HasSubstr("merkle_fold"));
}

TEST_F(MetalRuntime, GoesOnAfterAFailure) {
    const Task task = task_of("fib_2e5");
    Prover prover = value_of(Prover::create(task.vk, {.device = "metal"}));
    fake_metal::set_options({.failing_kernel = "whir_round"});
    EXPECT_FALSE(prover.prove(task.traces).has_value());
    fake_metal::set_options({});
    expect_same_bytes(*encode_proof(value_of(prover.prove(task.traces))), stored_proof("fib_2e5"));
}

TEST_F(MetalRuntime, ReportsWhatMetalCannotDo) {
    fake_metal::set_options({.compile_error = "expected ';'"});
    EXPECT_THAT(failure_of("fib_2e5"), HasSubstr("Metal cannot compile the kernels: expected ';'"));
    fake_metal::set_options({.failing_pipeline = "ntt_blocks"});
    EXPECT_THAT(failure_of("fib_2e5"), HasSubstr("kernel ntt_blocks does not compile"));
    fake_metal::set_options({.memory = 1 << 20});
    EXPECT_THAT(failure_of("keccak_5_perms"), HasSubstr("the proof needs"));
    fake_metal::set_options({.max_num_buffers = fake_metal::counts().buffers});
    EXPECT_THAT(failure_of("fib_2e5"), HasSubstr("bytes of memory asked for"));
    fake_metal::set_options({.num_devices = 0});
    EXPECT_THAT(failure_of("fib_2e5"), HasSubstr("Metal shows no GPU"));
    fake_metal::set_options({.num_devices = 2});
    EXPECT_EQ(gpu::metal::list_devices().size(), 2u);
    EXPECT_THAT(gpu::metal::device_problem(2), HasSubstr("from 0 to 1"));
}

// Proves with constraint programs compiled to kernels; how many were compiled.
std::int64_t prove_generated(Prover& prover, const Task& task, Telemetry& telemetry, const std::string& vector) {
    expect_same_bytes(*encode_proof(value_of(prover.prove(task.traces))), stored_proof(vector));
    return field_sum(telemetry, "compiled_kernel_count");
}

TEST_F(MetalRuntime, CompilesConstraintsWhileTheProgramRuns) {
    const Task task = task_of("mixture");
    Telemetry telemetry;
    Prover prover = value_of(Prover::create(
        task.vk, {.device = "metal", .constraints = ConstraintKernels::kGenerated, .telemetry = &telemetry}));
    const fake_metal::Counts before = fake_metal::counts();
    EXPECT_GT(prove_generated(prover, task, telemetry, "mixture"), 0);
    EXPECT_GT(fake_metal::counts().libraries, before.libraries);
}

TEST_F(MetalRuntime, InterpretsConstraintsThatDoNotCompileOrNotInTime) {
    const Task task = task_of("mixture");
    Telemetry telemetry;
    ProverOptions options{.device = "metal", .constraints = ConstraintKernels::kGenerated, .telemetry = &telemetry};
    {
        Prover prover = value_of(Prover::create(task.vk, options));
        fake_metal::set_options({.compile_error = "the compiler is gone"});
        EXPECT_EQ(prove_generated(prover, task, telemetry, "mixture"), 0);
    }
    fake_metal::set_options({});
    options.compile_timeout = std::chrono::milliseconds(10);
    {
        Prover prover = value_of(Prover::create(task.vk, options));
        fake_metal::set_options({.compile_ms = 2000});
        EXPECT_EQ(prove_generated(prover, task, telemetry, "mixture"), 0);
    }
    // What was given up ends by itself.
    while (!fake_metal::live_objects().empty()) std::this_thread::sleep_for(std::chrono::milliseconds(10));
}

TEST_F(MetalRuntime, TheDoctorTestsGeneratedKernels) {
    // Keeps the library of all kernels, so that the error below is not its.
    const Task task = task_of("fib_2e5");
    const Prover prover = value_of(Prover::create(task.vk, {.device = "metal"}));
    for (const std::string error : {"", "the compiler is gone"}) {
        fake_metal::set_options({.compile_error = error});
        const DoctorReport report = value_of(examine("metal"));
        EXPECT_EQ(report.is_healthy(), error.empty());
        int num_generated = 0;
        for (const ProofVerdict& proof : report.proofs) {
            const bool is_generated = proof.how.starts_with("generated: ");
            num_generated += is_generated ? 1 : 0;
            EXPECT_THAT(proof.problem, HasSubstr(is_generated ? error : "")) << proof.task << ", " << proof.how;
            EXPECT_EQ(proof.problem.empty(), error.empty() || !is_generated) << proof.task << ", " << proof.how;
        }
        EXPECT_GT(num_generated, 1);
    }
}

// Errors in the text that Metal compiles. tests/metal/seeded_errors.py has those that a compiler rejects.
struct Seed {
    std::string name;
    std::string right;  // in the text, once …
    std::string wrong;  // … and what it becomes
};

void plant(const Seed& seed) {
    fake_metal::set_options({.alter_text = [seed](std::string text) {
        const std::size_t at = text.find(seed.right);
        if (at == std::string::npos || text.find(seed.right, at + 1) != std::string::npos) {
            ADD_FAILURE() << "not once in the text: " << seed.right;
            return text;
        }
        return text.replace(at, seed.right.size(), seed.wrong);
    }});
}

// Of sum_strided.
constexpr const char* kSumWritten = R"(i * p.step));
    }
    sum = group_sum(scratch, t, sum);
    if (t.tid == 0) store_ext)";
constexpr const char* kSumWrittenByAll = R"(i * p.step));
    }
    sum = group_sum(scratch, t, sum);
    store_ext)";

class WrongText : public MetalRuntime, public testing::WithParamInterface<Seed> {};

TEST_P(WrongText, IsAnErrorOrAnotherProof) {
    plant(GetParam());
    const Task task = task_of("interactions");
    const Result<Proof> proof = prove_on_metal(task);
    EXPECT_TRUE(!proof || *encode_proof(*proof) != stored_proof("interactions"));
}

INSTANTIATE_TEST_SUITE_P(
    Seeds, WrongText,
    testing::Values(
        Seed{"NoBarrierInASum", "count /= 2) {\n        WH_BARRIER();", "count /= 2) {"},
        Seed{"NoBarrierInATransform",
             "shared[ntt_middle(t.tid, j)] = x.w[j];\n        WH_BARRIER();\n        for (u32 j = 0; j < 16; ++j) "
             "x.w[j] "
             "= shared[ntt_eights",
             "shared[ntt_middle(t.tid, j)] = x.w[j];\n        for (u32 j = 0; j < 16; ++j) x.w[j] = shared[ntt_eights"},
        Seed{"EveryThreadWritesTheSum", kSumWritten, kSumWrittenByAll},
        Seed{"UpperHalfOfAnotherProduct", "mul_high(u32 a, u32 b) {\n    return mulhi(a, b);",
             "mul_high(u32 a, u32 b) {\n    return mulhi(a, a);"},
        Seed{"WordsStoredInAnotherOrder", "= uint4(v.w[0], v.w[1],", "= uint4(v.w[1], v.w[0],"},
        Seed{"EveryGroupDoesTheFirstOnesWork", "{wh_tid, wh_size.x, wh_group.x, wh_groups.x}",
             "{wh_tid, wh_size.x, wh_group.y, wh_groups.x}"},
        Seed{"BitOfThePointInverted", "if (((e >> v) & 1) != 0) {", "if (((e >> v) & 1) == 0) {"},
        Seed{"AddressOfAnotherPart", "return reinterpret_cast<device u32*>(address);",
             "return reinterpret_cast<device u32*>(address + (1ul << 33));"}),
    [](const auto& test) { return test.param.name; });

TEST_F(MetalRuntime, TheDoctorNamesTheKernelWhoseTextIsWrong) {
    plant({"", kSumWritten, kSumWrittenByAll});
    const DoctorReport report = value_of(examine("metal"));
    EXPECT_FALSE(report.is_healthy());
    for (const KernelVerdict& kernel : report.kernels) {
        EXPECT_EQ(kernel.problem.empty(), kernel.name != "sum_strided") << kernel.name << ": " << kernel.problem;
    }
}

}  // namespace
}  // namespace whorl
