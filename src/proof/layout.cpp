#include "proof/layout.hpp"

#include <algorithm>
#include <bit>

namespace whorl {
namespace {

// Walks the slices of a stack; `place(matrix, column, stacked_column, row)` is called for each.
template <class Place>
std::uint64_t walk_stack(unsigned l_skip, unsigned log_stacked_height, std::span<const MatrixShape> matrices,
                         Place place) {
    const std::uint64_t stacked_height = std::uint64_t{1} << log_stacked_height;
    std::uint64_t column = 0;
    std::uint64_t row = 0;
    for (std::size_t m = 0; m < matrices.size(); ++m) {
        const std::uint64_t length = std::uint64_t{1} << std::max(matrices[m].log_height, l_skip);
        for (std::uint32_t c = 0; c < matrices[m].width; ++c) {
            if (row + length > stacked_height) {
                ++column;
                row = 0;
            }
            place(m, c, column, row);
            row += length;
        }
    }
    return column + (row != 0 ? 1 : 0);
}

}  // namespace

StackedLayout stack_layout(unsigned l_skip, unsigned log_stacked_height, std::span<const MatrixShape> matrices) {
    StackedLayout layout;
    layout.width = static_cast<std::uint32_t>(
        walk_stack(l_skip, log_stacked_height, matrices,
                   [&](std::size_t m, std::uint32_t c, std::uint64_t column, std::uint64_t row) {
                       layout.slices.push_back({static_cast<std::uint32_t>(m), c, static_cast<std::uint32_t>(column),
                                                static_cast<std::uint32_t>(row), matrices[m].log_height});
                   }));
    return layout;
}

StackedLayout stack_layout(const SystemParams& params, const Matrix& matrix) {
    const MatrixShape shape{static_cast<std::uint32_t>(matrix.width()), matrix.log_height()};
    return stack_layout(params.l_skip, params.log_stacked_height(), std::span(&shape, 1));
}

std::uint64_t stacked_width(unsigned l_skip, unsigned log_stacked_height, std::span<const MatrixShape> matrices) {
    // Slices fill columns exactly, so only the number of cells counts.
    unsigned __int128 cells = 0;
    for (const MatrixShape& m : matrices) cells += std::uint64_t{m.width} << std::max(m.log_height, l_skip);
    return static_cast<std::uint64_t>((cells + (std::uint64_t{1} << log_stacked_height) - 1) >> log_stacked_height);
}

std::uint64_t ProofLayout::total_stacked_width() const {
    std::uint64_t total = 0;
    for (const CommitmentLayout& commitment : commitments) total += commitment.stack.width;
    return total;
}

std::uint64_t total_stacked_width(const VerifyingKey& vk, std::span<const int> log_heights) {
    std::vector<MatrixShape> common_mains;
    std::uint64_t total = 0;
    for (std::size_t i = 0; i < log_heights.size(); ++i) {
        if (log_heights[i] < 0) continue;
        const TraceWidths& width = vk.airs[i].width;
        const auto log_height = static_cast<std::uint32_t>(log_heights[i]);
        const auto add_single = [&](std::uint32_t columns) {
            const MatrixShape shape{columns, log_height};
            total += stacked_width(vk.params.l_skip, vk.params.log_stacked_height(), {&shape, 1});
        };
        common_mains.push_back({width.common_main, log_height});
        if (width.preprocessed) add_single(*width.preprocessed);
        for (const std::uint32_t columns : width.cached_mains) add_single(columns);
    }
    return total + stacked_width(vk.params.l_skip, vk.params.log_stacked_height(), common_mains);
}

std::uint32_t part_width(const AirVerifyingKey& air, const PartRef& part) {
    switch (part.kind) {
        case PartRef::Kind::kCommonMain:
            return air.width.common_main;
        case PartRef::Kind::kPreprocessed:
            return air.width.preprocessed.value_or(0);
        case PartRef::Kind::kCachedMain:
            return air.width.cached_mains[part.cached];
    }
    return 0;
}

std::uint64_t count_logup_cells(const VerifyingKey& vk, std::span<const int> log_heights) {
    std::uint64_t total = 0;
    for (std::size_t i = 0; i < log_heights.size(); ++i) {
        if (log_heights[i] < 0) continue;
        total += std::uint64_t{vk.airs[i].interactions.size()}
                 << std::max<unsigned>(static_cast<unsigned>(log_heights[i]), vk.params.l_skip);
    }
    return total;
}

int find_violated_height_constraint(const VerifyingKey& vk, std::span<const int> log_heights, std::uint64_t* sum) {
    for (std::size_t c = 0; c < vk.trace_height_constraints.size(); ++c) {
        const TraceHeightConstraint& constraint = vk.trace_height_constraints[c];
        *sum = 0;
        for (std::size_t i = 0; i < log_heights.size(); ++i) {
            if (log_heights[i] < 0) continue;
            *sum += std::uint64_t{constraint.coefficients[i]}
                    << std::max<unsigned>(static_cast<unsigned>(log_heights[i]), vk.params.l_skip);
        }
        if (*sum >= constraint.threshold) return static_cast<int>(c);
    }
    return -1;
}

std::vector<SortedTrace> sorted_traces(std::span<const int> log_heights) {
    std::vector<SortedTrace> traces;
    for (std::size_t i = 0; i < log_heights.size(); ++i) {
        if (log_heights[i] >= 0) {
            traces.push_back({static_cast<std::uint32_t>(i), static_cast<std::uint32_t>(log_heights[i])});
        }
    }
    std::ranges::sort(traces, [](const SortedTrace& a, const SortedTrace& b) {
        return a.log_height != b.log_height ? a.log_height > b.log_height : a.air_id < b.air_id;
    });
    return traces;
}

std::string part_name(const PartRef& part) {
    switch (part.kind) {
        case PartRef::Kind::kCommonMain:
            return "common main";
        case PartRef::Kind::kPreprocessed:
            return "preprocessed part";
        case PartRef::Kind::kCachedMain:
            return "cached part " + std::to_string(part.cached);
    }
    return {};
}

ProofLayout make_proof_layout(const VerifyingKey& vk, std::span<const int> log_heights) {
    const unsigned l_skip = vk.params.l_skip;
    const unsigned log_stacked_height = vk.params.log_stacked_height();
    ProofLayout layout;
    layout.traces = sorted_traces(log_heights);

    const auto add_commitment = [&](std::vector<PartRef> parts) {
        std::vector<MatrixShape> shapes;
        for (const PartRef& part : parts) {
            const SortedTrace& trace = layout.traces[part.trace];
            shapes.push_back({part_width(vk.airs[trace.air_id], part), trace.log_height});
        }
        layout.commitments.push_back({std::move(parts), stack_layout(l_skip, log_stacked_height, shapes)});
    };
    std::vector<PartRef> common_mains;
    for (std::uint32_t t = 0; t < layout.traces.size(); ++t) common_mains.push_back({PartRef::Kind::kCommonMain, t, 0});
    add_commitment(std::move(common_mains));
    for (std::uint32_t t = 0; t < layout.traces.size(); ++t) {
        const AirVerifyingKey& air = vk.airs[layout.traces[t].air_id];
        if (air.preprocessed) add_commitment({{PartRef::Kind::kPreprocessed, t, 0}});
        for (std::uint32_t c = 0; c < air.width.cached_mains.size(); ++c) {
            add_commitment({{PartRef::Kind::kCachedMain, t, c}});
        }
    }

    for (std::uint32_t t = 0; t < layout.traces.size(); ++t) {
        const SortedTrace& trace = layout.traces[t];
        const std::uint64_t block = std::uint64_t{1} << std::max(trace.log_height, l_skip);
        for (std::uint32_t i = 0; i < vk.airs[trace.air_id].interactions.size(); ++i) {
            layout.logup_blocks.push_back({t, i, layout.num_logup_cells});
            layout.num_logup_cells += block;
        }
    }
    if (layout.has_interactions()) {
        layout.n_logup = static_cast<std::uint32_t>(std::bit_width(layout.num_logup_cells)) - l_skip;
    }
    const unsigned tallest = layout.traces.empty() ? 0 : layout.traces.front().log_height;
    layout.n_max = tallest > l_skip ? tallest - l_skip : 0;
    return layout;
}

}  // namespace whorl
