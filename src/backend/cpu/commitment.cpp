#include "backend/cpu/commitment.hpp"

#include <algorithm>

#include "backend/cpu/parallel.hpp"
#include "backend/cpu/tile.hpp"
#include "field/simd.hpp"
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

CodeMatrix commit_stacked(const SystemParams& params, const StackedLayout& layout,
                          std::span<const std::uint32_t* const> slice_words, Telemetry* telemetry) {
    const unsigned l = params.l_skip;
    const unsigned log_height = params.log_stacked_height();
    const unsigned log_rows = params.log_codeword_height();
    const std::size_t height = std::size_t{1} << log_height;
    const std::size_t stride = padded_size(std::size_t{1} << log_rows);
    WordBuffer words(layout.width * stride);
    {
        Span span(telemetry, "rs_code_matrix");
        span.set("columns", static_cast<std::int64_t>(layout.width));
        span.set("bytes", static_cast<std::int64_t>(words.size() * sizeof(std::uint32_t)));
        const SkipDomain domain(l);
        // Slices lie in order of their stacked column.
        std::vector<std::size_t> first_slice(layout.width + 1, layout.slices.size());
        for (std::size_t s = layout.slices.size(); s-- > 0;) first_slice[layout.slices[s].stacked_column] = s;
        for_each_index(std::uint32_t{0}, layout.width, [&](std::uint32_t column) {
            std::uint32_t* codeword = words.data() + column * stride;
            std::uint32_t* message = codeword + (std::size_t{1} << log_rows) - height;
            std::size_t end = 0;
            for (std::size_t s = first_slice[column]; s < first_slice[column + 1]; ++s) {
                const StackedSlice& slice = layout.slices[s];
                const std::size_t rows = std::size_t{1} << slice.log_height;
                if (slice.log_height >= l) {
                    std::copy_n(slice_words[s], rows, message + slice.row);
                } else {
                    std::fill_n(message + slice.row, domain.size(), 0);
                    for (std::size_t i = 0; i < rows; ++i)
                        message[slice.row + (i << (l - slice.log_height))] = slice_words[s][i];
                }
                end = slice.row + std::max(rows, domain.size());
            }
            std::fill(message + end, message + height, 0);
            parallel_chunks(end >> l, 1024, [&](std::size_t begin, std::size_t stop) {
                domain.to_message(message + (begin << l), stop - begin);
            });
            reed_solomon_encode(codeword, log_height, params.log_blowup);
        });
    }
    return CodeMatrix(std::move(words), layout.width, stride, log_rows, params.whir.k, telemetry);
}

}  // namespace whorl::cpu
