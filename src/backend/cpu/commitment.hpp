// Committing to stacked trace columns: message, Reed–Solomon code, Merkle tree (PROTOCOL.md sections 8.1, 9, 10).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <whorl/params.hpp>
#include <whorl/telemetry.hpp>

#include "backend/cpu/buffer.hpp"
#include "backend/cpu/merkle.hpp"
#include "proof/layout.hpp"

namespace whorl::cpu {

/// Codewords as columns of words, bit-reversed, with their tree.
class CodeMatrix {
public:
    /// `words` holds `width` columns `stride` apart, 2^log_rows rows each.
    CodeMatrix(WordBuffer words, std::size_t width, std::size_t stride, unsigned log_rows, unsigned k,
               Telemetry* telemetry);

    Digest root() const { return tree_.root(); }
    std::size_t width() const { return width_; }
    MerklePath path(std::size_t leaf) const { return tree_.path(leaf); }
    /// Row j of leaf q, that is row q + j·2^(log_rows − k) in natural order.
    std::vector<Fp> leaf_row(std::size_t leaf, std::size_t j) const;

private:
    WordBuffer words_;
    std::size_t width_;
    std::size_t stride_;
    unsigned log_rows_;
    unsigned k_;
    MerkleTree tree_;
};

/// Commits to the columns of `layout`; column_words[s] are the rows of slice s.
CodeMatrix commit_stacked(const SystemParams& params, const StackedLayout& layout,
                          std::span<const std::uint32_t* const> slice_words, Telemetry* telemetry);

}  // namespace whorl::cpu
