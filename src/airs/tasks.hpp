// Whole tasks, ready for keygen and prove: those of the test vectors by name, and the two benchmarks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <whorl/air.hpp>
#include <whorl/params.hpp>
#include <whorl/trace.hpp>

#include "airs/keccak.hpp"

namespace whorl {

/// AIRs with parameters and traces. Traces are made on demand: those of a benchmark take seconds and hundreds of MB.
struct AirTask {
    std::string name;
    SystemParams params;
    std::vector<AnyAir> airs;
    std::function<std::vector<AirTrace>()> make_traces;
};

/// The names under tests/vectors, in alphabetical order.
std::span<const std::string_view> vector_task_names();
/// The task a vector was made from; nothing for an unknown name.
std::optional<AirTask> vector_task(std::string_view name);

/// Proves keccak-f on `inputs`.
AirTask keccak_task(std::vector<KeccakState> inputs, const SystemParams& params);

/// The LogUp benchmark: self-interaction AIRs, all 2^log_height high, on bus 4.
AirTask logup_task(unsigned log_height, const SystemParams& params,
                   const std::vector<std::uint32_t>& widths = {4, 7, 8, 8, 10, 100});

inline constexpr unsigned kMaxBlockScale = 22;  ///< more changes nothing
struct BlockTaskOptions {
    unsigned scale = 0;
    std::optional<unsigned> log_stacked_height = {};  ///< none: that of the block by 2^scale
};
/// log2 of a height of the block divided by 2^scale, at least 0.
constexpr unsigned scaled_log_height(unsigned log_height, unsigned scale) {
    return log_height - (scale < log_height ? scale : log_height);
}
/// Proof `proof` of the block (block_shapes.hpp) with AIRs of its shapes and random traces (ShapedAir), and the published parameters of
/// its kind. Heights are those of the block by 2^scale: traces have at least one row, a stacked column at least
/// 2^kMinAppLogStackedHeight.
/// Preconditions: proof < block_proofs().size(), log_stacked_height from kMinAppLogStackedHeight to kMaxAppLogStackedHeight.
AirTask block_task(std::size_t proof, const BlockTaskOptions& options);

/// AIRs alike, whose columns, constraints and interactions are numbers of one AIR's.
struct ShapeTaskOptions {
    std::uint32_t num_airs = 1;
    std::uint32_t num_columns = 100;     ///< at least 2
    std::uint32_t num_constraints = 50;  ///< of degree up to 3
    std::uint32_t num_interactions = 10;
    std::uint32_t num_buses = 1;  ///< up to 65,536; interactions are on each in turn
    std::uint32_t seed = 0;       ///< of the columns
    unsigned log_height = 14;
    std::optional<unsigned> log_stacked_height = {};  ///< none: some 64 stacked columns, and at least log_height
};
/// Precondition: a constraint or an interaction.
AirTask shape_task(const ShapeTaskOptions& options);

}  // namespace whorl
