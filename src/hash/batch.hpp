// Poseidon2 on many states at once, a state a vector lane; the best instruction set is chosen at run time.
//
// Words are Montgomery representatives. A layer of digests is eight planes: word w of digest i is at
// planes[w · stride + i]. Arrays have room for whole vectors (kLaneAlignment).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "hash/poseidon2.hpp"

namespace whorl {

/// Hashes rows first … first + count of a column-major matrix (the sponge of PROTOCOL.md 3.2), and folds each run of
/// 2^log_fold rows to one digest. `columns[c]` points at row 0 of column c. Rows of a run are in bit-reversed order: the tree
/// of PROTOCOL.md section 10 over the natural order. Writes count >> log_fold digests at digests[w · stride + (first >> log_fold)].
/// count is a multiple of 2^log_fold; up to 15 digests past the end may be overwritten.
void hash_rows(std::span<const std::uint32_t* const> columns, std::size_t first, std::size_t count, unsigned log_fold,
               std::uint32_t* digests, std::size_t stride);

/// Words of sponge states and of digests on the way, for tiles of rows of a matrix that is seen a few columns at a time.
class RowSponges {
public:
    explicit RowSponges(std::size_t max_rows);

    /// Begins with zero states for `count` rows, count ≤ max_rows.
    void start(std::size_t count);
    /// Absorbs further columns: columns[c] points at the first row. Their number is a multiple of 8 in all calls but the last.
    void absorb(std::span<const std::uint32_t* const> columns);
    /// Folds each run of 2^log_fold rows, which divides count, to one digest, as hash_rows() does; writes count >> log_fold
    /// digests from digests[w · stride] on.
    void finish(unsigned log_fold, std::uint32_t* digests, std::size_t stride);

private:
    std::size_t stride_;
    std::size_t count_ = 0;
    std::vector<std::uint32_t> planes_;  // 16, `stride_` apart
};

/// out[i] = compress(left[i], right[i]) for i < count.
void compress_layer(const std::uint32_t* left, const std::uint32_t* right, std::size_t in_stride, std::size_t count,
                    std::uint32_t* out, std::size_t out_stride);

/// Permutes count states in 16 planes in place.
void permute_states(std::uint32_t* states, std::size_t stride, std::size_t count);

/// The smallest w in [first, first + count) such that absorbing w at `absorb_index` into `state` and permuting leaves
/// a word 7 whose canonical value has `num_bits` low zero bits (PROTOCOL.md section 4, grind).
std::optional<std::uint32_t> find_witness(const PoseidonState& state, unsigned absorb_index, unsigned num_bits,
                                          std::uint32_t first, std::uint32_t count);

}  // namespace whorl
