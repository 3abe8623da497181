// Merkle trees over columns of codewords, leaves of 2^k rows (PROTOCOL.md section 10).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include <whorl/proof.hpp>

#include "backend/cpu/buffer.hpp"

namespace whorl::cpu {

/// A tree over 2^log_rows rows given as bit-reversed columns: leaf q, whose rows are q, q + S, … in natural order, is then
/// the run of 2^k neighbours at bitrev(q), and siblings of a layer are half the layer apart.
class MerkleTree {
public:
    MerkleTree() = default;
    MerkleTree(std::span<const std::uint32_t* const> columns, unsigned log_rows, unsigned k);
    /// Over 2^log_leaves leaf digests, which `write_leaves(planes, stride)` writes: word w of the leaf at position i (leaf
    /// bitrev(i)) to planes[w · stride + i].
    MerkleTree(unsigned log_leaves, const std::function<void(std::uint32_t*, std::size_t)>& write_leaves);

    Digest root() const { return node(layers_.size() - 1, 0); }
    /// Siblings from the leaf layer upwards for leaf q (natural order).
    MerklePath path(std::size_t q) const;
    unsigned depth() const { return static_cast<unsigned>(layers_.size()) - 1; }

private:
    struct Layer {
        WordBuffer planes;  // eight planes of digests
        std::size_t stride = 0;
    };
    Digest node(std::size_t layer, std::size_t i) const;

    std::vector<Layer> layers_;
};

}  // namespace whorl::cpu
