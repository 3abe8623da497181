#include "verifier/merkle.hpp"

#include <algorithm>

#include "hash/poseidon2.hpp"

namespace whorl::verifier {
namespace {

// One digest a row: the sponge hash of PROTOCOL.md 3.2.
std::vector<Digest> hash_rows(std::span<const std::span<const Fp>> rows) {
    std::vector<Digest> digests(rows.size());
    std::ranges::transform(rows, digests.begin(), hash_slice);
    return digests;
}

}  // namespace

std::optional<BadOpening> check_merkle_openings(const Digest& root, std::span<const std::span<const Fp>> rows,
                                                std::size_t rows_per_leaf, std::span<const MerklePath> paths,
                                                std::span<const std::uint32_t> indices) {
    // Layer by layer over all queries, so that each layer is one batch of independent permutations.
    std::vector<Digest> nodes = hash_rows(rows);
    for (std::size_t width = rows_per_leaf; width > 1; width /= 2) {
        for (std::size_t i = 0; i < nodes.size() / 2; ++i) nodes[i] = compress(nodes[2 * i], nodes[2 * i + 1]);
        nodes.resize(nodes.size() / 2);
    }
    const std::size_t depth = paths.empty() ? 0 : paths.front().size();
    for (std::size_t level = 0; level < depth; ++level) {
        for (std::size_t q = 0; q < nodes.size(); ++q) {
            const Digest& sibling = paths[q][level];
            const bool is_right = (indices[q] >> level) & 1;
            nodes[q] = is_right ? compress(sibling, nodes[q]) : compress(nodes[q], sibling);
        }
    }
    for (std::size_t q = 0; q < nodes.size(); ++q) {
        if (nodes[q] != root) return BadOpening{q, nodes[q]};
    }
    return std::nullopt;
}

}  // namespace whorl::verifier
