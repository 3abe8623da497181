#include "cli/workloads.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <utility>

#include "airs/small.hpp"
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

Result<Workload> keccakf_workload(Session& session, std::span<const KeccakState> inputs, unsigned log_stacked_height) {
    Workload workload;
    workload.name = fmt::format("keccakf_{}", inputs.size());
    {
        const Span span(&session.telemetry(), "keygen");
        const std::array<AnyAir, 1> airs{KeccakAir{}};
        Result<ProvingKey> key = keygen(app_params_100_bits(log_stacked_height), airs);
        if (!key) return std::move(key).error();
        workload.key = *std::move(key);
    }
    Span span(&session.telemetry(), "generate_trace");
    workload.traces.emplace_back();
    workload.traces.back().common_main = keccak_trace(inputs);
    span.set("rows", static_cast<std::int64_t>(workload.traces.back().height()));
    return workload;
}

Result<Workload> logup_workload(Session& session, unsigned log_height) {
    constexpr std::array<std::uint32_t, 6> kWidths{4, 7, 8, 8, 10, 100};
    constexpr std::uint16_t kBusIndex = 4;
    Workload workload;
    workload.name = fmt::format("logup_2e{}", log_height);
    {
        const Span span(&session.telemetry(), "keygen");
        std::vector<AnyAir> airs;
        for (const std::uint32_t width : kWidths) {
            airs.emplace_back(SelfInteractionAir{.num_columns = width, .bus_index = kBusIndex});
        }
        Result<ProvingKey> key = keygen(app_params_100_bits(kLogupLogStackedHeight), airs);
        if (!key) return std::move(key).error();
        workload.key = *std::move(key);
    }
    const Span span(&session.telemetry(), "generate_trace");
    for (std::uint32_t air_id = 0; air_id < kWidths.size(); ++air_id) {
        workload.traces.push_back(self_interaction_trace(air_id, kWidths[air_id], log_height));
    }
    return workload;
}

}  // namespace whorl::cli
