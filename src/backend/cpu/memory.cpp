#include "backend/cpu/memory.hpp"

#include <algorithm>
#include <cstddef>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "backend/cpu/commitment.hpp"
#include "backend/cpu/gkr.hpp"
#include "field/simd.hpp"
#include "machine/memory_plan.hpp"

namespace whorl::cpu {
namespace {

constexpr std::uint64_t kExtWords = 4;
constexpr std::uint64_t kDigestWords = 8;

constexpr std::uint64_t pow2(std::uint64_t exponent) {
    return std::uint64_t{1} << exponent;
}

// The tree over leaves of 2^k rows (merkle.cpp): a layer is half the one below.
std::uint64_t tree_words(unsigned log_rows, unsigned k) {
    return 2 * kDigestWords * pow2(log_rows - std::min(k, log_rows));
}

// `width` columns of 2^log_rows rows, and their tree.
std::uint64_t code_matrix_words(std::uint64_t width, unsigned log_rows, unsigned k) {
    return width * padded_size(pow2(log_rows)) + tree_words(log_rows, k);
}

// A commitment to stacked columns, once it is made; and what it takes beside that to be made, and to be opened
// (commitment.cpp).
struct StackedWords {
    std::uint64_t kept = 0;
    std::uint64_t making = 0;
    std::uint64_t opening = 0;
};
StackedWords stacked_words(const SystemParams& params, std::uint64_t width) {
    const unsigned log_height = params.log_stacked_height(), log_rows = params.log_codeword_height();
    if (!StackedCommitment::is_made_by_blocks(log_height)) {
        return {.kept = code_matrix_words(width, log_rows, params.whir.k)};
    }
    const std::uint64_t height = pow2(log_height);
    return {.kept = tree_words(log_rows, params.whir.k), .making = (width + 1) * height, .opening = 2 * height};
}

std::uint64_t fraction_tree_words(const ProofShape& shape) {
    if (!shape.layout.has_interactions()) return 0;
    return FractionTree::num_words(shape.layout.num_gkr_layers(shape.params()), shape.layout.num_logup_cells);
}

// The tables of all traces after the skip variable is bound, and the first of them being folded (mle_tables.cpp).
std::uint64_t mle_words(const ProofShape& shape) {
    constexpr std::uint64_t kMinRows = 64;
    constexpr std::uint64_t kSelectors = 3;
    std::uint64_t words = 0;
    for (std::uint32_t t = 0; t < shape.layout.traces.size(); ++t) {
        std::uint64_t num_columns = 0;
        for (const PartRef& part : shape.parts(t)) num_columns += part_width(shape.air(t), part);
        const std::uint64_t num_tables = num_columns * (shape.air(t).need_rot ? 2 : 1) + kSelectors;
        const std::uint64_t rows = pow2(shape.n_lift(t));
        words += num_tables * kExtWords * std::max(rows, kMinRows);
        if (t == 0 && rows > 1) words += num_tables * kExtWords * std::max(rows / 2, kMinRows);
    }
    return words;
}

// For each height a combination of its columns, and one of the rotated (stacking.cpp).
std::uint64_t stacked_reduction_words(const ProofShape& shape) {
    std::set<std::uint32_t> log_heights;
    for (const SortedTrace& trace : shape.layout.traces) log_heights.insert(trace.log_height);
    std::uint64_t words = 0;
    for (const std::uint32_t log_height : log_heights)
        words += 2 * kExtWords * pow2(std::max(log_height, shape.params().l_skip));
    return words;
}

// The combined polynomial and its weights, one of them being folded; later the codewords of all rounds but the last.
std::uint64_t whir_words(const SystemParams& params) {
    const std::uint64_t height = pow2(params.log_stacked_height());
    const std::uint64_t folding = 2 * kExtWords * height + kExtWords * height / 2;
    std::uint64_t codewords = 0;
    for (unsigned round = 0; round + 1 < params.whir.num_rounds(); ++round)
        codewords += code_matrix_words(kExtWords, params.log_codeword_height() - round - 1, params.whir.k);
    return std::max(folding, codewords);
}

}  // namespace

std::uint64_t commitment_bytes(const SystemParams& params, std::uint64_t width) {
    const StackedWords words = stacked_words(params, width);
    return (words.kept + words.making) * sizeof(std::uint32_t);
}

namespace {

/// Writes down what is taken and given back, in order.
class PlanWriter {
public:
    std::size_t take(std::string name, const char* stage, std::uint64_t words) {
        plan_.buffers.push_back({.name = std::move(name),
                                 .stage = stage,
                                 .last_stage = {},
                                 .bytes = words * sizeof(std::uint32_t),
                                 .taken = ++num_events_});
        return plan_.buffers.size() - 1;
    }
    void give_back(std::size_t buffer, const char* stage) {
        plan_.buffers[buffer].last_stage = stage;
        plan_.buffers[buffer].returned = ++num_events_;
    }
    /// Memory of one stage.
    void use(std::string name, const char* stage, std::uint64_t words) {
        if (words != 0) give_back(take(std::move(name), stage, words), stage);
    }
    MemoryPlan finish() {
        plan_.peak_live_bytes = peak_live_bytes(plan_);
        plan_.arena_bytes = plan_.block_bytes = plan_.device_bytes = plan_.peak_live_bytes;
        return std::move(plan_);
    }

private:
    MemoryPlan plan_;
    std::uint32_t num_events_ = 0;
};

}  // namespace

MemoryPlan plan_memory(const ProofShape& shape) {
    constexpr const char* kCommit = "prover.main_trace_commit";
    constexpr const char* kWhir = "whir";
    PlanWriter plan;
    std::vector<std::size_t> kept;  // to the end
    std::uint64_t opening = 0;
    for (std::size_t c = 0; c < shape.layout.commitments.size(); ++c) {
        const StackedWords words = stacked_words(shape.params(), shape.layout.commitments[c].stack.width);
        opening = std::max(opening, words.opening);
        // What is committed before the proof is counted then.
        if (shape.is_committed[c]) continue;
        kept.push_back(plan.take("merkle_tree", kCommit, words.kept));
        plan.use("code_blocks", kCommit, words.making);
    }
    plan.use("fraction_tree", "logup_gkr", fraction_tree_words(shape));
    plan.use("mle_tables", "mle_rounds", mle_words(shape));
    plan.use("stacked_columns", "stacked_reduction", stacked_reduction_words(shape));
    const std::size_t polynomial = plan.take("polynomial_and_codewords", kWhir, whir_words(shape.params()));
    plan.use("opened_rows", kWhir, opening);
    plan.give_back(polynomial, kWhir);
    for (const std::size_t tree : kept) plan.give_back(tree, kWhir);
    return plan.finish();
}

}  // namespace whorl::cpu
