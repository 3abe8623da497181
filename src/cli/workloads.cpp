#include "cli/workloads.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <utility>

#include <whorl/task.hpp>

#include "airs/block_shapes.hpp"
#include "cli/file_kind.hpp"
#include "cli/table.hpp"
#include "machine/memory.hpp"

namespace whorl::cli {

unsigned keccakf_log_height(std::size_t num_permutations) {
    const std::size_t num_rows = std::max<std::size_t>(num_permutations * KeccakColumns::kNumRounds, 1);
    return static_cast<unsigned>(std::bit_width(num_rows - 1));
}

unsigned keccakf_log_stacked_height(std::size_t num_permutations) {
    return std::clamp(keccakf_log_height(num_permutations) + 6, kMinAppLogStackedHeight, kMaxAppLogStackedHeight);
}

Result<std::vector<KeccakState>> read_keccak_inputs(const Session& session, const std::string& path) {
    constexpr std::size_t kStateBytes = sizeof(KeccakState);
    Result<std::vector<std::byte>> bytes =
        session.read(path, {.max_bytes = kMaxPermutations * kStateBytes, .content = "a file of keccak-f inputs"});
    if (!bytes) return std::move(bytes).error();
    if (bytes->empty() || bytes->size() % kStateBytes != 0) {
        Error error{.code = ErrorCode::kBadFormat,
                    .stage = "keccakf.inputs",
                    .message = fmt::format("{} has {} bytes, expected a multiple of {} (25 little-endian u64 for each "
                                           "permutation)",
                                           shown_path(path, "standard input"), bytes->size(), kStateBytes)};
        return with_kind(std::move(error), *bytes, "keccak-f inputs");
    }
    std::vector<KeccakState> inputs(bytes->size() / kStateBytes);
    std::size_t offset = 0;
    for (KeccakState& state : inputs) {
        for (std::uint64_t& word : state) {
            for (unsigned i = 0; i < sizeof(word); ++i) {
                word |= std::to_integer<std::uint64_t>((*bytes)[offset++]) << (8 * i);
            }
        }
    }
    return inputs;
}

namespace {

// Trace and codeword alone, whatever the prover adds, which it checks itself: before the trace is made.
Result<void> check_trace_memory(const std::string& name, std::uint64_t num_cells, const SystemParams& params) {
    return check_memory("memory", name, num_cells * sizeof(Fp) * (1 + (std::uint64_t{1} << params.log_blowup)));
}

Error stacked_too_low(unsigned log_height, unsigned log_stacked_height) {
    return {.code = ErrorCode::kInvalidArgument,
            .stage = "--log-stacked-height",
            .message = fmt::format("expected at least {}, log2 of the tallest trace, found {}", log_height,
                                   log_stacked_height)};
}

}  // namespace

Result<Workload> make_workload(Session& session, std::string name, const AirTask& task) {
    Workload workload;
    workload.name = std::move(name);
    {
        const Span span(&session.telemetry(), "keygen");
        Result<ProvingKey> key = keygen(task.params, task.airs);
        if (!key) return std::move(key).error();
        workload.key = *std::move(key);
    }
    const Span span(&session.telemetry(), "generate_trace");
    workload.traces = task.make_traces();
    return workload;
}

Result<Workload> keccakf_workload(Session& session, std::vector<KeccakState> inputs, unsigned log_stacked_height) {
    std::string name = fmt::format("keccakf_{}", inputs.size());
    const Result<SystemParams> params = app_params_100_bits(log_stacked_height);
    if (!params) return params.error();
    const std::uint64_t num_cells = std::uint64_t{KeccakColumns::kWidth} << keccakf_log_height(inputs.size());
    if (auto fits = check_trace_memory(name, num_cells, *params); !fits) return std::move(fits).error();
    return make_workload(session, std::move(name), keccak_task(std::move(inputs), *params));
}

Result<Workload> logup_workload(Session& session, unsigned log_height) {
    constexpr std::uint64_t kNumColumns = 4 + 7 + 8 + 8 + 10 + 100;
    std::string name = fmt::format("logup_2e{}", log_height);
    const Result<SystemParams> params = app_params_100_bits(kLogupLogStackedHeight);
    if (!params) return params.error();
    if (auto fits = check_trace_memory(name, kNumColumns << log_height, *params); !fits) return std::move(fits).error();
    return make_workload(session, std::move(name), logup_task(log_height, *params));
}

Result<Workload> block_workload(Session& session, std::size_t proof, const BlockTaskOptions& options) {
    const auto heights = log_heights(block_proofs()[proof]);
    const unsigned tallest = scaled_log_height(static_cast<unsigned>(std::ranges::max(heights)), options.scale);
    if (options.log_stacked_height && *options.log_stacked_height < tallest) {
        return stacked_too_low(tallest, *options.log_stacked_height);
    }
    const AirTask task = block_task(proof, options);
    std::uint64_t num_cells = 0;
    for (std::size_t i = 0; i < heights.size(); ++i) {
        if (heights[i] < 0) continue;
        const AirShape& air = block_keys()[block_proofs()[proof].key][i];
        num_cells += std::uint64_t{air.common_main_width + air.cached_width}
                     << scaled_log_height(static_cast<unsigned>(heights[i]), options.scale);
    }
    if (auto fits = check_trace_memory(task.name, num_cells, task.params); !fits) {
        Error error = std::move(fits).error();
        error.message += "; --scale makes traces shorter";
        return error;
    }
    return make_workload(session, task.name, task);
}

Result<Workload> shape_workload(Session& session, const ShapeTaskOptions& options) {
    if (options.num_constraints == 0 && options.num_interactions == 0) {
        return Error{.code = ErrorCode::kInvalidArgument,
                     .stage = "--num-constraints",
                     .message = "an AIR has constraints or interactions, and neither are asked for"};
    }
    if (options.log_stacked_height && *options.log_stacked_height < options.log_height) {
        return stacked_too_low(options.log_height, *options.log_stacked_height);
    }
    const AirTask task = shape_task(options);
    const std::uint64_t num_cells = std::uint64_t{options.num_airs} * options.num_columns << options.log_height;
    if (auto fits = check_trace_memory(task.name, num_cells, task.params); !fits) return std::move(fits).error();
    return make_workload(session, task.name, task);
}

Result<Workload> task_workload(const std::string& folder) {
    Result<Task> task = load_task(folder);
    if (!task) return std::move(task).error();
    Workload workload{.name = task->name, .key = {}, .traces = std::move(task->traces)};
    workload.key.vk = std::move(task->vk);
    workload.key.air_names = std::move(task->air_names);
    return workload;
}

Result<void> save_workload(Workload&& workload, const std::string& folder) {
    Task task{.name = std::move(workload.name),
              .vk = std::move(workload.key.vk),
              .air_names = std::move(workload.key.air_names),
              .traces = std::move(workload.traces)};
    for (AirTrace& trace : task.traces) {
        std::optional<Matrix>& columns = workload.key.preprocessed[trace.air_id];
        if (columns && !trace.preprocessed) trace.preprocessed = *std::move(columns);
    }
    return save_task(task, folder);
}

}  // namespace whorl::cli
