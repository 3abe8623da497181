#include "backend/cpu/commitment.hpp"

#include <algorithm>
#include <utility>

#include "backend/cpu/parallel.hpp"
#include "field/simd.hpp"
#include "hash/batch.hpp"
#include "transforms/ntt.hpp"

namespace whorl::cpu {
namespace {

MerkleTree make_tree(const WordBuffer& words, std::size_t width, std::size_t stride, unsigned log_rows, unsigned k,
                     Telemetry* telemetry) {
    const Span span(telemetry, "merkle_tree");
    std::vector<const std::uint32_t*> columns;
    for (std::size_t c = 0; c < width; ++c) columns.push_back(words.data() + c * stride);
    return MerkleTree(columns, log_rows, k);
}

}  // namespace

CodeMatrix::CodeMatrix(WordBuffer words, std::size_t width, std::size_t stride, unsigned log_rows, unsigned k,
                       Telemetry* telemetry)
    : words_(std::move(words)),
      width_(width),
      stride_(stride),
      log_rows_(log_rows),
      k_(k),
      tree_(make_tree(words_, width, stride, log_rows, k, telemetry)) {}

std::vector<Fp> CodeMatrix::leaf_row(std::size_t leaf, std::size_t j) const {
    const std::size_t at = (reverse_bits(leaf, log_rows_ - k_) << k_) + reverse_bits(j, k_);
    std::vector<Fp> row(width_);
    for (std::size_t c = 0; c < width_; ++c) row[c] = Fp::from_montgomery(words_.data()[c * stride_ + at]);
    return row;
}

namespace {

static_assert(ParamLimits::kMaxWhirFolding <= BlockNtt::kMinLogBlock, "a leaf lies in one block");

// A multiple of 8; that many columns of a block stay in L2 beside the states of its rows.
constexpr std::size_t kGroupColumns = 32;

/// Finishes blocks of columns, some at a time.
class BlockFinisher {
public:
    explicit BlockFinisher(const BlockNtt& ntt)
        : ntt_(ntt),
          size_(std::size_t{1} << ntt.log_block()),
          stride_(size_ + kLaneAlignment),
          words_(kGroupColumns * stride_) {}

    /// The columns whose blocks lie at first + c · stride, c < num_columns; valid until the next call.
    std::span<const std::uint32_t* const> finish(const std::uint32_t* first, std::size_t stride,
                                                 std::size_t num_columns) {
        columns_.clear();
        for (std::size_t c = 0; c < num_columns; ++c) {
            std::uint32_t* block = words_.data() + c * stride_;
            std::copy_n(first + c * stride, size_, block);
            ntt_.finish(block);
            columns_.push_back(block);
        }
        return columns_;
    }

private:
    const BlockNtt& ntt_;
    std::size_t size_;
    std::size_t stride_;  // not a power of two: the columns would share the sets of a cache
    std::vector<std::uint32_t> words_;
    std::vector<const std::uint32_t*> columns_;
};

}  // namespace

StackedCommitment::StackedCommitment(const SystemParams& params, const StackedLayout& layout,
                                     std::vector<const std::uint32_t*> slice_words, Telemetry* telemetry,
                                     const std::function<void(double fraction)>& reach)
    : params_(params),
      layout_(&layout),
      slice_words_(std::move(slice_words)),
      first_slice_(layout.width + 1, layout.slices.size()),
      domain_(params.l_skip) {
    // Slices lie in order of their stacked column.
    for (std::size_t s = layout.slices.size(); s-- > 0;) first_slice_[layout.slices[s].stacked_column] = s;
    if (!is_made_by_blocks(params.log_stacked_height())) {
        code_.emplace(make_code(telemetry));
        return;
    }
    const std::size_t height = std::size_t{1} << params.log_stacked_height();
    WordBuffer message(height);
    WordBuffer blocks(layout.width * height);
    tree_.emplace(params.log_codeword_height() - params.whir.k, [&](std::uint32_t* leaves, std::size_t stride) {
        const std::size_t num_parts = std::size_t{1} << params.log_blowup;
        for (std::size_t part = 0; part < num_parts; ++part) {
            hash_part(part, message, blocks, leaves, stride, telemetry);
            if (reach) reach(static_cast<double>(part + 1) / static_cast<double>(num_parts));
        }
    });
}

void StackedCommitment::hash_part(std::size_t part, WordBuffer& message, WordBuffer& blocks, std::uint32_t* leaves,
                                  std::size_t stride, Telemetry* telemetry) const {
    const unsigned log_height = params_.log_stacked_height();
    const std::size_t height = std::size_t{1} << log_height;
    const std::size_t width = layout_->width;
    const BlockNtt ntt(log_height, code_part_shift(log_height, params_.log_blowup, part));
    {
        Span span(telemetry, "rs_code_matrix");
        span.set("columns", static_cast<std::int64_t>(width));
        span.set("bytes", static_cast<std::int64_t>(blocks.size() * sizeof(std::uint32_t)));
        for (std::uint32_t column = 0; column < width; ++column) {
            write_message(column, message.data());
            ntt.spread(message.data(), blocks.data() + column * height);
        }
    }
    const Span span(telemetry, "merkle_tree");
    const std::size_t rows = std::size_t{1} << ntt.log_block();
    for_each_part(tbb::blocked_range<std::size_t>(0, ntt.num_blocks()), [&](const auto& range) {
        BlockFinisher finisher(ntt);
        RowSponges sponges(rows);
        for (std::size_t r = range.begin(); r < range.end(); ++r) {
            sponges.start(rows);
            for (std::size_t c = 0; c < width; c += kGroupColumns) {
                sponges.absorb(
                    finisher.finish(blocks.data() + c * height + r * rows, height, std::min(kGroupColumns, width - c)));
            }
            sponges.finish(params_.whir.k, leaves + ((part * height + r * rows) >> params_.whir.k), stride);
        }
    });
}

// A transform that fits in L1 has no blocks.
bool StackedCommitment::is_made_by_blocks(unsigned log_height) {
    return log_height >= BlockNtt::kMinLogSize;
}

Digest StackedCommitment::root() const {
    return code_ ? code_->root() : tree_->root();
}

MerklePath StackedCommitment::path(std::size_t leaf) const {
    return code_ ? code_->path(leaf) : tree_->path(leaf);
}

// Of the parts of the code that have an opened leaf: the blocks that the leaves lie in.
struct StackedCommitment::OpenedPart {
    struct Leaf {
        std::size_t index;  // among the opened ones
        std::size_t word;   // of its first row in `blocks`
    };
    BlockNtt ntt;
    std::vector<std::uint32_t> places{};  // by block
    std::uint32_t num_places = 0;
    std::vector<Leaf> leaves{};
    WordBuffer blocks{};
};

std::vector<StackedCommitment::OpenedPart> StackedCommitment::opened_parts(
    std::span<const std::uint32_t> leaves) const {
    const unsigned k = params_.whir.k;
    const unsigned log_height = params_.log_stacked_height();
    std::vector<OpenedPart> parts;
    const auto first_row = [&](std::size_t leaf) { return reverse_bits(leaf, params_.log_codeword_height() - k) << k; };
    for (std::size_t t = 0; t < std::size_t{1} << params_.log_blowup; ++t) {
        if (std::ranges::none_of(leaves, [&](std::size_t leaf) { return first_row(leaf) >> log_height == t; }))
            continue;
        OpenedPart part{.ntt = BlockNtt(log_height, code_part_shift(log_height, params_.log_blowup, t))};
        const unsigned log_block = part.ntt.log_block();
        part.places.assign(part.ntt.num_blocks(), BlockNtt::kNowhere);
        for (std::size_t i = 0; i < leaves.size(); ++i) {
            const std::size_t first = first_row(leaves[i]);
            if (first >> log_height != t) continue;
            std::uint32_t& place = part.places[(first >> log_block) & (part.ntt.num_blocks() - 1)];
            if (place == BlockNtt::kNowhere) place = part.num_places++;
            const std::size_t row = first & ((std::size_t{1} << log_block) - 1);
            part.leaves.push_back({.index = i, .word = (std::size_t{place} << log_block) + row});
        }
        part.blocks = WordBuffer(std::size_t{part.num_places} << log_block);
        parts.push_back(std::move(part));
    }
    return parts;
}

std::vector<LeafRows> StackedCommitment::rows_of(std::span<const std::uint32_t> leaves, Telemetry* telemetry) const {
    const unsigned k = params_.whir.k;
    const std::size_t leaf_rows = std::size_t{1} << k;
    std::vector<LeafRows> rows(leaves.size(), LeafRows(leaf_rows));
    if (code_) {
        for (std::size_t i = 0; i < leaves.size(); ++i) {
            for (std::size_t j = 0; j < leaf_rows; ++j) rows[i][j] = code_->leaf_row(leaves[i], j);
        }
        return rows;
    }
    const Span span(telemetry, "open_rows");
    std::vector<OpenedPart> parts = opened_parts(leaves);
    for (LeafRows& leaf : rows) {
        for (std::vector<Fp>& row : leaf) row.resize(layout_->width);
    }
    WordBuffer message(std::size_t{1} << params_.log_stacked_height());
    for (std::uint32_t column = 0; column < layout_->width; ++column) {
        write_message(column, message.data());
        for (OpenedPart& part : parts) {
            const std::size_t block_rows = std::size_t{1} << part.ntt.log_block();
            part.ntt.spread_some(message.data(), part.places, part.blocks.data());
            parallel_chunks(part.num_places, 1, [&](std::size_t begin, std::size_t end) {
                for (std::size_t i = begin; i < end; ++i) part.ntt.finish(part.blocks.data() + i * block_rows);
            });
            for (const OpenedPart::Leaf& leaf : part.leaves) {
                const std::uint32_t* words = part.blocks.data() + leaf.word;
                for (std::size_t j = 0; j < leaf_rows; ++j) {
                    rows[leaf.index][j][column] = Fp::from_montgomery(words[reverse_bits(j, k)]);
                }
            }
        }
    }
    return rows;
}

void StackedCommitment::write_message(std::uint32_t column, std::uint32_t* message) const {
    // A chunk stays in L2 between copy and transform, and is a multiple of a block of the skip domain.
    constexpr std::size_t kChunkRows = std::size_t{1} << 14;
    static_assert(kChunkRows >> ParamLimits::kMaxLSkip != 0);
    const std::span<const StackedSlice> slices =
        std::span(layout_->slices).subspan(first_slice_[column], first_slice_[column + 1] - first_slice_[column]);
    parallel_chunks(std::size_t{1} << params_.log_stacked_height(), kChunkRows,
                    [&](std::size_t begin, std::size_t end) {
                        // Slices lie one behind the other from row 0 on.
                        std::size_t filled = begin;
                        for (std::size_t s = 0; s < slices.size(); ++s) {
                            const StackedSlice& slice = slices[s];
                            const std::uint32_t* words = slice_words_[first_slice_[column] + s];
                            const std::size_t rows = std::size_t{1} << slice.log_height;
                            const std::size_t first = std::max<std::size_t>(begin, slice.row);
                            const std::size_t last = std::min(end, slice.row + std::max(rows, domain_.size()));
                            if (first >= last) continue;
                            if (slice.log_height >= params_.l_skip) {
                                std::copy(words + (first - slice.row), words + (last - slice.row), message + first);
                            } else {  // one block of the skip domain
                                std::fill(message + first, message + last, 0);
                                const unsigned log_step = params_.l_skip - slice.log_height;
                                for (std::size_t i = 0; i < rows; ++i) message[slice.row + (i << log_step)] = words[i];
                            }
                            filled = last;
                        }
                        domain_.to_message(message + begin, (filled - begin) >> params_.l_skip);
                        std::fill(message + filled, message + end, 0);
                    });
}

CodeMatrix StackedCommitment::make_code(Telemetry* telemetry) const {
    const unsigned log_height = params_.log_stacked_height();
    const unsigned log_rows = params_.log_codeword_height();
    const std::size_t stride = padded_size(std::size_t{1} << log_rows);
    WordBuffer words(layout_->width * stride);
    {
        Span span(telemetry, "rs_code_matrix");
        span.set("columns", static_cast<std::int64_t>(layout_->width));
        span.set("bytes", static_cast<std::int64_t>(words.size() * sizeof(std::uint32_t)));
        for_each_index(std::uint32_t{0}, layout_->width, [&](std::uint32_t column) {
            std::uint32_t* codeword = words.data() + column * stride;
            write_message(column, codeword + (std::size_t{1} << log_rows) - (std::size_t{1} << log_height));
            reed_solomon_encode(codeword, log_height, params_.log_blowup);
        });
    }
    return CodeMatrix(std::move(words), layout_->width, stride, log_rows, params_.whir.k, telemetry);
}

CommittedPart::CommittedPart(const SystemParams& params, const Matrix& matrix, Telemetry* telemetry)
    : layout_(stack_layout(params, matrix)),
      commitment_(params, layout_, words_of_slices(layout_, [&](std::uint32_t) { return &matrix; }), telemetry) {}

const StackedCommitment& commitment_of(CommittedMatrix::State& committed, Telemetry* telemetry) {
    const auto& part = committed.host_part(
        [&] { return std::make_unique<const CommittedPart>(committed.params, committed.matrix, telemetry); });
    return static_cast<const CommittedPart&>(part).commitment();
}

}  // namespace whorl::cpu
