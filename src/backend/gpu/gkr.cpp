#include "backend/gpu/gkr.hpp"

#include <algorithm>
#include <utility>

#include "backend/gpu/kernels.hpp"
#include "poly/prismalinear.hpp"

namespace whorl::gpu {
namespace {

// Copy of a table that is kept by quads (kernels/gkr_params.h).
template <class Cells>
Cells cells_in_order(const Mailbox<Fp4>& table) {
    const std::size_t num_cells = table.size() / 2;
    Cells out{std::vector<Fp4>(num_cells), std::vector<Fp4>(num_cells)};
    for (std::size_t c = 0; c < num_cells; ++c) {
        const std::size_t at = c % 4 * (num_cells / 4) + c / 4;
        out.p[c] = table[at];
        out.q[c] = table[num_cells + at];
    }
    return out;
}

}  // namespace

FractionLeaves take_fraction_leaves(Device& device, unsigned num_layers, std::uint64_t num_cells, const Fp4& alpha) {
    const std::uint64_t size = std::uint64_t{1} << num_layers;
    FractionLeaves leaves{num_layers, device.arena().take_words("gkr_leaf_p", size),
                          device.arena().take_exts("gkr_leaf_q", size), 0};
    if (num_cells < size) {
        device.recorder().dispatch(
            kernel::gkr_pad_leaves, groups_for(kernel::gkr_pad_leaves, size - num_cells),
            {leaves.p.address(), leaves.q.address(), num_cells, size - num_cells, ext_param(alpha)});
        ++leaves.num_kernels;
    }
    return leaves;
}

FractionTree::FractionTree(Device& device, FractionLeaves leaves, const FractionTuning& tuning)
    : device_(device), tuning_(tuning), num_layers_(leaves.num_layers), leaves_(std::move(leaves)) {
    build();
}

void FractionTree::build() {
    Recorder& recorder = device_.recorder();
    const unsigned log_host_cells = tuning_.log_host_cells;
    recorder.next_stage();
    host_layers_.resize(std::min(num_layers_, log_host_cells) + 1);
    Cells& lowest = host_layers_.back();
    if (num_layers_ <= log_host_cells) {
        const auto p = recorder.mailbox<Fp>(std::size_t{1} << num_layers_);
        const auto q = recorder.mailbox<Fp4>(std::size_t{1} << num_layers_);
        recorder.copy(p.address(), leaves_.p.address(), p.size() * sizeof(Fp));
        recorder.copy(q.address(), leaves_.q.address(), q.size() * sizeof(Fp4));
        recorder.submit_and_wait(leaves_.num_kernels);
        lowest.q = q.values();
        for (const Fp& numerator : p.values()) lowest.p.emplace_back(numerator);
        leaves_ = {};
    } else {
        // The layer above the leaves, the largest, is made from them again when its turn comes.
        layers_.resize(num_layers_ - 1);
        for (unsigned j = log_host_cells + 1; j < layers_.size(); ++j) {
            layers_[j] = device_.arena().take_exts("gkr_layer", std::uint64_t{2} << j);
        }
        const auto top = recorder.mailbox<Fp4>(std::size_t{2} << log_host_cells);
        const auto address_of = [&](unsigned j) -> Address {
            if (j == log_host_cells) return top.address();
            return j > log_host_cells && j < layers_.size() ? layers_[j].address() : 0;
        };
        std::int64_t num_kernels = leaves_.num_kernels;
        for (unsigned j = num_layers_; j > log_host_cells; j -= 3) {
            const std::uint64_t count = std::uint64_t{1} << (j - 3);
            GkrBuildParams params{0, 0, address_of(j - 1), address_of(j - 2), address_of(j - 3), count};
            if (j == num_layers_) {
                params.p = leaves_.p.address();
                params.q = leaves_.q.address();
                recorder.dispatch(kernel::gkr_build_on_leaves, groups_for(kernel::gkr_build_on_leaves, count), params);
            } else {
                params.p = layers_[j].address();
                params.q = layers_[j].ext(8 * count);
                recorder.dispatch(kernel::gkr_build_on_layer, groups_for(kernel::gkr_build_on_layer, count), params);
            }
            recorder.next_stage();
            ++num_kernels;
        }
        recorder.submit_and_wait(num_kernels);
        lowest = cells_in_order<Cells>(top);
    }
    for (std::size_t j = host_layers_.size() - 1; j-- > 1;) {
        const Cells& below = host_layers_[j + 1];
        for (std::size_t c = 0; c < below.q.size(); c += 2) {
            host_layers_[j].p.push_back(below.p[c] * below.q[c + 1] + below.p[c + 1] * below.q[c]);
            host_layers_[j].q.push_back(below.q[c] * below.q[c + 1]);
        }
    }
}

GkrLayerClaims FractionTree::root_claims() const {
    const Cells& top = host_layers_[1];
    return {top.p[0], top.p[1], top.q[0], top.q[1]};
}

Fp4 FractionTree::root() const {
    return host_layers_[1].q[0] * host_layers_[1].q[1];
}

void FractionTree::begin_layer(unsigned layer, const Fp4& lambda, std::span<const Fp4> point,
                               const GkrLayerClaims& above, const Fp4& mu) {
    layer_ = layer;
    lambda_ = lambda;
    rounds_.begin(lambda, point, above, mu);
    cells_ = {};
    if (layer + 1 < host_layers_.size()) {
        cells_ = std::move(host_layers_[layer + 1]);
        for (std::size_t c = 0; c < cells_.p.size(); c += 2) cells_.p[c] += lambda * cells_.q[c];
    }
}

std::array<Fp4, 3> FractionTree::round_message() {
    const Sums sums = cells_.q.empty() ? sum_on_device() : sum_on_host();
    return rounds_.message(sums.at_1, sums.leading);
}

void FractionTree::fold(const Fp4& r) {
    rounds_.fold(r);
    r_ = r;
    const std::size_t half = cells_.q.size() / 2;
    for (std::vector<Fp4>* values : {&cells_.p, &cells_.q}) {
        for (std::size_t c = 0; c < half; ++c) {
            const std::size_t at = c / 2 * 4 + c % 2;
            (*values)[c] = (*values)[at] + r * ((*values)[at + 2] - (*values)[at]);
        }
        values->resize(half);
    }
}

GkrLayerClaims FractionTree::layer_claims() {
    return {cells_.p[0] - lambda_ * cells_.q[0], cells_.p[1], cells_.q[0], cells_.q[1]};
}

FractionTree::Sums FractionTree::sum_on_host() const {
    const std::vector<Fp4> weights = eq_hypercube(rounds_.later_point());
    const std::vector<Fp4>&p = cells_.p, &q = cells_.q;
    Sums sums;
    for (std::size_t i = 0; i < weights.size(); ++i) {
        const std::size_t at_0 = 4 * i, at_1 = 4 * i + 2;
        sums.at_1 += weights[i] * (p[at_1] * q[at_1 + 1] + p[at_1 + 1] * q[at_1]);
        sums.leading += weights[i] * ((p[at_1] - p[at_0]) * (q[at_1 + 1] - q[at_0 + 1]) +
                                      (p[at_1 + 1] - p[at_0 + 1]) * (q[at_1] - q[at_0]));
    }
    return sums;
}

FractionTree::Children FractionTree::children() const {
    if (layer_ + 1 == num_layers_) return Children::kLeaves;
    return layer_ + 2 == num_layers_ ? Children::kLeafPairs : Children::kLayer;
}

const Kernel<GkrRoundParams>& FractionTree::round_kernel() const {
    if (rounds_.round() > 1) return kernel::gkr_fold_table;
    const bool is_first = rounds_.round() == 0;
    switch (children()) {
        case Children::kLeaves:
            return is_first ? kernel::gkr_sum_leaves : kernel::gkr_fold_leaves;
        case Children::kLeafPairs:
            return is_first ? kernel::gkr_sum_leaf_pairs : kernel::gkr_fold_leaf_pairs;
        case Children::kLayer:
            break;
    }
    return is_first ? kernel::gkr_sum_layer : kernel::gkr_fold_layer;
}

FractionTree::Sums FractionTree::sum_on_device() {
    Recorder& recorder = device_.recorder();
    const unsigned round = rounds_.round();
    const Kernel<GkrRoundParams>& kernel = round_kernel();
    const std::uint32_t log_quads = layer_ - round - 1;
    const std::uint64_t num_quads = std::uint64_t{1} << log_quads;
    const std::uint64_t items = std::max<std::uint64_t>(1, groups_for(kernel, num_quads) >> tuning_.log_max_groups);
    const std::uint64_t groups = groups_for(kernel, num_quads / items);
    // No more high variables than make an entry for each group where threads have several items.
    const std::uint32_t num_high = std::min(layer_ - 1, tuning_.log_max_groups);
    std::int64_t num_kernels = 0;
    if (round == 0) {
        eq_.emplace(device_, rounds_.later_point(), layer_ - 1 - num_high);
        recorder.next_stage();
        num_kernels += EqHeaps::kNumKernels;
    }

    const std::uint64_t folded_size = 8 * num_quads;  // p and q of the quads
    const bool host_takes_over = round != 0 && 4 * num_quads <= std::uint64_t{1} << tuning_.log_host_cells;
    const auto last_table = recorder.mailbox<Fp4>(host_takes_over ? folded_size : 0);
    Buffer folded;
    if (round != 0 && !host_takes_over) folded = device_.arena().take_exts("gkr_table", folded_size);
    const bool host_adds = groups <= tuning_.max_host_parts;
    const auto sums = recorder.mailbox<Fp4>(host_adds ? 2 * groups : 2);
    Buffer parts;
    if (!host_adds) parts = device_.arena().take_exts("gkr_sums", 2 * groups);

    GkrRoundParams params{};
    if (round > 1) {
        params.p = table_.address();
        params.q = table_.ext(folded_size);
    } else if (children() == Children::kLayer) {
        params.p = layers_[layer_ + 1].address();
        params.q = layers_[layer_ + 1].ext(std::uint64_t{2} << layer_);
    } else {
        params.p = leaves_.p.address();
        params.q = leaves_.q.address();
    }
    params.out = host_takes_over ? last_table.address() : folded.address();
    params.low_heap = eq_->low();
    params.high_heap = eq_->high();
    params.sums = host_adds ? sums.address() : parts.address();
    params.lambda = ext_param(lambda_);
    params.r = ext_param(r_);
    params.log_quads = log_quads;
    params.num_high = num_high;
    params.items = static_cast<std::uint32_t>(items);
    recorder.dispatch(kernel, groups, params);
    ++num_kernels;
    if (!host_adds) {
        recorder.next_stage();
        recorder.dispatch(kernel::sum_strided, 2, {parts.address(), sums.address(), groups, groups, 1});
        ++num_kernels;
    }
    recorder.submit_and_wait(num_kernels);

    if (round == 1 && children() == Children::kLayer) layers_[layer_ + 1] = {};
    if (round == 1 && children() == Children::kLeaves) leaves_ = {};
    table_ = std::move(folded);
    if (host_takes_over) {
        cells_ = cells_in_order<Cells>(last_table);
        eq_.reset();
    }
    Sums out;
    for (std::size_t i = 0; i < sums.size() / 2; ++i) {
        out.at_1 += sums[i];
        out.leading += sums[sums.size() / 2 + i];
    }
    return out;
}

}  // namespace whorl::gpu
