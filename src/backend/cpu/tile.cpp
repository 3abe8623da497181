#include "backend/cpu/tile.hpp"

#include "field/simd.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "backend/cpu/tile.cpp"
#include <hwy/foreach_target.h>
// clang-format off: foreach_target comes first
#include <hwy/highway.h>
#include "field/packed-inl.hpp"
// clang-format on

#include <algorithm>
#include <cstring>

#include "transforms/ntt.hpp"

HWY_BEFORE_NAMESPACE();
namespace whorl {
namespace HWY_NAMESPACE {
namespace {

using cpu::kTileBlocks;

constexpr std::size_t kLanes = HWY_TARGET == HWY_AVX3 ? 16 : HWY_TARGET == HWY_AVX2 ? 8 : 4;

// Rows become columns in each 4 × 4 square of 128-bit parts.
HWY_INLINE void transpose_squares(V& a, V& b, V& c, V& d) {
    const auto low_ab = hn::BitCast(D64(), hn::InterleaveLower(D32(), a, b));
    const auto low_cd = hn::BitCast(D64(), hn::InterleaveLower(D32(), c, d));
    const auto high_ab = hn::BitCast(D64(), hn::InterleaveUpper(D32(), a, b));
    const auto high_cd = hn::BitCast(D64(), hn::InterleaveUpper(D32(), c, d));
    a = hn::BitCast(D32(), hn::InterleaveLower(D64(), low_ab, low_cd));
    b = hn::BitCast(D32(), hn::InterleaveUpper(D64(), low_ab, low_cd));
    c = hn::BitCast(D32(), hn::InterleaveLower(D64(), high_ab, high_cd));
    d = hn::BitCast(D32(), hn::InterleaveUpper(D64(), high_ab, high_cd));
}

// Rows become columns.
HWY_INLINE void transpose(V* HWY_RESTRICT v) {
    for (std::size_t i = 0; i < kLanes; i += 4) transpose_squares(v[i], v[i + 1], v[i + 2], v[i + 3]);
#if HWY_TARGET == HWY_AVX3
    for (std::size_t i = 0; i < 4; ++i) {
        const __m512i a = v[i].raw, b = v[4 + i].raw, c = v[8 + i].raw, d = v[12 + i].raw;
        const __m512i low_ab = _mm512_shuffle_i32x4(a, b, 0x44), high_ab = _mm512_shuffle_i32x4(a, b, 0xee);
        const __m512i low_cd = _mm512_shuffle_i32x4(c, d, 0x44), high_cd = _mm512_shuffle_i32x4(c, d, 0xee);
        v[i] = V{_mm512_shuffle_i32x4(low_ab, low_cd, 0x88)};
        v[4 + i] = V{_mm512_shuffle_i32x4(low_ab, low_cd, 0xdd)};
        v[8 + i] = V{_mm512_shuffle_i32x4(high_ab, high_cd, 0x88)};
        v[12 + i] = V{_mm512_shuffle_i32x4(high_ab, high_cd, 0xdd)};
    }
#elif HWY_TARGET == HWY_AVX2
    for (std::size_t i = 0; i < 4; ++i) {
        const V a = v[i], b = v[4 + i];
        v[i] = hn::ConcatLowerLower(D32(), b, a);
        v[4 + i] = hn::ConcatUpperUpper(D32(), b, a);
    }
#endif
}

// tile[z][x] = words[x·n + z] for z < n and x < num_blocks.
void BlocksToTile(const std::uint32_t* words, std::size_t n, std::size_t num_blocks, std::uint32_t* tile) {
    std::size_t x = 0;
    for (; n >= kLanes && x + kLanes <= num_blocks; x += kLanes) {
        for (std::size_t z = 0; z < n; z += kLanes) {
            V v[kLanes];
            for (std::size_t i = 0; i < kLanes; ++i) v[i] = load(words + (x + i) * n + z);
            transpose(v);
            for (std::size_t i = 0; i < kLanes; ++i) store(v[i], tile + (z + i) * kTileBlocks + x);
        }
    }
    for (; x < num_blocks; ++x) {
        for (std::size_t z = 0; z < n; ++z) tile[z * kTileBlocks + x] = words[x * n + z];
    }
}

// words[x·n + k] = tile[order[k]][x] for k < n and x < num_blocks.
void TileToBlocks(const std::uint32_t* tile, std::size_t n, std::size_t num_blocks, const std::uint32_t* order,
                  std::uint32_t* words) {
    std::size_t x = 0;
    for (; n >= kLanes && x + kLanes <= num_blocks; x += kLanes) {
        for (std::size_t k = 0; k < n; k += kLanes) {
            V v[kLanes];
            for (std::size_t i = 0; i < kLanes; ++i) v[i] = load(tile + order[k + i] * kTileBlocks + x);
            transpose(v);
            for (std::size_t i = 0; i < kLanes; ++i) store(v[i], words + (x + i) * n + k);
        }
    }
    for (; x < num_blocks; ++x) {
        for (std::size_t k = 0; k < n; ++k) words[x * n + k] = tile[order[k] * kTileBlocks + x];
    }
}

// Decimation in frequency down the tile; natural order in, bit-reversed out, unscaled.
HWY_INLINE void InverseTile(std::uint32_t* tile, std::size_t n, const std::uint32_t* twiddles) {
    for (std::size_t half = n / 2; half >= 1; half /= 2) {
        for (std::size_t at = 0; at < n; at += 2 * half) {
            for (std::size_t i = 0; i < half; ++i) {
                const V t = broadcast_word(twiddles[half + i]);
                std::uint32_t* p = tile + (at + i) * kTileBlocks;
                std::uint32_t* q = p + half * kTileBlocks;
                for (std::size_t x = 0; x < kTileBlocks; x += num_lanes()) {
                    const V a = load(p + x), b = load(q + x);
                    store(add(a, b), p + x);
                    store(i == 0 ? sub(a, b) : mul(sub(a, b), t), q + x);
                }
            }
        }
    }
}

// Decimation in time down the tile; bit-reversed in, natural order out; the last layer writes `out`.
HWY_INLINE void ForwardTile(std::uint32_t* tile, std::size_t n, const std::uint32_t* twiddles, std::uint32_t* out,
                            std::size_t out_stride) {
    if (n == 1) {
        std::copy_n(tile, kTileBlocks, out);
        return;
    }
    for (std::size_t half = 1; half < n; half *= 2) {
        const bool is_last = 2 * half == n;
        std::uint32_t* dst = is_last ? out : tile;
        const std::size_t stride = is_last ? out_stride : kTileBlocks;
        for (std::size_t at = 0; at < n; at += 2 * half) {
            for (std::size_t i = 0; i < half; ++i) {
                const V t = broadcast_word(twiddles[half + i]);
                const std::uint32_t* p = tile + (at + i) * kTileBlocks;
                const std::uint32_t* q = p + half * kTileBlocks;
                std::uint32_t* po = dst + (at + i) * stride;
                std::uint32_t* qo = dst + (at + i + half) * stride;
                for (std::size_t x = 0; x < kTileBlocks; x += num_lanes()) {
                    const V a = load(p + x);
                    const V b = i == 0 ? load(q + x) : mul(load(q + x), t);
                    store(add(a, b), po + x);
                    store(sub(a, b), qo + x);
                }
            }
        }
    }
}

void TileToCoset(std::uint32_t* tile, std::size_t n, const std::uint32_t* inverse, const std::uint32_t* forward,
                 const std::uint32_t* factors, std::uint32_t* out, std::size_t out_stride) {
    InverseTile(tile, n, inverse);
    for (std::size_t k = 0; k < n; ++k) {
        const V factor = broadcast_word(factors[k]);
        std::uint32_t* p = tile + k * kTileBlocks;
        for (std::size_t x = 0; x < kTileBlocks; x += num_lanes()) store(mul(load(p + x), factor), p + x);
    }
    ForwardTile(tile, n, forward, out, out_stride);
}

void TileToMessage(std::uint32_t* tile, std::size_t n, const std::uint32_t* inverse, std::uint32_t scale) {
    InverseTile(tile, n, inverse);
    const V factor = broadcast_word(scale);
    for (std::size_t i = 0; i < n * kTileBlocks; i += num_lanes()) store(mul(load(tile + i), factor), tile + i);
    // Subset sums over the index bits; the order of the bits, reversed or not, does not matter.
    for (std::size_t bit = 1; bit < n; bit *= 2) {
        for (std::size_t k = 0; k < n; ++k) {
            if ((k & bit) == 0) continue;
            std::uint32_t* p = tile + k * kTileBlocks;
            const std::uint32_t* q = p - bit * kTileBlocks;
            for (std::size_t x = 0; x < kTileBlocks; x += num_lanes()) store(add(load(p + x), load(q + x)), p + x);
        }
    }
}

void FoldTile(const std::uint32_t* tile, std::size_t n, const Fp4* weights, std::uint32_t* out,
              std::size_t out_stride) {
    for (std::size_t x = 0; x < kTileBlocks; x += num_lanes()) {
        Wide acc[4];
        for (Wide& a : acc) a = {hn::Zero(D64()), hn::Zero(D64())};
        for (std::size_t z = 0; z < n; ++z) {
            const V v = load(tile + z * kTileBlocks + x);
            const V v_odd = odd_lanes(v);
            for (unsigned c = 0; c < 4; ++c) {
                const V w = broadcast(weights[z].c[c]);
                wide_mul_add(acc[c], v, v_odd, w, w);
                // Below p·2^32 + 2p² < 2^64 between folds.
                if (z % 2 == 1) fold_high(acc[c]);
            }
        }
        for (unsigned c = 0; c < 4; ++c) store(wide_reduce(acc[c]), out + c * out_stride + x);
    }
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace whorl
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace whorl {
HWY_EXPORT(BlocksToTile);
HWY_EXPORT(TileToBlocks);
HWY_EXPORT(TileToCoset);
HWY_EXPORT(TileToMessage);
HWY_EXPORT(FoldTile);
}  // namespace whorl

namespace whorl::cpu {

void load_tile(const ColumnView& column, unsigned l, std::size_t first_block, std::size_t num_blocks,
               std::size_t row_offset, std::size_t num_rows, std::uint32_t* tile) {
    const std::size_t n = std::size_t{1} << l;
    if (num_blocks < kTileBlocks) std::memset(tile, 0, num_rows * kTileBlocks * sizeof(std::uint32_t));
    const std::size_t begin = first_block * n + row_offset;
    const std::size_t end = begin + (num_blocks - 1) * n + num_rows;
    if (end <= column.height) {
        const std::uint32_t* src = column.words + begin;
        HWY_DYNAMIC_DISPATCH(BlocksToTile)(src, n, num_blocks, tile);
        for (std::size_t z = n; z < num_rows; ++z) {
            for (std::size_t x = 0; x < num_blocks; ++x) tile[z * kTileBlocks + x] = src[x * n + z];
        }
        return;
    }
    const std::size_t mask = column.height - 1;
    for (std::size_t z = 0; z < num_rows; ++z) {
        for (std::size_t x = 0; x < num_blocks; ++x) {
            tile[z * kTileBlocks + x] = column.words[(begin + x * n + z) & mask];
        }
    }
}

SkipDomain::SkipDomain(unsigned l) : l_(l), forward_(size()), inverse_(size()), bit_reversed_(size()) {
    for (unsigned log_half = 0; log_half < l; ++log_half) {
        const Fp w = two_adic_generator(log_half + 1);
        const Fp w_inverse = w.inverse();
        Fp power = Fp::one(), power_inverse = Fp::one();
        for (std::size_t i = 0; i < std::size_t{1} << log_half; ++i) {
            forward_[(std::size_t{1} << log_half) + i] = power.montgomery();
            inverse_[(std::size_t{1} << log_half) + i] = power_inverse.montgomery();
            power *= w;
            power_inverse *= w_inverse;
        }
    }
    for (std::size_t k = 0; k < size(); ++k) bit_reversed_[k] = static_cast<std::uint32_t>(reverse_bits(k, l));
}

void SkipDomain::to_coset(std::uint32_t* tile, Fp shift, std::uint32_t* out, std::size_t out_stride) const {
    std::vector<std::uint32_t> factors(size());
    Fp factor = Fp::half().pow(l_);
    for (std::size_t k = 0; k < size(); ++k, factor *= shift) factors[bit_reversed_[k]] = factor.montgomery();
    HWY_DYNAMIC_DISPATCH(TileToCoset)
    (tile, size(), inverse_.data(), forward_.data(), factors.data(), out, out_stride);
}

void SkipDomain::to_message(std::uint32_t* words, std::size_t num_blocks) const {
    const std::uint32_t scale = Fp::half().pow(l_).montgomery();
    std::vector<std::uint32_t> tile(size() * kTileBlocks);
    const ColumnView view{words, num_blocks * size()};
    for (std::size_t block = 0; block < num_blocks; block += kTileBlocks) {
        const std::size_t blocks = std::min(kTileBlocks, num_blocks - block);
        load_tile(view, l_, block, blocks, 0, size(), tile.data());
        HWY_DYNAMIC_DISPATCH(TileToMessage)(tile.data(), size(), inverse_.data(), scale);
        HWY_DYNAMIC_DISPATCH(TileToBlocks)
        (tile.data(), size(), blocks, bit_reversed_.data(), words + block * size());
    }
}

void fold_tile(const std::uint32_t* tile, std::span<const Fp4> weights, std::uint32_t* out, std::size_t out_stride) {
    HWY_DYNAMIC_DISPATCH(FoldTile)(tile, weights.size(), weights.data(), out, out_stride);
}

}  // namespace whorl::cpu
#endif
