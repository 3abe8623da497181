// The size of the largest proof under a key: the lengths of proof_shape.cpp at the largest heights, in the bytes of the codec
// (PROTOCOL.md section 16).
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

/// What all AIRs of a key add up to, each with a trace of the stacked height.
struct Sums {
    Size airs_bytes = 0;   // header and column openings
    Size num_columns = 0;  // of all parts: as many stacked columns
    Size num_commits = 1;  // common main
    std::uint64_t num_interactions = 0;
};

Sums sum_airs(const VerifyingKey& vk) {
    Sums sums;
    for (const AirVerifyingKey& air : vk.airs) {
        const Size per_column = (air.need_rot ? 2 : 1) * kFp4;
        const auto add_part = [&](std::uint32_t columns) {
            sums.num_columns += columns;
            sums.airs_bytes += kLength + columns * per_column;
        };
        const std::size_t num_cached = air.width.cached_mains.size();
        sums.airs_bytes += 2 * kLength + num_cached * kDigest;           // log height, cached commitments
        sums.airs_bytes += kLength + Size{air.num_public_values} * kFp;  // public values
        sums.airs_bytes += 2 * kFp4 + kLength;                           // LogUp terms, number of parts
        add_part(air.width.common_main);
        if (air.width.preprocessed) add_part(*air.width.preprocessed);
        for (const std::uint32_t columns : air.width.cached_mains) add_part(columns);
        sums.num_commits += num_cached + (air.width.preprocessed ? 1 : 0);
        sums.num_interactions += air.interactions.size();
    }
    return sums;
}

Size gkr_bytes(std::uint64_t num_layers) {
    const Size num_rounds = num_layers == 0 ? 0 : Size{num_layers} * (num_layers - 1) / 2;
    return kFp + kFp4 + kLength + num_layers * 4 * kFp4 + num_rounds * 3 * kFp4;
}

Size sumcheck_bytes(const SystemParams& params) {
    const Size num_evals = Size{params.max_constraint_degree} + 1;
    const Size skip_degree = (Size{1} << params.l_skip) - 1;
    const Size batch = 3 * kLength + kLength + (num_evals * skip_degree + 1) * kFp4 + params.n_stack * num_evals * kFp4;
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

}  // namespace

std::uint64_t max_proof_bytes(const VerifyingKey& vk) noexcept {
    if (!check_params(vk.params)) return 0;
    const Sums sums = sum_airs(vk);
    const Size width = std::min(sums.num_columns, Size{vk.params.w_stack});
    const auto num_layers =
        sums.num_interactions == 0
            ? std::uint64_t{0}
            : static_cast<std::uint64_t>(std::bit_width(sums.num_interactions)) + vk.params.log_stacked_height();
    const Size header = 3 * kLength + kDigest + (vk.airs.size() + 7) / 8;
    const Size stacked_openings = sums.num_commits * kLength + width * kFp4;
    const Size bytes = header + sums.airs_bytes + gkr_bytes(num_layers) + sumcheck_bytes(vk.params) + stacked_openings +
                       whir_bytes(vk.params, sums.num_commits, width);
    return static_cast<std::uint64_t>(std::min(bytes, Size{std::numeric_limits<std::uint64_t>::max()}));
}

}  // namespace whorl
