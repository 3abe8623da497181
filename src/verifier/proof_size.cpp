// The size of a proof, and of the largest one under a key: the lengths of proof_shape.cpp in the bytes of the codec (PROTOCOL.md
// section 16).
#include "verifier/proof_size.hpp"

#include <whorl/verify.hpp>

#include <algorithm>
#include <bit>
#include <limits>

namespace whorl {
namespace {

// Products of lengths that a key may claim exceed 64 bits.
using Size = unsigned __int128;

constexpr Size kLength = 4;
constexpr Size kFp = 4;
constexpr Size kFp4 = 16;
constexpr Size kDigest = 32;

/// What the size of a proof follows from, besides the parameters.
struct Lengths {
    Size airs_bytes = 0;   // of the traces: header, public values and column openings
    Size num_columns = 0;  // of all parts
    Size num_commits = 1;  // common main
    Size width = 0;        // stacked columns of all commitments
    std::uint64_t num_gkr_layers = 0;
    Size num_batch_rounds = 0;  // after the univariate one
};

/// Adds an AIR that has a trace.
void add_trace(Lengths& lengths, const AirVerifyingKey& air) {
    const Size per_column = (air.need_rot ? 2 : 1) * kFp4;
    const auto add_part = [&](std::uint32_t columns) {
        lengths.num_columns += columns;
        lengths.airs_bytes += kLength + columns * per_column;
    };
    const std::size_t num_cached = air.width.cached_mains.size();
    lengths.airs_bytes += 2 * kLength + num_cached * kDigest;  // log height, cached commitments
    lengths.airs_bytes += Size{air.num_public_values} * kFp;
    lengths.airs_bytes += 2 * kFp4 + kLength;  // LogUp terms, number of parts
    add_part(air.width.common_main);
    if (air.width.preprocessed) add_part(*air.width.preprocessed);
    for (const std::uint32_t columns : air.width.cached_mains) add_part(columns);
    lengths.num_commits += num_cached + (air.width.preprocessed ? 1 : 0);
}

Size gkr_bytes(std::uint64_t num_layers) {
    const Size num_rounds = num_layers == 0 ? 0 : Size{num_layers} * (num_layers - 1) / 2;
    return kFp + kFp4 + kLength + num_layers * 4 * kFp4 + num_rounds * 3 * kFp4;
}

Size sumcheck_bytes(const SystemParams& params, Size num_batch_rounds) {
    const Size num_evals = Size{params.max_constraint_degree} + 1;
    const Size skip_degree = (Size{1} << params.l_skip) - 1;
    // The number of evaluations stands once, where there is a round.
    const Size batch = (num_batch_rounds == 0 ? 3 : 4) * kLength + (num_evals * skip_degree + 1) * kFp4 +
                       num_batch_rounds * num_evals * kFp4;
    const Size stacking = 3 * kLength + (2 * skip_degree + 1) * kFp4 + params.n_stack * 2 * kFp4;
    return batch + stacking;
}

Size whir_bytes(const SystemParams& params, Size num_commits, Size width) {
    const Size num_rounds = params.whir.num_rounds();
    const Size num_folds = num_rounds * params.whir.k;
    const Size rows_per_leaf = Size{1} << params.whir.k;
    Size depth = params.log_codeword_height() - params.whir.k;
    Size bytes =
        kFp + 2 * kLength + num_folds * (2 * kFp4 + kFp) + (num_rounds - 1) * (kDigest + kFp4) + num_rounds * kFp;
    bytes += 3 * kLength + num_commits * kLength;
    bytes += params.whir.num_queries[0] * (rows_per_leaf * width * kFp + num_commits * depth * kDigest);
    bytes += kLength;
    for (std::size_t round = 1; round < params.whir.num_rounds(); ++round) {
        --depth;
        bytes += kLength + params.whir.num_queries[round] * (rows_per_leaf * kFp4 + depth * kDigest);
    }
    return bytes + kLength + (Size{1} << params.log_final_poly_len()) * kFp4;
}

std::uint64_t total_bytes(const VerifyingKey& vk, const Lengths& lengths) {
    // With a number of public values for each AIR, traced or not.
    const Size header = 3 * kLength + kDigest + (vk.airs.size() + 7) / 8 + vk.airs.size() * kLength;
    const Size stacked_openings = lengths.num_commits * kLength + lengths.width * kFp4;
    const Size bytes = header + lengths.airs_bytes + gkr_bytes(lengths.num_gkr_layers) +
                       sumcheck_bytes(vk.params, lengths.num_batch_rounds) + stacked_openings +
                       whir_bytes(vk.params, lengths.num_commits, lengths.width);
    return static_cast<std::uint64_t>(std::min(bytes, Size{std::numeric_limits<std::uint64_t>::max()}));
}

}  // namespace

std::uint64_t proof_bytes(const VerifyingKey& vk, const ProofLayout& layout) {
    Lengths lengths;
    for (const SortedTrace& trace : layout.traces) add_trace(lengths, vk.airs[trace.air_id]);
    lengths.width = layout.total_stacked_width();
    lengths.num_gkr_layers = layout.num_gkr_layers(vk.params);
    lengths.num_batch_rounds = layout.n_max;
    return total_bytes(vk, lengths);
}

std::uint64_t max_proof_bytes(const VerifyingKey& vk) noexcept {
    if (!check_params(vk.params)) return 0;
    Lengths lengths;
    std::uint64_t num_interactions = 0;
    for (const AirVerifyingKey& air : vk.airs) {
        add_trace(lengths, air);
        num_interactions += air.interactions.size();
    }
    // Each trace has the stacked height, so each column takes one.
    lengths.width = std::min(lengths.num_columns, Size{vk.params.w_stack});
    if (num_interactions != 0) {
        lengths.num_gkr_layers =
            static_cast<std::uint64_t>(std::bit_width(num_interactions)) + vk.params.log_stacked_height();
    }
    lengths.num_batch_rounds = vk.params.n_stack;
    return total_bytes(vk, lengths);
}

}  // namespace whorl
