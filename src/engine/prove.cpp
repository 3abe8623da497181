#include <whorl/prove.hpp>

#include <fmt/format.h>
#include <tbb/task_arena.h>

#include <exception>
#include <new>

#include "backend/cpu/columns.hpp"
#include "backend/cpu/cpu_backend.hpp"
#include "prover/prove.hpp"

namespace whorl {
namespace {

// The prover works with whole skip domains in cache, and with polynomials in Z term by term.
constexpr std::uint32_t kMaxLSkip = 10;

// Runs `work` on the threads that the options ask for; failures of the machine come back as errors.
template <class T, class Work>
Result<T> run_on_cpu(const ProverOptions& options, const char* stage, const Work& work) {
    if (options.device != "cpu") {
        return Error{ErrorCode::kMachine, stage,
                     fmt::format("device \"{}\" is not available; available: cpu", options.device)};
    }
    try {
        tbb::task_arena arena(options.num_threads == 0 ? tbb::task_arena::automatic
                                                       : static_cast<int>(options.num_threads));
        return arena.execute(work);
    } catch (const std::bad_alloc&) {
        return Error{ErrorCode::kMachine, stage, "not enough memory"};
    } catch (const std::exception& e) {
        return Error{ErrorCode::kInternal, stage, e.what()};
    }
}

}  // namespace

Result<Proof> prove(const VerifyingKey& vk, std::span<const AirTrace> traces, const ProverOptions& options) {
    if (auto ok = check_params(vk.params); !ok) return ok.error();
    if (vk.params.l_skip > kMaxLSkip) {
        return Error{ErrorCode::kInvalidArgument, "prove",
                     fmt::format("expected l_skip of at most {}, found {}", kMaxLSkip, vk.params.l_skip)};
    }
    if (auto ok = check_traces(vk, traces); !ok) return ok.error();
    return run_on_cpu<Proof>(options, "prove", [&] {
        const ProverInput input = make_prover_input(vk, traces, options.telemetry);
        cpu::CpuBackend backend;
        return prove_on(backend, input);
    });
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
    return run_on_cpu<MatrixCommitment>(options, "commit_matrix", [&] {
        const StackedLayout layout = stack_layout(params.l_skip, params.log_stacked_height(), std::span(&shape, 1));
        std::vector<const std::uint32_t*> words;
        for (std::size_t c = 0; c < matrix.width(); ++c) words.push_back(cpu::column_words(matrix, c));
        const cpu::CodeMatrix code = cpu::commit_stacked(params, layout, words, options.telemetry);
        return MatrixCommitment{code.root(), layout.width};
    });
}

}  // namespace whorl
