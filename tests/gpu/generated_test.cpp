// Generated constraint kernels: what they are, the proofs that they make, and that none is lost without them.
#include "backend/gpu/generated.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <whorl/proof.hpp>
#include <whorl/task.hpp>
#include <whorl/telemetry.hpp>

#include "backend/gpu/prover.hpp"
#include "device/sim/group.hpp"
#include "gpu/devices.hpp"
#include "gpu/generated/host_kernels.hpp"
#include "gpu/wrapped_runtime.hpp"
#include "prove/bytes.hpp"
#include "prover/input.hpp"
#include "threads/parallel.hpp"
#include "vectors.hpp"

namespace whorl::gpu {
namespace {

using namespace std::chrono_literals;
using test::expect_same_bytes;
using test::stored_proof;
using test::task_of;
using testing::HasSubstr;
using State = Compilation::State;

bool is_generated(const Command& command) {
    return command.kind == Command::Kind::kDispatch && std::string_view(command.kernel->name).starts_with("round0_g");
}

// Another device, whose generated kernels are counted as they are dispatched.
class ObservedRuntime : public WrappedRuntime {
public:
    ObservedRuntime(std::unique_ptr<Runtime> device, int& num_dispatched)
        : WrappedRuntime(std::move(device)), num_dispatched_(num_dispatched) {}
    void submit(const Submission& submission) override {
        for (const Command& command : submission.commands) num_dispatched_ += is_generated(command) ? 1 : 0;
        submit_to_device(submission);
    }

protected:
    virtual void submit_to_device(const Submission& submission) { device_->submit(submission); }

private:
    int& num_dispatched_;
};

// What a compiler answers, now or later, and what it was asked.
struct Compiler {
    State state = State::kReady;
    std::string problem{};
    int num_texts = 0;
};
class CompilerAnswer final : public Compilation {
public:
    explicit CompilerAnswer(const Compiler& compiler) : compiler_(compiler) {}
    State state() override { return compiler_.state; }
    std::string problem() const override { return compiler_.problem; }

private:
    const Compiler& compiler_;
};

// The simulated device with a compiler, whose kernels were compiled with the tests.
class CompilingRuntime final : public ObservedRuntime {
public:
    CompilingRuntime(const sim::Options& options, Compiler& compiler, int& num_dispatched)
        : ObservedRuntime(sim::make_runtime(options), num_dispatched), compiler_(compiler) {}

    std::unique_ptr<Compilation> compile(const std::string& text, std::span<const KernelInfo> kernels) override {
        for (const KernelInfo& kernel : kernels) EXPECT_THAT(text, HasSubstr(kernel.name));
        ++compiler_.num_texts;
        return std::make_unique<CompilerAnswer>(compiler_);
    }

protected:
    // One command after another, since the simulated device knows only its own kernels.
    void submit_to_device(const Submission& submission) override {
        for (const Submission::Stage& stage : submission.stages) {
            for (std::uint32_t c = stage.first; c < stage.first + stage.count; ++c) {
                const Command& command = submission.commands[c];
                if (is_generated(command)) {
                    run(*command.kernel, command.groups, submission.params.data() + command.params);
                } else {
                    device_->submit({{command}, {{0, 1}}, submission.params, submission.label});
                }
            }
        }
    }

private:
    static void run(const KernelInfo& kernel, std::uint32_t groups, const std::byte* params) {
        const sim::KernelBody body = find_generated_kernel(kernel.name);
        if (body == nullptr) throw DeviceError("not among the kernels compiled with the tests");
        for_each_index(std::uint32_t{0}, groups, [&](std::uint32_t group) {
            sim::run_barrier_group(body, params, {0, kernel.threads, group, groups}, 1);
        });
    }

    Compiler& compiler_;
};

// A prover with generated kernels, what it compiled them with and what it says.
struct GeneratedProver {
    GeneratedProver(const std::string& vector, const Compiler& with, const GenerationOptions& options = {},
                    Dispatch dispatch = Dispatch::kStaged, const sim::Options& device = {})
        : vector(vector), task(task_of(vector)), compiler(with) {
        prover.emplace(task.vk, std::make_unique<CompilingRuntime>(device, compiler, num_dispatched), dispatch,
                       options);
    }
    /// Proves, and compares the bytes.
    void prove() {
        num_dispatched = 0;
        spans = Telemetry();
        const ProverInput input = make_prover_input(task.vk, task.traces, &spans);
        expect_same_bytes(*encode_proof(prover->prove(input)), stored_proof(vector));
    }

    std::string vector;
    Task task;
    Compiler compiler;
    int num_dispatched = 0;  // by the last proof
    Telemetry spans;         // of the last proof
    std::optional<GpuProver> prover;
};

// What the only span compile_constraints says; nothing where there is none.
struct Report {
    std::int64_t compiled = 0, failed = 0, pending = 0, text_bytes = 0;
    std::string problem;
};
std::optional<Report> report_of(const Telemetry& telemetry) {
    std::optional<Report> report;
    for (const SpanRecord& span : telemetry.spans()) {
        if (span.name != "compile_constraints") continue;
        EXPECT_FALSE(report.has_value());
        report.emplace();
        for (const auto& [name, value] : span.fields) {
            if (name == "compiled_kernel_count") report->compiled = std::get<std::int64_t>(value);
            if (name == "failed_kernel_count") report->failed = std::get<std::int64_t>(value);
            if (name == "pending_kernel_count") report->pending = std::get<std::int64_t>(value);
            if (name == "text_bytes") report->text_bytes = std::get<std::int64_t>(value);
            if (name == "problem") report->problem = std::get<std::string>(value);
        }
    }
    return report;
}

constexpr std::size_t kMaxInstructions = GenerationOptions().max_kernel_instructions;

TEST(GeneratedKernels, AreSmallAndHaveEveryChunkOnce) {
    for (const std::string& vector : test::kVectorNames) {
        SCOPED_TRACE(vector);
        const VerifyingKey vk = test::load_key(vector);
        for (const AirVerifyingKey& air : vk.airs) {
            const AirPrograms programs(air);
            for (const ChunkedProgram* program : {&programs.zerocheck, &programs.logup}) {
                std::uint32_t next_chunk = 0;
                std::set<std::string> names;
                for (const GeneratedKernel& kernel : generate_coset_kernels(air, *program, kMaxInstructions)) {
                    EXPECT_EQ(kernel.first_chunk, next_chunk);
                    EXPECT_GT(kernel.num_chunks, 0);
                    EXPECT_LE(kernel.num_instructions, kMaxInstructions);
                    EXPECT_LE(kernel.text.size(), 100 * kMaxInstructions);
                    EXPECT_TRUE(names.insert(kernel.name).second);
                    next_chunk += kernel.num_chunks;
                }
                EXPECT_EQ(next_chunk, program->num_chunks());
            }
        }
    }
}

TEST(GeneratedKernels, AreNamedByWhatTheyCompute) {
    const auto first_name = [](const std::string& vector) {
        const VerifyingKey vk = test::load_key(vector);
        const AirPrograms programs(vk.airs[0]);
        return generate_coset_kernels(vk.airs[0], programs.zerocheck, kMaxInstructions).at(0).name;
    };
    EXPECT_EQ(first_name("keccak_5_perms"), first_name("keccakf_1024"));
    EXPECT_NE(first_name("keccak_5_perms"), first_name("fib_2e5"));
}

class ProvesWithGeneratedKernels : public testing::TestWithParam<std::string> {};

TEST_P(ProvesWithGeneratedKernels, ByteForByteHoweverItIsDispatched) {
    for (const Dispatch dispatch : {Dispatch::kStaged, Dispatch::kUnfused}) {
        GeneratedProver prover(GetParam(), {}, {}, dispatch, {.is_unified = dispatch == Dispatch::kStaged});
        prover.prove();
        const Report report = report_of(prover.spans).value();
        EXPECT_GT(report.compiled, 0);
        EXPECT_EQ(report.compiled, prover.compiler.num_texts);
        EXPECT_EQ(report.failed + report.pending, 0);
        EXPECT_GT(report.text_bytes, 0);
        EXPECT_EQ(report.problem, "");
        EXPECT_GE(prover.num_dispatched, report.compiled);
    }
}

TEST(GeneratedPrograms, AreCompiledOnce) {
    GeneratedProver prover("fib_2e5", {});
    prover.prove();
    const int num_dispatched = prover.num_dispatched;
    const int num_texts = prover.compiler.num_texts;
    prover.prove();
    EXPECT_EQ(prover.num_dispatched, num_dispatched);
    EXPECT_EQ(prover.compiler.num_texts, num_texts);
    EXPECT_EQ(report_of(prover.spans), std::nullopt) << "said once";
}

// With the AIRs of tests/gpu/generated/CMakeLists.txt that have constraints of degree 2 and more.
INSTANTIATE_TEST_SUITE_P(Vectors, ProvesWithGeneratedKernels,
                         testing::Values("fib_2e5", "mixture", "mixture_l_skip_5", "preprocessed"),
                         [](const auto& test) { return test.param; });

TEST(GeneratedPrograms, AreInterpretedWhereCompilingDoesNotEndInTime) {
    GeneratedProver prover("mixture", {.state = State::kUnderWay}, {.timeout = 50ms});
    prover.prove();
    const Report report = report_of(prover.spans).value();
    EXPECT_GT(report.pending, 0);
    EXPECT_EQ(report.compiled + report.failed, 0);
    EXPECT_THAT(report.problem, HasSubstr("0.05 s"));
    EXPECT_EQ(prover.num_dispatched, 0);

    const auto start = std::chrono::steady_clock::now();
    const MemoryPlan& plan = prover.prover->plan(make_prover_input(prover.task.vk, prover.task.traces, nullptr));
    prover.prove();
    EXPECT_EQ(report_of(prover.spans), std::nullopt) << "said once, and waited for once";
    EXPECT_EQ(prover.num_dispatched, 0);
    EXPECT_LT(std::chrono::steady_clock::now() - start, 30s);

    // They are used once they are there, in the memory that was planned without them.
    prover.compiler.state = State::kReady;
    const std::uint64_t num_allocations = prover.prover->device().num_allocations();
    for (int i = 0; i < 3 && prover.num_dispatched == 0; ++i) prover.prove();
    EXPECT_GT(prover.num_dispatched, 0);
    EXPECT_EQ(report_of(prover.spans).value().pending, 0);
    EXPECT_EQ(prover.prover->device().num_allocations(), num_allocations);
    const std::uint64_t planned_bytes = plan.device_bytes;
    GeneratedProver ready("mixture", {});
    ready.prove();
    EXPECT_EQ(ready.prover->plan(make_prover_input(ready.task.vk, ready.task.traces, nullptr)).device_bytes,
              planned_bytes);
}

TEST(GeneratedPrograms, AreInterpretedWhereCompilingFails) {
    GeneratedProver prover("mixture", {.state = State::kFailed, .problem = "too many cooks"});
    prover.prove();
    const Report report = report_of(prover.spans).value();
    EXPECT_GT(report.failed, 0);
    EXPECT_EQ(report.compiled + report.pending, 0);
    EXPECT_EQ(report.problem, "too many cooks");
    EXPECT_EQ(prover.num_dispatched, 0);
    prover.prove();
    EXPECT_EQ(report_of(prover.spans), std::nullopt) << "said once";
}

TEST(GeneratedPrograms, AreInterpretedWhereAConstraintIsTooLong) {
    GeneratedProver prover("mixture", {}, {.max_kernel_instructions = 1});
    prover.prove();
    EXPECT_THAT(report_of(prover.spans).value().problem, HasSubstr("more than 1 instructions"));
    EXPECT_EQ(prover.compiler.num_texts, 0);
}

// Every device of this machine: those that compile use the kernels, the others say that they cannot.
TEST(GeneratedPrograms, ChangeNoByteOnAnyDevice) {
    for (const std::string vector : {"fib_2e5", "mixture", "interactions"}) {
        const Task task = task_of(vector);
        for (std::unique_ptr<Runtime>& device : runtimes_to_test()) {
            SCOPED_TRACE(vector + " on " + device->info().id);
            int num_dispatched = 0;
            Telemetry telemetry;
            GpuProver prover(task.vk, std::make_unique<ObservedRuntime>(std::move(device), num_dispatched),
                             Dispatch::kStaged, GenerationOptions{.timeout = 300s});
            const ProverInput input = make_prover_input(task.vk, task.traces, &telemetry);
            expect_same_bytes(*encode_proof(prover.prove(input)), stored_proof(vector));
            const std::optional<Report> report = report_of(telemetry);
            if (!report) continue;  // nothing of degree 2
            EXPECT_EQ(report->pending, 0);
            if (report->problem.empty()) {
                EXPECT_GT(num_dispatched, 0);
            } else {
                EXPECT_THAT(report->problem, HasSubstr("compiles no kernels"));
                EXPECT_EQ(num_dispatched, 0);
            }
        }
    }
}

}  // namespace
}  // namespace whorl::gpu
