#include <whorl/device.hpp>
#include <whorl/prove.hpp>

#include <fmt/format.h>

#include <bit>
#include <limits>
#include <optional>

#include "backend/cpu/columns.hpp"
#include "backend/cpu/cpu_backend.hpp"
#include "backend/cpu/memory.hpp"
#include "backend/gpu/prover.hpp"
#include "engine/check_traces.hpp"
#include "engine/devices.hpp"
#include "engine/verify_after.hpp"
#include "machine/guard.hpp"
#include "machine/memory.hpp"
#include "machine/page_pool.hpp"
#include "prover/prove.hpp"
#include "threads/thread_team.hpp"

namespace whorl {
namespace {

// Runs `work`, which returns a Result, on the threads that the options ask for; failures of the machine come back as errors.
template <class Work>
auto run_guarded(const ProverOptions& options, const char* stage, const Work& work) noexcept -> decltype(work()) {
    return guarded(stage, [&]() -> decltype(work()) {
        if (options.num_threads > kMaxThreads) {
            return Error{ErrorCode::kInvalidArgument, stage,
                         fmt::format("expected at most {} threads, found {}", kMaxThreads, options.num_threads)};
        }
        return ThreadTeam(options.num_threads).run(work);
    });
}

Result<void> check_input(const VerifyingKey& vk, const ProverOptions& options, std::span<const AirTrace> traces,
                         const char* stage) {
    return summarize(trace_problems(vk, traces, options.air_names, options.notes, WordCheck::kCheck), stage);
}

Error moved_from(const char* stage) noexcept {
    return guarded_error(ErrorCode::kInvalidArgument, stage,
                         "this prover was moved from; make one with Prover::create");
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

Result<Prover> Prover::create(const VerifyingKey& vk, const ProverOptions& options) noexcept {
    return run_guarded(options, "prove", [&]() -> Result<Prover> {
        if (auto ok = check_key(vk); !ok) return std::move(ok).error();
        auto state = std::make_unique<State>();
        state->vk = vk;
        state->options = options;
        if (!is_cpu(options.device)) {
            Result<std::unique_ptr<gpu::Runtime>> runtime = open_gpu(options.device);
            if (!runtime) return std::move(runtime).error();
            std::optional<gpu::GenerationOptions> generation;
            if (options.constraints == ConstraintKernels::kGenerated) generation = {.timeout = options.compile_timeout};
            state->gpu.emplace(state->vk, *std::move(runtime), options.dispatch, generation);
        }
        return Prover(std::move(state));
    });
}

Result<Proof> Prover::prove(std::span<const AirTrace> traces) noexcept {
    if (state_ == nullptr) return moved_from("prove");
    State& s = *state_;
    const auto make_proof = [&]() -> Result<Proof> {
        const ProverInput input = make_prover_input(s.vk, traces, s.options.telemetry);
        if (s.gpu) return s.gpu->prove(input);
        if (auto ok = check_memory("prove", "a proof of these traces", cpu::peak_bytes(input)); !ok) {
            return std::move(ok).error();
        }
        const PagePoolUse pages;
        cpu::CpuBackend backend;
        return prove_on(backend, input);
    };
    return run_guarded(s.options, "prove", [&]() -> Result<Proof> {
        if (auto ok = check_input(s.vk, s.options, traces, "prove"); !ok) return std::move(ok).error();
        try {
            Result<Proof> proof = make_proof();
            if (!proof || !s.options.verify_after) return proof;
            if (auto ok = verify_made(s.vk, traces, s.options, *proof); !ok) return std::move(ok).error();
            return proof;
        } catch (const InputError& e) {
            return Error{ErrorCode::kInvalidArgument, "prove",
                         fmt::format("{}, {}", air_place(e.air_id, s.options.air_names), e.what())};
        }
    });
}

Result<MemoryPlan> Prover::plan(std::span<const AirTrace> traces) noexcept {
    if (state_ == nullptr) return moved_from("plan");
    State& s = *state_;
    return run_guarded(s.options, "plan", [&]() -> Result<MemoryPlan> {
        if (!s.gpu) {
            return Error{ErrorCode::kInvalidArgument, "plan",
                         "expected a GPU, found cpu, which plans no memory; choose another device (--device sim is "
                         "always there)"};
        }
        if (auto ok = check_input(s.vk, s.options, traces, "plan"); !ok) return std::move(ok).error();
        return s.gpu->plan(make_prover_input(s.vk, traces, nullptr));
    });
}

Result<Proof> prove(const VerifyingKey& vk, std::span<const AirTrace> traces, const ProverOptions& options) noexcept {
    Result<Prover> prover = Prover::create(vk, options);
    if (!prover) return std::move(prover).error();
    return prover->prove(traces);
}

Result<MemoryPlan> plan_memory(const VerifyingKey& vk, std::span<const AirTrace> traces,
                               const ProverOptions& options) noexcept {
    Result<Prover> prover = Prover::create(vk, options);
    if (!prover) return std::move(prover).error();
    return prover->plan(traces);
}

namespace {

Result<MatrixCommitment> commit(const SystemParams& params, const Matrix& matrix, const ProverOptions& options) {
    if (auto ok = check_params(params); !ok) return std::move(ok).error();
    const auto bad = [](std::string message) {
        return Error{ErrorCode::kInvalidArgument, "commit_matrix", std::move(message)};
    };
    if (!matrix.is_valid()) return bad(fmt::format("the matrix {}", matrix.problem()));
    if (matrix.width() == 0) return bad("expected at least one column, found none");
    if (matrix.width() > std::numeric_limits<std::uint32_t>::max())
        return bad(fmt::format("expected less than 2^32 columns, found {}", matrix.width()));
    if (!std::has_single_bit(matrix.height()) || matrix.log_height() > params.log_stacked_height()) {
        return bad(fmt::format("expected a power of two up to 2^{} as height, found {}", params.log_stacked_height(),
                               matrix.height()));
    }
    const MatrixShape shape{static_cast<std::uint32_t>(matrix.width()), matrix.log_height()};
    if (stacked_width(params.l_skip, params.log_stacked_height(), std::span(&shape, 1)) > params.w_stack) {
        return bad(fmt::format("{} columns of height {} exceed the {} stacked columns allowed", matrix.width(),
                               matrix.height(), params.w_stack));
    }
    const StackedLayout layout = stack_layout(params.l_skip, params.log_stacked_height(), std::span(&shape, 1));
    if (auto ok = check_memory("commit_matrix", "this commitment", cpu::commitment_bytes(params, layout.width)); !ok)
        return std::move(ok).error();
    std::vector<const std::uint32_t*> words;
    for (std::size_t c = 0; c < matrix.width(); ++c) words.push_back(cpu::column_words(matrix, c));
    const cpu::StackedCommitment commitment(params, layout, std::move(words), options.telemetry);
    return MatrixCommitment{commitment.root(), layout.width};
}

}  // namespace

Result<MatrixCommitment> commit_matrix(const SystemParams& params, const Matrix& matrix,
                                       const ProverOptions& options) noexcept {
    return run_guarded(options, "commit_matrix", [&] { return commit(params, matrix, options); });
}

}  // namespace whorl
