#include <whorl/device.hpp>
#include <whorl/prove.hpp>

#include <fmt/format.h>
#include <tbb/task_arena.h>

#include <bit>
#include <exception>
#include <new>
#include <optional>

#include "backend/cpu/columns.hpp"
#include "backend/cpu/cpu_backend.hpp"
#include "backend/gpu/prover.hpp"
#include "engine/check_traces.hpp"
#include "engine/devices.hpp"
#include "engine/verify_after.hpp"
#include "prover/limits.hpp"
#include "prover/prove.hpp"

namespace whorl {
namespace {

// Runs `work` on the threads that the options ask for; failures of the machine come back as errors.
template <class T, class Work>
Result<T> run_guarded(const ProverOptions& options, const char* stage, const Work& work) {
    try {
        tbb::task_arena arena(options.num_threads == 0 ? tbb::task_arena::automatic
                                                       : static_cast<int>(options.num_threads));
        return arena.execute(work);
    } catch (const std::bad_alloc&) {
        return Error{ErrorCode::kMachine, stage, "not enough memory"};
    } catch (const gpu::DeviceError& e) {
        return Error{ErrorCode::kMachine, stage, e.what()};
    } catch (const InputError& e) {
        return Error{ErrorCode::kInvalidArgument, stage, e.what()};
    } catch (const std::exception& e) {
        return Error{ErrorCode::kInternal, stage, e.what()};
    }
}

Result<void> check_input(const VerifyingKey& vk, const ProverOptions& options, std::span<const AirTrace> traces,
                         const char* stage) {
    return summarize(trace_problems(vk, traces, options.air_names, WordCheck::kCheck), stage);
}

}  // namespace

struct Prover::State {
    VerifyingKey vk;
    ProverOptions options;
    std::optional<gpu::GpuProver> gpu;  // none: the CPU
};

Prover::Prover(std::unique_ptr<State> state) : state_(std::move(state)) {}
Prover::Prover(Prover&&) noexcept = default;
Prover& Prover::operator=(Prover&&) noexcept = default;
Prover::~Prover() = default;

Result<Prover> Prover::create(VerifyingKey vk, const ProverOptions& options) {
    if (auto ok = check_key(vk); !ok) return ok.error();
    auto state = std::make_unique<State>();
    state->vk = std::move(vk);
    state->options = options;
    if (!is_cpu(options.device)) {
        auto runtime = run_guarded<std::unique_ptr<gpu::Runtime>>(
            options, "device", [&]() -> Result<std::unique_ptr<gpu::Runtime>> { return open_gpu(options.device); });
        if (!runtime) return runtime.error();
        std::optional<gpu::GenerationOptions> generation;
        if (options.constraints == ConstraintKernels::kGenerated) generation = {.timeout = options.compile_timeout};
        state->gpu.emplace(state->vk, *std::move(runtime), options.dispatch, generation);
    }
    return Prover(std::move(state));
}

Result<Proof> Prover::prove(std::span<const AirTrace> traces) {
    State& s = *state_;
    if (auto ok = check_input(s.vk, s.options, traces, "prove"); !ok) return ok.error();
    const auto make_proof = [&] {
        const ProverInput input = make_prover_input(s.vk, traces, s.options.telemetry);
        if (s.gpu) return s.gpu->prove(input);
        cpu::CpuBackend backend;
        return prove_on(backend, input);
    };
    return run_guarded<Proof>(s.options, "prove", [&]() -> Result<Proof> {
        Proof proof = make_proof();
        if (s.options.verify_after) {
            if (auto ok = verify_made(s.vk, traces, proof, s.options.telemetry); !ok) return ok.error();
        }
        return proof;
    });
}

Result<MemoryPlan> Prover::plan(std::span<const AirTrace> traces) {
    State& s = *state_;
    if (!s.gpu) {
        return Error{ErrorCode::kInvalidArgument, "plan",
                     "expected a GPU (sim, cuda), found cpu, which plans no memory"};
    }
    if (auto ok = check_input(s.vk, s.options, traces, "plan"); !ok) return ok.error();
    return run_guarded<MemoryPlan>(s.options, "plan",
                                   [&] { return s.gpu->plan(make_prover_input(s.vk, traces, nullptr)); });
}

Result<Proof> prove(const VerifyingKey& vk, std::span<const AirTrace> traces, const ProverOptions& options) {
    Result<Prover> prover = Prover::create(vk, options);
    if (!prover) return prover.error();
    return prover->prove(traces);
}

Result<MemoryPlan> plan_memory(const VerifyingKey& vk, std::span<const AirTrace> traces, const ProverOptions& options) {
    Result<Prover> prover = Prover::create(vk, options);
    if (!prover) return prover.error();
    return prover->plan(traces);
}

Result<MatrixCommitment> commit_matrix(const SystemParams& params, const Matrix& matrix, const ProverOptions& options) {
    if (auto ok = check_params(params); !ok) return ok.error();
    const auto bad = [](std::string message) {
        return Error{ErrorCode::kInvalidArgument, "commit_matrix", std::move(message)};
    };
    if (matrix.width() == 0) return bad("expected at least one column, found none");
    if (!std::has_single_bit(matrix.height()) || matrix.log_height() > params.log_stacked_height()) {
        return bad(fmt::format("expected a power of two up to 2^{} as height, found {}", params.log_stacked_height(),
                               matrix.height()));
    }
    const MatrixShape shape{static_cast<std::uint32_t>(matrix.width()), matrix.log_height()};
    if (stacked_width(params.l_skip, params.log_stacked_height(), std::span(&shape, 1)) > params.w_stack) {
        return bad(fmt::format("{} columns of height {} exceed the {} stacked columns allowed", matrix.width(),
                               matrix.height(), params.w_stack));
    }
    return run_guarded<MatrixCommitment>(options, "commit_matrix", [&] {
        const StackedLayout layout = stack_layout(params.l_skip, params.log_stacked_height(), std::span(&shape, 1));
        std::vector<const std::uint32_t*> words;
        for (std::size_t c = 0; c < matrix.width(); ++c) words.push_back(cpu::column_words(matrix, c));
        const cpu::CodeMatrix code = cpu::commit_stacked(params, layout, words, options.telemetry);
        return MatrixCommitment{code.root(), layout.width};
    });
}

}  // namespace whorl
