// Opened leaves against a Merkle root (PROTOCOL.md section 10), many at once.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include <whorl/proof.hpp>

namespace whorl::verifier {

/// A leaf that hashes to another root than the commitment.
struct BadOpening {
    std::size_t query = 0;
    Digest root{};
};

/// Query q opens leaf indices[q]: rows [q·rows_per_leaf, (q + 1)·rows_per_leaf) of `rows`, with siblings paths[q].
/// rows_per_leaf is a power of two, all rows have one width and all paths one depth. Returns the first query whose
/// leaf is not under `root`. On at most num_threads threads, the caller's among them.
std::optional<BadOpening> check_merkle_openings(const Digest& root, std::span<const std::span<const Fp>> rows,
                                                std::size_t rows_per_leaf, std::span<const MerklePath> paths,
                                                std::span<const std::uint32_t> indices, std::uint32_t num_threads);

}  // namespace whorl::verifier
