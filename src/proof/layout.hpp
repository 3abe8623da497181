// Where everything lies, as far as key and heights decide it: the order of traces, the commitments, the stacked columns
// (PROTOCOL.md section 9) and the LogUp table (section 12). Prover and verifier both start from it.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <whorl/key.hpp>
#include <whorl/trace.hpp>

namespace whorl {

/// One trace column's slice of a stacked matrix: max(2^log_height, 2^l_skip) cells of column `stacked_column` from
/// `row`. A short column (log_height < l_skip) is strided: value i at row + i·2^(l_skip − log_height).
struct StackedSlice {
    std::uint32_t matrix = 0;  ///< index into the list given to stack_layout
    std::uint32_t column = 0;  ///< column within that matrix
    std::uint32_t stacked_column = 0;
    std::uint32_t row = 0;
    std::uint32_t log_height = 0;
};

struct StackedLayout {
    std::vector<StackedSlice> slices;  ///< matrix by matrix, column by column
    std::uint32_t width = 0;           ///< number of stacked columns
};

struct MatrixShape {
    std::uint32_t width = 0;
    std::uint32_t log_height = 0;
};

/// Stacks `matrices`, given by descending height, into columns of 2^log_stacked_height cells.
StackedLayout stack_layout(unsigned l_skip, unsigned log_stacked_height, std::span<const MatrixShape> matrices);
/// One matrix alone, as a preprocessed or cached part is committed.
StackedLayout stack_layout(const SystemParams& params, const Matrix& matrix);
/// The width of stack_layout without making the slices: for checks before memory is taken.
std::uint64_t stacked_width(unsigned l_skip, unsigned log_stacked_height, std::span<const MatrixShape> matrices);

/// A present AIR's place in the proof.
struct SortedTrace {
    std::uint32_t air_id = 0;
    std::uint32_t log_height = 0;
};

/// Which part of a trace a matrix is, in proof order: common main, preprocessed, cached 0, cached 1, …
struct PartRef {
    enum class Kind : std::uint8_t { kCommonMain, kPreprocessed, kCachedMain };
    Kind kind = Kind::kCommonMain;
    std::uint32_t trace = 0;   ///< index into ProofLayout::traces
    std::uint32_t cached = 0;  ///< kCachedMain: which
};

/// "common main", "preprocessed part", "cached part 1".
std::string part_name(const PartRef& part);

/// One stacked commitment: 0 holds the common mains of all traces, each other a single preprocessed or cached part.
struct CommitmentLayout {
    std::vector<PartRef> parts;  ///< one per matrix of `stack`
    StackedLayout stack;
};

/// One interaction's block of cells in the LogUp table.
struct LogupBlock {
    std::uint32_t trace = 0;
    std::uint32_t interaction = 0;
    std::uint64_t start = 0;  ///< first cell; the block has max(2^log_height, 2^l_skip) cells
};

struct ProofLayout {
    std::vector<SortedTrace> traces;  ///< by descending height, ties by ascending AIR index
    std::vector<CommitmentLayout> commitments;
    std::vector<LogupBlock> logup_blocks;
    std::uint64_t num_logup_cells = 0;  ///< cells in use, before padding
    std::uint32_t n_logup = 0;          ///< the table has 2^(l_skip + n_logup) cells; 0 without interactions
    std::uint32_t n_max = 0;            ///< hypercube variables of the tallest trace

    bool has_interactions() const { return num_logup_cells != 0; }
    std::uint32_t n_global() const { return n_max > n_logup ? n_max : n_logup; }
    /// Layers of the GKR proof: l_skip + n_logup, or 0 without interactions.
    std::uint32_t num_gkr_layers(const SystemParams& params) const {
        return has_interactions() ? params.l_skip + n_logup : 0;
    }
    std::uint64_t total_stacked_width() const;
};

/// The AIRs present, by descending height, ties by ascending AIR index. `log_heights` as for make_proof_layout.
std::vector<SortedTrace> sorted_traces(std::span<const int> log_heights);

/// `log_heights[i]` is AIR i's log height, or −1 where it has no trace. Preconditions (check_traces, proof shape): at least one
/// trace, log heights ≤ log_stacked_height, total LogUp cells below 2^(27 + …) as the trace height constraints ensure.
ProofLayout make_proof_layout(const VerifyingKey& vk, std::span<const int> log_heights);

/// Stacked columns over all commitments, as ProofLayout::total_stacked_width, without laying them out: for checks before
/// memory is taken.
std::uint64_t total_stacked_width(const VerifyingKey& vk, std::span<const int> log_heights);

/// Number of interactions · lifted height over the traces present.
std::uint64_t count_logup_cells(const VerifyingKey& vk, std::span<const int> log_heights);

/// The first trace height constraint violated, or −1; `sum` receives its left side.
int find_violated_height_constraint(const VerifyingKey& vk, std::span<const int> log_heights, std::uint64_t* sum);

/// Width of a part in columns.
std::uint32_t part_width(const AirVerifyingKey& air, const PartRef& part);

}  // namespace whorl
