#include <whorl/air.hpp>
#include <whorl/device.hpp>
#include <whorl/prove.hpp>

#include <fmt/format.h>

#include <atomic>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "air/committed_matrix.hpp"
#include "backend/cpu/cpu_backend.hpp"
#include "backend/cpu/memory.hpp"
#include "backend/gpu/prover.hpp"
#include "backend/gpu/traces.hpp"
#include "engine/check_traces.hpp"
#include "engine/commit.hpp"
#include "engine/devices.hpp"
#include "engine/run_guarded.hpp"
#include "engine/verify_after.hpp"
#include "machine/guard.hpp"
#include "machine/memory.hpp"
#include "machine/page_pool.hpp"
#include "prover/prove.hpp"

namespace whorl {
namespace {

// Marks a prover as at work, unless it is.
class Turn {
public:
    explicit Turn(std::atomic<bool>& is_at_work) : is_at_work_(is_at_work), is_mine_(!is_at_work.exchange(true)) {}
    ~Turn() {
        if (is_mine_) is_at_work_ = false;
    }
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;
    bool is_mine() const { return is_mine_; }

private:
    std::atomic<bool>& is_at_work_;
    bool is_mine_;
};

Error at_work(const char* stage) noexcept {
    return guarded_error(ErrorCode::kInvalidArgument, stage,
                         "this prover is at work in another call, which has not returned; it takes one call at a time, "
                         "and none from its own progress function");
}

Error moved_from(const char* stage) noexcept {
    return guarded_error(ErrorCode::kInvalidArgument, stage,
                         "this prover was moved from; make one with Prover::create");
}

}  // namespace

struct Prover::State {
    std::atomic<bool> is_at_work = false;
    VerifyingKey vk;
    ProverOptions options;
    std::optional<gpu::GpuProver> gpu;                   // none: the CPU
    std::vector<std::optional<TracePart>> preprocessed;  // by AIR, or empty: those of the traces are taken

    Result<void> check(std::span<const AirTrace> traces, const char* stage) {
        PlaceProblem place_problem;
        if (gpu) place_problem = [&](const Matrix& matrix) { return gpu::place_problem(gpu->device(), matrix); };
        return summarize(trace_problems(vk, traces, options.air_names, options.notes, WordCheck::kCheck, preprocessed,
                                        place_problem),
                         stage);
    }
    // Precondition: a GPU that has it.
    Matrix copy_to_host(const Matrix& matrix) { return gpu::copy_to_host(gpu->device(), matrix); }
    Telemetry* telemetry_of(const ProveControl& control) const {
        return control.telemetry != nullptr ? control.telemetry : options.telemetry;
    }
    ProverInput input(std::span<const AirTrace> traces, Telemetry* telemetry) const {
        return make_prover_input(vk, traces, telemetry, preprocessed);
    }
    Result<Proof> prove(const ProverInput& input, std::uint64_t memory_limit_bytes);
    Result<CommittedMatrix> commit(Matrix matrix, Telemetry* telemetry) {
        if (gpu && matrix.is_on_device()) {
            if (const std::string found = gpu::place_problem(gpu->device(), matrix); !found.empty()) {
                return Error{ErrorCode::kInvalidArgument, "commit_matrix",
                             fmt::format("expected columns in the memory of the prover's device, found {}", found)};
            }
            matrix = copy_to_host(matrix);
        }
        Result<CommittedMatrix> committed = checked_for_commitment(vk.params, std::move(matrix));
        if (!committed) return committed;
        CommittedMatrix::State& parts = *committed->state();
        const Result<Digest> root = gpu ? Result<Digest>(gpu->commit(*committed)) : commit_on_host(parts, telemetry);
        if (!root) return root.error();
        parts.commit = *root;
        return committed;
    }
    Result<void> take_preprocessed(ProvingKey& key);
};

// Commits to the preprocessed columns of `key`.
Result<void> Prover::State::take_preprocessed(ProvingKey& key) {
    const auto bad = [&](std::size_t air_id, std::string_view what) {
        return Error{ErrorCode::kInvalidArgument, "prove",
                     fmt::format("{}: {}; use a ProvingKey as keygen returned it",
                                 air_place(static_cast<std::uint32_t>(air_id), options.air_names), what)};
    };
    preprocessed.resize(vk.airs.size());
    for (std::size_t i = 0; i < vk.airs.size(); ++i) {
        std::optional<Matrix> columns = i < key.preprocessed.size() ? std::move(key.preprocessed[i]) : std::nullopt;
        if (columns.has_value() != vk.airs[i].preprocessed.has_value()) {
            return bad(i, columns ? "expected no preprocessed columns, found some"
                                  : "expected the preprocessed columns that the key commits to, found none");
        }
        if (!columns) continue;
        Result<CommittedMatrix> committed = commit(*std::move(columns), options.telemetry);
        if (!committed) return std::move(committed).error();
        const Digest& expected = vk.airs[i].preprocessed->commit;
        if (committed->commit() != expected) {
            return bad(i, preprocessed_mismatch(committed->commit(), expected));
        }
        preprocessed[i] = *std::move(committed);
    }
    return {};
}

Prover::Prover(std::unique_ptr<State> state) : state_(std::move(state)) {}
Prover::Prover(Prover&&) noexcept = default;
Prover& Prover::operator=(Prover&&) noexcept = default;
Prover::~Prover() = default;

// With the parts of `key` that its vk is not, where there is one.
Result<Prover> Prover::create(const VerifyingKey& vk, ProvingKey* key, const ProverOptions& options) noexcept {
    return run_guarded(options, "prove", nullptr, [&]() -> Result<Prover> {
        if (auto ok = check_key(vk); !ok) return std::move(ok).error();
        auto state = std::make_unique<State>();
        state->vk = vk;
        state->options = options;
        if (key != nullptr && options.air_names.empty()) {
            state->options.air_names = std::move(key->air_names);
            state->options.notes = std::move(key->notes);
        }
        if (!is_cpu(options.device)) {
            Result<std::unique_ptr<gpu::Runtime>> runtime = open_gpu(options.device);
            if (!runtime) return std::move(runtime).error();
            std::optional<gpu::GenerationOptions> generation;
            if (options.constraints == ConstraintKernels::kGenerated) generation = {.timeout = options.compile_timeout};
            state->gpu.emplace(state->vk, *std::move(runtime), options.dispatch, generation);
        }
        if (key != nullptr) {
            if (auto ok = state->take_preprocessed(*key); !ok) return std::move(ok).error();
        }
        return Prover(std::move(state));
    });
}

Result<Prover> Prover::create(const VerifyingKey& vk, const ProverOptions& options) noexcept {
    return create(vk, nullptr, options);
}

Result<Prover> Prover::create(ProvingKey&& key, const ProverOptions& options) noexcept {
    return create(key.vk, &key, options);
}

Result<Prover> Prover::create(const ProvingKey& key, const ProverOptions& options) noexcept {
    return guarded("prove", [&] { return create(ProvingKey(key), options); });
}

Result<Proof> Prover::State::prove(const ProverInput& input, std::uint64_t memory_limit_bytes) {
    const auto check_limit = [&](const MemoryPlan& plan) -> Result<void> {
        if (memory_limit_bytes == 0 || plan.device_bytes <= memory_limit_bytes) return {};
        const auto [needed, limit] = human_bytes_apart(plan.device_bytes, memory_limit_bytes);
        return Error{
            ErrorCode::kMachine, "prove",
            fmt::format("a proof of these traces needs {}, the call's limit is {} (memory_limit_bytes); shorter "
                        "traces need less",
                        needed, limit)};
    };
    if (gpu) {
        if (memory_limit_bytes != 0) {
            if (auto ok = check_limit(gpu->plan(input)); !ok) return std::move(ok).error();
        }
        return gpu->prove(input);
    }
    if (auto ok = commit_parts_on_host(input); !ok) return std::move(ok).error();
    const MemoryPlan plan = cpu::plan_memory(input);
    if (auto ok = check_limit(plan); !ok) return std::move(ok).error();
    if (auto ok = check_memory("prove", "a proof of these traces", plan.device_bytes); !ok) {
        return std::move(ok).error();
    }
    const PagePoolUse pages;
    cpu::CpuBackend backend;
    return prove_on(backend, input);
}

Result<Proof> Prover::prove(std::span<const AirTrace> traces, const ProveControl& control) noexcept {
    if (state_ == nullptr) return moved_from("prove");
    State& s = *state_;
    const Turn turn(s.is_at_work);
    if (!turn.is_mine()) return at_work("prove");
    return run_guarded(s.options, "prove", control.stop, [&]() -> Result<Proof> {
        if (auto ok = s.check(traces, "prove"); !ok) return std::move(ok).error();
        Telemetry* const telemetry = s.telemetry_of(control);
        ProverInput input = s.input(traces, telemetry);
        ProgressMeter progress(control.progress, estimate_work(input));
        input.progress = &progress;
        const Transcript start = control.transcript != nullptr ? *control.transcript : Transcript();
        Transcript end = start;
        input.transcript = &end;
        try {
            Result<Proof> proof = s.prove(input, control.memory_limit_bytes);
            if (!proof) return proof;
            if (s.options.verify_after) {
                const auto to_host = [&](const Matrix& matrix) { return s.copy_to_host(matrix); };
                if (auto ok = verify_made(s.vk, traces, s.preprocessed, s.options, *proof, start, telemetry, to_host);
                    !ok)
                    return std::move(ok).error();
            }
            if (control.transcript != nullptr) *control.transcript = end;
            return proof;
        } catch (const InputError& e) {
            return Error{ErrorCode::kInvalidArgument, "prove",
                         fmt::format("{}, {}", air_place(e.air_id, s.options.air_names), e.what())};
        }
    });
}

Result<CommittedMatrix> Prover::commit(const Matrix& matrix, const ProveControl& control) noexcept {
    return guarded("commit_matrix", [&] { return commit(Matrix(matrix), control); });
}

Result<CommittedMatrix> Prover::commit(Matrix&& matrix, const ProveControl& control) noexcept {
    if (state_ == nullptr) return moved_from("commit_matrix");
    const Turn turn(state_->is_at_work);
    if (!turn.is_mine()) return at_work("commit_matrix");
    return run_guarded(state_->options, "commit_matrix", control.stop, [&]() -> Result<CommittedMatrix> {
        const auto tell = [&](double fraction) {
            if (control.progress) control.progress({.fraction = fraction, .stage = "commit_matrix"});
        };
        tell(0);
        Result<CommittedMatrix> committed = state_->commit(std::move(matrix), state_->telemetry_of(control));
        if (committed) tell(1);
        return committed;
    });
}

Result<MemoryPlan> Prover::plan(std::span<const AirTrace> traces) noexcept {
    if (state_ == nullptr) return moved_from("plan");
    State& s = *state_;
    const Turn turn(s.is_at_work);
    if (!turn.is_mine()) return at_work("plan");
    return run_guarded(s.options, "plan", nullptr, [&]() -> Result<MemoryPlan> {
        if (auto ok = s.check(traces, "plan"); !ok) return std::move(ok).error();
        const ProverInput input = s.input(traces, nullptr);
        return s.gpu ? s.gpu->plan(input) : cpu::plan_memory(input);
    });
}

Result<Proof> prove(const VerifyingKey& vk, std::span<const AirTrace> traces, const ProverOptions& options,
                    const ProveControl& control) noexcept {
    Result<Prover> prover = Prover::create(vk, options);
    if (!prover) return std::move(prover).error();
    return prover->prove(traces, control);
}

Result<MemoryPlan> plan_memory(const VerifyingKey& vk, std::span<const AirTrace> traces,
                               const ProverOptions& options) noexcept {
    Result<Prover> prover = Prover::create(vk, options);
    if (!prover) return std::move(prover).error();
    return prover->plan(traces);
}

}  // namespace whorl
