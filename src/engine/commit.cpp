#include "engine/commit.hpp"

#include <fmt/format.h>

#include <bit>
#include <limits>
#include <memory>
#include <utility>

#include <whorl/prove.hpp>

#include "backend/cpu/commitment.hpp"
#include "backend/cpu/memory.hpp"
#include "engine/check_traces.hpp"
#include "engine/run_guarded.hpp"
#include "machine/memory.hpp"
#include "proof/layout.hpp"

namespace whorl {
namespace {

// The width of the matrix once it is stacked.
Result<std::uint32_t> checked_stacked_width(const SystemParams& params, const Matrix& matrix) {
    if (auto ok = check_params(params); !ok) return std::move(ok).error();
    const auto bad = [](std::string message) {
        return Error{ErrorCode::kInvalidArgument, "commit_matrix", std::move(message)};
    };
    if (!matrix.is_valid()) return bad(fmt::format("the matrix {}", matrix.problem()));
    if (matrix.is_on_device()) {
        return bad(fmt::format("expected columns in the memory of the host, found {}", kDeviceColumns));
    }
    if (matrix.width() == 0) return bad("expected at least one column, found none");
    if (matrix.width() > std::numeric_limits<std::uint32_t>::max())
        return bad(fmt::format("expected less than 2^32 columns, found {}", matrix.width()));
    if (!std::has_single_bit(matrix.height()) || matrix.log_height() > params.log_stacked_height()) {
        return bad(fmt::format("expected a power of two up to 2^{} as height, found {}", params.log_stacked_height(),
                               matrix.height()));
    }
    const MatrixShape shape{static_cast<std::uint32_t>(matrix.width()), matrix.log_height()};
    const std::uint64_t width = stacked_width(params.l_skip, params.log_stacked_height(), std::span(&shape, 1));
    if (width > params.w_stack) {
        return bad(fmt::format("{} columns of height {} exceed the {} stacked columns allowed", matrix.width(),
                               matrix.height(), params.w_stack));
    }
    if (!all_are_elements(matrix.values())) return bad("expected field elements, found a word that is not below p");
    return static_cast<std::uint32_t>(width);
}

Result<void> check_memory_for(const SystemParams& params, std::uint32_t width) {
    return check_memory("commit_matrix", "this commitment", cpu::commitment_bytes(params, width));
}

Result<MatrixCommitment> commit(const SystemParams& params, const Matrix& matrix, Telemetry* telemetry) {
    const Result<std::uint32_t> width = checked_stacked_width(params, matrix);
    if (!width) return width.error();
    if (auto ok = check_memory_for(params, *width); !ok) return std::move(ok).error();
    const cpu::CommittedPart part(params, matrix, telemetry);
    return MatrixCommitment{part.commitment().root(), *width};
}

}  // namespace

Result<MatrixCommitment> commit_matrix(const SystemParams& params, const Matrix& matrix,
                                       const ProverOptions& options) noexcept {
    return run_guarded(options, "commit_matrix", nullptr, [&] { return commit(params, matrix, options.telemetry); });
}

Result<CommittedMatrix> checked_for_commitment(const SystemParams& params, Matrix matrix) {
    const Result<std::uint32_t> width = checked_stacked_width(params, matrix);
    if (!width) return width.error();
    auto state = std::make_shared<CommittedMatrix::State>(std::move(matrix), params);
    state->stacking_width = *width;
    return CommittedMatrix(std::move(state));
}

Result<Digest> commit_on_host(CommittedMatrix::State& parts, Telemetry* telemetry) {
    if (!parts.has_host_part()) {
        if (auto ok = check_memory_for(parts.params, parts.stacking_width); !ok) return std::move(ok).error();
    }
    return cpu::commitment_of(parts, telemetry).root();
}

Result<void> commit_parts_on_host(const ProverInput& input) {
    for (const CommitmentLayout& commitment : input.layout.commitments) {
        const CommittedMatrix* committed = input.committed(commitment.parts[0]);
        if (committed == nullptr) continue;
        if (auto ok = commit_on_host(*committed->state(), input.telemetry); !ok) return std::move(ok).error();
    }
    return {};
}

}  // namespace whorl
