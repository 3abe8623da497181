#include "backend/gpu/commitment.hpp"

#include <algorithm>

#include <whorl/params.hpp>

#include "backend/gpu/kernels.hpp"
#include "backend/gpu/resident.hpp"

namespace whorl::gpu {
namespace {

// A threadgroup of the message kernels holds whole blocks; of extension elements, a coordinate's.
static_assert(kMessageLogTile >= ParamLimits::kMaxLSkip);

// Inverse roots for blocks of 2^l words: w_2h^-i at h + i.
std::vector<Fp> message_roots(unsigned l) {
    std::vector<Fp> roots(std::size_t{1} << l);
    for (unsigned log_half = 0; log_half < l; ++log_half) {
        const Fp step = two_adic_generator(log_half + 1).inverse();
        Fp power = Fp::one();
        for (std::size_t i = 0; i < std::size_t{1} << log_half; ++i, power *= step) {
            roots[(std::size_t{1} << log_half) + i] = power;
        }
    }
    return roots;
}

std::uint32_t message_scale(unsigned l) {
    return Fp::half().pow(l).montgomery();
}

// Groups of the kernels on tiles, for blocks of 2^log_block words.
std::uint64_t message_tiles(std::uint64_t num_blocks, unsigned log_block) {
    const std::uint64_t tile = std::uint64_t{1} << kMessageLogTile;
    return ((num_blocks << log_block) + tile - 1) / tile;
}

// What fills blocks first_block … end_block of the stacked columns, laid end to end: a segment for each run of columns that
// lie end to end in memory too. A matrix's slices follow each other without gaps, because heights are descending powers of
// two; what is left over lies at the end.
std::vector<MessageSegment> message_segments(const StackedColumns& stacked, unsigned l_skip, unsigned n_stack,
                                             std::uint64_t first_block, std::uint64_t end_block) {
    std::vector<MessageSegment> segments;
    const std::vector<StackedSlice>& slices = stacked.layout->slices;
    std::uint64_t end_of_slices = 0;
    for (std::size_t begin = 0, end = 0; begin < slices.size(); begin = end) {
        const StackedSlice& slice = slices[begin];
        const DeviceColumns& matrix = *stacked.matrices[slice.matrix];
        const std::size_t last = std::min(slices.size(), begin + matrix.num_adjacent(slice.column));
        while (end < last && slices[end].matrix == slice.matrix) ++end;
        const unsigned log_blocks = slice.log_height > l_skip ? slice.log_height - l_skip : 0;
        const std::uint64_t start = (std::uint64_t{slice.stacked_column} << n_stack) + (slice.row >> l_skip);
        end_of_slices = start + (std::uint64_t{end - begin} << log_blocks);
        const std::uint64_t from = std::max(start, first_block);
        if (from >= std::min(end_of_slices, end_block)) continue;
        // A block is a whole short column, or 2^l_skip rows of a longer one.
        const std::uint64_t words = (from - start) << std::min(slice.log_height, l_skip);
        const Address address = matrix.column(slice.column) + 4 * words;
        segments.push_back({static_cast<std::uint32_t>(address), static_cast<std::uint32_t>(address >> 32),
                            static_cast<std::uint32_t>(from - first_block), slice.log_height});
    }
    if (end_of_slices < end_block) {
        const std::uint64_t from = std::max(end_of_slices, first_block);
        segments.push_back({0, 0, static_cast<std::uint32_t>(from - first_block), kMessageUnused});
    }
    return segments;
}

}  // namespace

// Columns of codewords begin at addresses that are multiples of 16 bytes.
std::uint64_t codeword_stride(unsigned log_rows) {
    return std::max<std::uint64_t>(std::uint64_t{1} << log_rows, 4);
}

void record_message(Recorder& recorder, unsigned l_skip, Address elements, std::uint64_t count) {
    if (l_skip == 0) return;
    const std::uint64_t num_blocks = count >> l_skip;
    const MessageExtParams params{elements,
                                  recorder.upload(message_roots(l_skip)),
                                  static_cast<std::uint32_t>(num_blocks),
                                  l_skip,
                                  message_scale(l_skip),
                                  0};
    if (l_skip <= kMessageLogSmall) {
        recorder.dispatch(kernel::message_ext_small, groups_for(kernel::message_ext_small, 4 * num_blocks), params);
    } else {
        recorder.dispatch(kernel::message_ext_large, message_tiles(num_blocks, l_skip + 2), params);
    }
    recorder.next_stage();
}

// -----------------------------------------------------------------------------------------------------------------

MerkleTree::MerkleTree(Device& device, unsigned log_rows, unsigned k)
    : log_rows_(log_rows),
      k_(k),
      buffer_(device.arena().take_words("merkle_tree", num_node_words(log_rows, k))),
      nodes_(buffer_.address()) {}

void MerkleTree::record_rows(Recorder& recorder, const NttColumns& columns, Address state, bool is_first,
                             bool is_last) const {
    const Address digests = k_ == 0 ? nodes_ : state;
    recorder.dispatch(kernel::merkle_absorb, groups_for(kernel::merkle_absorb, std::uint64_t{1} << log_rows_),
                      {columns.address, columns.stride, state, digests, log_rows_, columns.num_columns,
                       is_first ? 1u : 0u, is_last ? 1u : 0u});
    recorder.next_stage();
}

Mailbox<Digest> MerkleTree::record_layers(Recorder& recorder, Address state) const {
    const auto fold = [&](const MerkleFoldParams& params) {
        recorder.dispatch(kernel::merkle_fold, groups_for(kernel::merkle_fold, params.count), params);
        recorder.next_stage();
    };
    // Rows of a leaf are neighbours, and digests stay where the left one was until the leaf is done.
    const std::uint64_t rows = std::uint64_t{1} << log_rows_;
    const std::uint64_t leaves = std::uint64_t{1} << log_leaves();
    for (unsigned log_half = k_; log_half-- > 0;) {
        const bool is_last = log_half == 0;
        fold({state, is_last ? nodes_ : state, rows, is_last ? leaves : rows, leaves << log_half, log_half, k_,
              is_last ? 0 : k_, 0});
    }
    unsigned log_nodes = log_leaves();
    Address layer = nodes_;
    for (; log_nodes > kMerkleLogTop; --log_nodes) {
        const std::uint64_t nodes = std::uint64_t{1} << log_nodes;
        const Address parents = layer + 32 * nodes;
        fold({layer, parents, nodes, nodes / 2, nodes / 2, log_nodes - 1, log_nodes, log_nodes, 0});
        layer = parents;
    }
    const auto root = recorder.mailbox<Digest>(1);
    recorder.dispatch(kernel::merkle_top, 1, {layer, root.address(), log_nodes, 0});
    recorder.next_stage();
    return root;
}

unsigned MerkleTree::num_layer_kernels() const {
    return k_ + (log_leaves() > kMerkleLogTop ? log_leaves() - kMerkleLogTop : 0) + 1;
}

Mailbox<Digest> MerkleTree::record_paths(Recorder& recorder, Address indices, std::uint32_t num_indices) const {
    const std::uint64_t num_siblings = std::uint64_t{num_indices} * log_leaves();
    const auto siblings = recorder.mailbox<Digest>(num_siblings);
    if (num_siblings != 0) {
        recorder.dispatch(kernel::merkle_paths, groups_for(kernel::merkle_paths, 8 * num_siblings),
                          {nodes_, indices, siblings.address(), num_indices, log_leaves()});
    }
    return siblings;
}

std::vector<MerklePath> MerkleTree::split_paths(const Mailbox<Digest>& siblings, std::size_t num_indices) const {
    std::vector<MerklePath> paths(num_indices);
    for (std::size_t q = 0; q < num_indices; ++q) {
        for (std::size_t layer = 0; layer < log_leaves(); ++layer) {
            paths[q].push_back(siblings[q * log_leaves() + layer]);
        }
    }
    return paths;
}

void MerkleTree::record_leaf_rows(Recorder& recorder, const NttColumns& columns, Address indices,
                                  std::uint32_t num_indices, Address out) const {
    const std::uint64_t num_words = (std::uint64_t{num_indices} << k_) * columns.num_columns;
    recorder.dispatch(
        kernel::merkle_rows, groups_for(kernel::merkle_rows, num_words),
        {columns.address, columns.stride, indices, out, columns.num_columns, num_indices, log_leaves(), k_});
}

// -----------------------------------------------------------------------------------------------------------------

StackedEncoder::StackedEncoder(Recorder& recorder, const NttRoots& roots, const SystemParams& params)
    : recorder_(recorder),
      roots_(roots),
      params_(params),
      message_roots_(recorder.upload(message_roots(params.l_skip))) {}

NttColumns StackedEncoder::record(const StackedColumns& stacked, const ColumnGroup& group, Address codewords) const {
    const unsigned l = params_.l_skip;
    const unsigned log_height = params_.log_stacked_height();
    const unsigned n_stack = log_height - l;
    const NttColumns columns{codewords, codeword_stride(params_.log_codeword_height()), 1, group.count};
    if (group.count == 0) return columns;
    const std::uint64_t first_block = std::uint64_t{group.first} << n_stack;
    const std::uint64_t num_blocks = std::uint64_t{group.count} << n_stack;
    const std::vector<MessageSegment> segments =
        message_segments(stacked, l, n_stack, first_block, first_block + num_blocks);
    const MessageParams message{recorder_.upload(segments),
                                message_roots_,
                                codewords,
                                columns.stride,
                                static_cast<std::uint32_t>(segments.size()),
                                static_cast<std::uint32_t>(num_blocks),
                                n_stack,
                                l,
                                message_scale(l),
                                0};
    if (l <= kMessageLogSmall) {
        recorder_.dispatch(kernel::message_small, groups_for(kernel::message_small, num_blocks), message);
    } else {
        recorder_.dispatch(kernel::message_large, message_tiles(num_blocks, l), message);
    }
    recorder_.next_stage();
    record_encode(recorder_, roots_, columns, columns, log_height, params_.log_blowup);
    return columns;
}

unsigned StackedEncoder::num_kernels(const ColumnGroup& group) const {
    return group.count == 0 ? 0 : 1 + num_ntt_passes(params_.log_stacked_height());
}

// -----------------------------------------------------------------------------------------------------------------

const MerkleTree& StackedCommitments::Commitment::tree() const {
    return resident != nullptr ? resident->tree() : *made;
}

StackedCommitments::StackedCommitments(Device& device, const NttRoots& roots, const DeviceTraces& traces,
                                       const Residents& residents, const ProverInput& input, const CommitTuning& tuning)
    : device_(device), roots_(roots), input_(input), tuning_(tuning) {
    const SystemParams& params = input.params();
    Recorder& recorder = device.recorder();
    Span span(input.telemetry, "commit_stream");
    std::int64_t num_columns = 0;
    for (const CommitmentLayout& layout : input.layout.commitments) {
        Commitment& commitment = commitments_.emplace_back();
        commitment.stacked.layout = &layout.stack;
        for (const PartRef& part : layout.parts) commitment.stacked.matrices.push_back(&traces.part(part));
        commitment.resident = residents.find(input.committed(layout.parts[0]));
        if (commitment.resident != nullptr) {
            commitment.root = commitment.resident->root();
        } else {
            commitment.made.emplace(device, params.log_codeword_height(), params.whir.k);
            num_columns += layout.stack.width;
        }
    }
    span.set("columns", num_columns);
    const Buffer codewords = device.arena().take_words("codewords", num_codeword_words());
    const Buffer state = device.arena().take_words("row_hashes", commitments_[0].tree().num_state_words());
    const StackedEncoder encoder(recorder, roots, params);
    std::vector<Mailbox<Digest>> mailboxes(commitments_.size());
    std::int64_t num_kernels = 0;
    for (std::size_t i = 0; i < commitments_.size(); ++i) {
        if (commitments_[i].resident != nullptr) continue;
        const StackedColumns& stacked = commitments_[i].stacked;
        const MerkleTree& tree = commitments_[i].tree();
        const std::vector<ColumnGroup> groups = column_groups(stacked.layout->width);
        for (const ColumnGroup& group : groups) {
            const NttColumns columns = encoder.record(stacked, group, codewords.address());
            tree.record_rows(recorder, columns, state.address(), &group == &groups.front(), &group == &groups.back());
            num_kernels += encoder.num_kernels(group) + 1;
        }
        mailboxes[i] = tree.record_layers(recorder, state.address());
        num_kernels += tree.num_layer_kernels();
    }
    recorder.submit_and_wait(num_kernels);
    for (std::size_t i = 0; i < commitments_.size(); ++i) {
        if (commitments_[i].resident == nullptr) commitments_[i].root = mailboxes[i][0];
    }
}

// Whole blocks of the sponge's rate, as even as they can be; what is left of the width goes with the last.
std::vector<ColumnGroup> StackedCommitments::column_groups(std::uint32_t width) const {
    const std::uint64_t block_bytes = 8 * 4 * codeword_stride(input_.params().log_codeword_height());
    const std::uint64_t blocks = width / 8;
    const std::uint64_t max_blocks = std::max<std::uint64_t>(tuning_.codeword_bytes / block_bytes, 1);
    const std::uint64_t num_groups = std::max<std::uint64_t>((blocks + max_blocks - 1) / max_blocks, 1);
    std::vector<ColumnGroup> groups;
    for (std::uint64_t g = 0; g < num_groups; ++g) {
        const auto begin = static_cast<std::uint32_t>(8 * (g * blocks / num_groups));
        const auto end = g + 1 == num_groups ? width : static_cast<std::uint32_t>(8 * ((g + 1) * blocks / num_groups));
        groups.push_back({begin, end - begin});
    }
    return groups;
}

std::uint64_t StackedCommitments::num_codeword_words() const {
    std::uint64_t num_columns = 0;
    for (const Commitment& commitment : commitments_) {
        if (commitment.resident != nullptr) continue;
        for (const ColumnGroup& group : column_groups(commitment.stacked.layout->width)) {
            num_columns = std::max<std::uint64_t>(num_columns, group.count);
        }
    }
    return num_columns * codeword_stride(input_.params().log_codeword_height());
}

std::vector<OpenedLeaves<std::vector<Fp>>> StackedCommitments::open(std::span<const std::uint32_t> indices) const {
    const SystemParams& params = input_.params();
    Recorder& recorder = device_.recorder();
    const Span span(input_.telemetry, "open_rows");
    const auto num_indices = static_cast<std::uint32_t>(indices.size());
    const Buffer codewords = device_.arena().take_words("codewords", num_codeword_words());
    const Address indices_address = recorder.upload(indices);
    const StackedEncoder encoder(recorder, roots_, params);
    struct GroupRows {
        ColumnGroup group;
        Mailbox<Fp> rows;
    };
    std::vector<std::vector<GroupRows>> groups_of_trees(commitments_.size());
    std::vector<Mailbox<Digest>> siblings;
    std::int64_t num_kernels = 0;
    for (std::size_t i = 0; i < commitments_.size(); ++i) {
        const Commitment& commitment = commitments_[i];
        const MerkleTree& tree = commitment.tree();
        const auto record_rows = [&](const NttColumns& columns, const ColumnGroup& group) {
            groups_of_trees[i].push_back(
                {group, tree.record_leaf_rows<Fp>(recorder, columns, indices_address, num_indices)});
            recorder.next_stage();
            ++num_kernels;
        };
        if (commitment.resident != nullptr) {
            record_rows(commitment.resident->code(), {0, commitment.stacked.layout->width});
        } else {
            for (const ColumnGroup& group : column_groups(commitment.stacked.layout->width)) {
                if (group.count == 0) continue;
                record_rows(encoder.record(commitment.stacked, group, codewords.address()), group);
                num_kernels += encoder.num_kernels(group);
            }
        }
        siblings.push_back(tree.record_paths(recorder, indices_address, num_indices));
        num_kernels += tree.num_path_kernels();
    }
    recorder.submit_and_wait(num_kernels);

    const std::size_t rows_per_leaf = std::size_t{1} << params.whir.k;
    std::vector<OpenedLeaves<std::vector<Fp>>> opened(commitments_.size());
    for (std::size_t i = 0; i < commitments_.size(); ++i) {
        opened[i].paths = commitments_[i].tree().split_paths(siblings[i], num_indices);
        opened[i].rows.resize(num_indices);
        for (std::size_t q = 0; q < num_indices; ++q) {
            for (std::size_t j = 0; j < rows_per_leaf; ++j) {
                std::vector<Fp>& row = opened[i].rows[q].emplace_back();
                for (const auto& [group, rows] : groups_of_trees[i]) {
                    const std::size_t first = (q * rows_per_leaf + j) * group.count;
                    for (std::size_t c = 0; c < group.count; ++c) row.push_back(rows[first + c]);
                }
            }
        }
    }
    return opened;
}

// -----------------------------------------------------------------------------------------------------------------

ExtCodeword::ExtCodeword(Device& device, const NttRoots& roots, Address coeffs, unsigned log_n, unsigned log_blowup,
                         unsigned k, std::int64_t num_pending_kernels)
    : device_(device),
      log_rows_(log_n + log_blowup),
      planes_(device.arena().take_words("ext_codeword", 4 * codeword_stride(log_rows_))),
      tree_(device, log_rows_, k) {
    Recorder& recorder = device.recorder();
    const Buffer state = device.arena().take_words("row_hashes", tree_.num_state_words());
    recorder.next_stage();
    record_encode(recorder, roots, {coeffs, 1, 4, 4}, columns(), log_n, log_blowup);
    tree_.record_rows(recorder, columns(), state.address(), true, true);
    const auto root = tree_.record_layers(recorder, state.address());
    recorder.submit_and_wait(num_pending_kernels + num_ntt_passes(log_n) + 1 + tree_.num_layer_kernels());
    root_ = root[0];
}

NttColumns ExtCodeword::columns() const {
    return {planes_.address(), codeword_stride(log_rows_), 1, 4};
}

OpenedLeaves<Fp4> ExtCodeword::open(std::span<const std::uint32_t> indices) const {
    Recorder& recorder = device_.recorder();
    const auto num_indices = static_cast<std::uint32_t>(indices.size());
    const Address indices_address = recorder.upload(indices);
    const auto values = tree_.record_leaf_rows<Fp4>(recorder, columns(), indices_address, num_indices);
    const auto siblings = tree_.record_paths(recorder, indices_address, num_indices);
    recorder.submit_and_wait(1 + tree_.num_path_kernels());
    OpenedLeaves<Fp4> opened;
    opened.paths = tree_.split_paths(siblings, num_indices);
    const std::size_t rows_per_leaf = std::size_t{1} << tree_.k();
    opened.rows.resize(num_indices);
    for (std::size_t q = 0; q < num_indices; ++q) {
        for (std::size_t j = 0; j < rows_per_leaf; ++j) opened.rows[q].push_back(values[q * rows_per_leaf + j]);
    }
    return opened;
}

}  // namespace whorl::gpu
