// The shapes of the proofs of a real Ethereum block: widths, constraints, interactions and heights of all its traces.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace whorl {

/// Interactions alike that follow one another.
struct InteractionRun {
    std::uint16_t bus_index;
    std::uint16_t message_length;
    std::uint8_t count_weight;
    std::uint16_t count;  ///< how many interactions
};

struct AirShape {
    std::string_view name;
    std::uint32_t common_main_width;
    std::uint32_t cached_width;  ///< of its only cached part; 0: none
    std::uint32_t num_constraints;
    std::uint32_t max_degree;  ///< of constraints, messages and counts
    std::span<const InteractionRun> interactions;
};

/// A proof of the block.
struct BlockProof {
    std::uint8_t key;            ///< into block_keys()
    std::uint16_t first_height;  ///< for log_heights()
};

/// The AIRs of each key: that of app segments, that of the proofs that verify those, that of the proofs that verify these.
std::span<const std::span<const AirShape>> block_keys();
std::span<const BlockProof> block_proofs();
/// Of the app proofs that with the median number of cells, 426 M.
inline constexpr std::size_t kMedianAppProof = 118;
/// log2 of the trace height of each AIR of the proof's key; -1: no trace.
std::span<const std::int8_t> log_heights(const BlockProof& proof);

}  // namespace whorl
