// Blocks of N = 2^l consecutive rows, many blocks at once: the prismalinear form of a column seen with one block a lane.
//
// A tile holds kTileBlocks blocks: tile[z · kTileBlocks + lane] is row z of block `lane`. Transforms over the skip domain
// then run down the tile, every lane alike.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <whorl/field.hpp>

namespace whorl::cpu {

inline constexpr std::size_t kTileBlocks = 64;

/// A column as the constraint system sees it: `height` rows, cyclically repeated.
struct ColumnView {
    const std::uint32_t* words = nullptr;
    std::size_t height = 0;
};

/// tile[z][lane] = column[(first_block + lane)·N + z + row_offset mod height] for z < num_rows and lane < num_blocks; zero in
/// the other lanes. num_rows is N, or N + 1 to see the first row of the next block too.
void load_tile(const ColumnView& column, unsigned l, std::size_t first_block, std::size_t num_blocks,
               std::size_t row_offset, std::size_t num_rows, std::uint32_t* tile);

/// Transforms between D and its cosets for one l.
class SkipDomain {
public:
    explicit SkipDomain(unsigned l);
    unsigned l() const { return l_; }
    std::size_t size() const { return std::size_t{1} << l_; }

    /// Values on D, one block a lane (destroyed), to values on shift·D; row z of the result is at out + z · out_stride.
    void to_coset(std::uint32_t* tile, Fp shift, std::uint32_t* out, std::size_t out_stride) const;
    /// Values on D to the Reed–Solomon message of PROTOCOL.md 8.1, in place, N consecutive words a block.
    /// `words` holds num_blocks · N words.
    void to_message(std::uint32_t* words, std::size_t num_blocks) const;

private:
    unsigned l_;
    std::vector<std::uint32_t> forward_;  // layer with half h at h: w_2h^i
    std::vector<std::uint32_t> inverse_;
    std::vector<std::uint32_t> bit_reversed_;
};

/// out[lane] = Σ_z weights[z]·tile[first_row + z][lane]: extension planes kTileBlocks long, `out_stride` apart.
void fold_tile(const std::uint32_t* tile, std::span<const Fp4> weights, std::uint32_t* out, std::size_t out_stride);

}  // namespace whorl::cpu
