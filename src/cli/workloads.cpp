#include "cli/workloads.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <utility>

#include "engine/files.hpp"

namespace whorl::cli {

unsigned keccakf_log_height(std::size_t num_permutations) {
    const std::size_t num_rows = std::max<std::size_t>(num_permutations * KeccakColumns::kNumRounds, 1);
    return static_cast<unsigned>(std::bit_width(num_rows - 1));
}

unsigned keccakf_log_stacked_height(std::size_t num_permutations) {
    return std::clamp(keccakf_log_height(num_permutations) + 6, 10U, 24U);
}

Result<std::vector<KeccakState>> read_keccak_inputs(const std::string& path) {
    constexpr std::size_t kStateBytes = sizeof(KeccakState);
    Result<std::vector<std::byte>> bytes = read_file(path);
    if (!bytes) return std::move(bytes).error();
    if (bytes->empty() || bytes->size() % kStateBytes != 0) {
        return Error{.code = ErrorCode::kBadFormat,
                     .stage = "keccakf.inputs",
                     .message = fmt::format("{} has {} bytes, expected a multiple of {} (25 little-endian u64 for each "
                                            "permutation)",
                                            path, bytes->size(), kStateBytes)};
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
    return make_workload(session, std::move(name),
                         keccak_task(std::move(inputs), app_params_100_bits(log_stacked_height)));
}

Result<Workload> logup_workload(Session& session, unsigned log_height) {
    return make_workload(session, fmt::format("logup_2e{}", log_height),
                         logup_task(log_height, app_params_100_bits(kLogupLogStackedHeight)));
}

}  // namespace whorl::cli
