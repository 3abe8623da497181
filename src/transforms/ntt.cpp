// The transform of size n = R·C, R = 2^log_rows, C = 2^log_cols, in two passes over memory (Bailey's four steps without the transposes):
// with i = r·C + c and k = k_r + R·k_c,
//   X[k] = Σ_c w_n^(c·k_r) · w_C^(c·k_c) · ( Σ_r w_R^(r·k_r) x[r·C + c] ).
// Pass 1 does the inner sums for 16 neighbouring c at a time in a tile that stays in L2, and multiplies by
// w_n^(c·k_r); pass 2 transforms each of the R contiguous blocks of C. Decimation in frequency throughout, so block
// positions and places inside blocks come out bit-reversed, and together they are bit-reversed k.

#include "transforms/ntt.hpp"

#include "field/simd.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "transforms/ntt.cpp"
#include <hwy/foreach_target.h>
// clang-format off: foreach_target comes first
#include <hwy/highway.h>
#include "field/packed-inl.hpp"
// clang-format on

#include <algorithm>
#include <array>
#include <bit>
#include <memory>
#include <mutex>
#include <vector>

#include "threads/parallel.hpp"

#ifndef WHORL_NTT_TYPES_
#define WHORL_NTT_TYPES_
namespace whorl {
namespace {

// Blocks up to this size are transformed in L1.
inline constexpr unsigned kLogMaxBlock = 12;
static_assert(BlockNtt::kMinLogSize == kLogMaxBlock + 1);
static_assert(BlockNtt::kMinLogBlock <= kLogMaxBlock);
inline constexpr unsigned kTileCols = 16;

// Pass 1 of one transform: factors for rows (shift^(r·C)) and for outputs ((shift·w_n^k_r)^c), the latter split into
// powers 0 … 15 and multiples of 16.
struct NttPass1 {
    const std::uint32_t* twiddles = nullptr;     // layer with half h at h: w_2h^i
    const std::uint32_t* row_shift = nullptr;    // [R] or null
    const std::uint32_t* low_powers = nullptr;   // [R][16]
    const std::uint32_t* high_powers = nullptr;  // [C/16][R]
    const std::uint32_t* places = nullptr;       // [R]: where block r goes, or kNowhere; null: all, in order
};

}  // namespace
}  // namespace whorl
#endif

HWY_BEFORE_NAMESPACE();
namespace whorl {
namespace HWY_NAMESPACE {
namespace {

// Swaps lanes i and i ^ distance.
template <int distance>
HWY_INLINE V swap_lanes(V v) {
    if constexpr (distance == 1) return hn::Reverse2(D32(), v);
    if constexpr (distance == 2) return hn::Shuffle1032(v);
#if HWY_TARGET == HWY_AVX3
    if constexpr (distance == 4) return V{_mm512_shuffle_i32x4(v.raw, v.raw, _MM_SHUFFLE(2, 3, 0, 1))};
    if constexpr (distance == 8) return V{_mm512_shuffle_i32x4(v.raw, v.raw, _MM_SHUFFLE(1, 0, 3, 2))};
#elif HWY_TARGET == HWY_AVX2
    if constexpr (distance == 4) return hn::ConcatLowerUpper(D32(), v, v);
#endif
}

// The layer with half < lanes on one vector: low lanes v + v', high lanes (v' − v)·twiddle. `twiddles` holds a whole
// vector with ones in the low lanes.
template <int half>
HWY_INLINE V small_layer(V v, const std::uint32_t* twiddles) {
    const V other = swap_lanes<half>(v);
    const auto high = hn::Ne(hn::And(hn::Iota(D32(), 0), hn::Set(D32(), half)), hn::Zero(D32()));
    const V sum = hn::IfThenElse(high, sub(other, v), add(other, v));
    if constexpr (half == 1) return sum;
    return mul(sum, load(twiddles));
}

// Decimation in frequency on 2^log_n contiguous words, at least one vector.
// `small`: four whole-vector twiddle tables (16 words each) for halves 1, 2, 4, 8.
void NttBlock(std::uint32_t* data, unsigned log_n, const std::uint32_t* twiddles, const std::uint32_t* small) {
    const std::size_t n = std::size_t{1} << log_n;
    const std::size_t lanes = num_lanes();
    std::size_t half = n / 2;
    // Two layers at a time while both halves are whole vectors.
    for (; half >= 2 * lanes; half /= 4) {
        const std::size_t quarter = half / 2;
        const std::uint32_t* tw1 = twiddles + half;
        const std::uint32_t* tw2 = twiddles + quarter;
        for (std::size_t at = 0; at < n; at += 2 * half) {
            std::uint32_t* p = data + at;
            for (std::size_t i = 0; i < quarter; i += lanes) {
                const V a = load(p + i), b = load(p + quarter + i);
                const V c = load(p + half + i), d = load(p + half + quarter + i);
                const V ac = add(a, c), bd = add(b, d);
                const V a_c = mul(sub(a, c), load(tw1 + i)), b_d = mul(sub(b, d), load(tw1 + quarter + i));
                const V t = load(tw2 + i);
                store(add(ac, bd), p + i);
                store(mul(sub(ac, bd), t), p + quarter + i);
                store(add(a_c, b_d), p + half + i);
                store(mul(sub(a_c, b_d), t), p + half + quarter + i);
            }
        }
    }
    for (; half >= lanes; half /= 2) {
        for (std::size_t at = 0; at < n; at += 2 * half) {
            for (std::size_t i = at; i < at + half; i += lanes) {
                const V a = load(data + i), b = load(data + half + i);
                store(add(a, b), data + i);
                store(mul(sub(a, b), load(twiddles + half + i - at)), data + half + i);
            }
        }
    }
    for (std::size_t i = 0; i < n; i += lanes) {
        V v = load(data + i);
#if HWY_TARGET == HWY_AVX3
        v = small_layer<8>(v, small + 48);
#endif
#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX2
        v = small_layer<4>(v, small + 32);
#endif
        v = small_layer<2>(v, small + 16);
        v = small_layer<1>(v, small);
        store(v, data + i);
    }
}

// Pass 1 on the 16 columns from `col`: reads x[r·C + col …], writes y there (`out` may be `in`).
void NttColumns(const std::uint32_t* in, std::uint32_t* out, unsigned log_rows, unsigned log_cols, std::size_t col,
                const NttPass1& pass, std::uint32_t* tile) {
    const std::size_t rows = std::size_t{1} << log_rows;
    const std::size_t cols = std::size_t{1} << log_cols;
    const std::size_t lanes = num_lanes();
    for (std::size_t r = 0; r < rows; ++r) {
        for (std::size_t i = 0; i < kTileCols; i += lanes) {
            V v = load(in + r * cols + col + i);
            if (pass.row_shift != nullptr) v = mul(v, broadcast_word(pass.row_shift[r]));
            store(v, tile + r * kTileCols + i);
        }
    }
    std::size_t half = rows / 2;
    for (; half >= 2; half /= 4) {
        const std::size_t quarter = half / 2;
        const std::size_t hs = half * kTileCols, qs = quarter * kTileCols;
        for (std::size_t at = 0; at < rows; at += 2 * half) {
            for (std::size_t r = 0; r < quarter; ++r) {
                const V t1 = broadcast_word(pass.twiddles[half + r]);
                const V t2 = broadcast_word(pass.twiddles[half + quarter + r]);
                const V t3 = broadcast_word(pass.twiddles[quarter + r]);
                std::uint32_t* p = tile + (at + r) * kTileCols;
                for (std::size_t i = 0; i < kTileCols; i += lanes, p += lanes) {
                    const V a = load(p), b = load(p + qs), c = load(p + hs), d = load(p + hs + qs);
                    const V ac = add(a, c), bd = add(b, d);
                    const V a_c = mul(sub(a, c), t1), b_d = mul(sub(b, d), t2);
                    store(add(ac, bd), p);
                    store(mul(sub(ac, bd), t3), p + qs);
                    store(add(a_c, b_d), p + hs);
                    store(mul(sub(a_c, b_d), t3), p + hs + qs);
                }
            }
        }
    }
    const std::uint32_t* high = pass.high_powers + (col / kTileCols) * rows;
    const auto finish = [&](std::size_t r, std::size_t i, V v) HWY_ATTR {
        std::size_t place = r;
        if (pass.places != nullptr) {
            if (pass.places[r] == BlockNtt::kNowhere) return;
            place = pass.places[r];
        }
        const V twiddle = mul(load(pass.low_powers + r * kTileCols + i), broadcast_word(high[r]));
        store(mul(v, twiddle), out + place * cols + col + i);
    };
    if (half == 1) {
        for (std::size_t r = 0; r < rows; r += 2) {
            for (std::size_t i = 0; i < kTileCols; i += lanes) {
                const V a = load(tile + r * kTileCols + i), b = load(tile + (r + 1) * kTileCols + i);
                finish(r, i, add(a, b));
                finish(r + 1, i, sub(a, b));
            }
        }
    } else {
        for (std::size_t r = 0; r < rows; ++r) {
            for (std::size_t i = 0; i < kTileCols; i += lanes) finish(r, i, load(tile + r * kTileCols + i));
        }
    }
}

// out[i] = in[i]·shift^i for i < n, given shift^0 … shift^15 and shift^16.
void ScaleByPowers(const std::uint32_t* in, std::uint32_t* out, std::size_t n, const std::uint32_t* first_powers,
                   Fp step) {
    const std::size_t lanes = num_lanes();
    for (std::size_t j = 0; j < kTileCols; j += lanes) {
        V power = load(first_powers + j);
        const V step_v = broadcast(step);
        for (std::size_t i = j; i < n; i += kTileCols) {
            store(mul(load(in + i), power), out + i);
            power = mul(power, step_v);
        }
    }
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace whorl
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace whorl {

// The factors of pass 1 for one size and shift.
struct BlockNtt::Tables {
    std::vector<std::uint32_t> row_shift, low_powers, high_powers;
};

namespace {

HWY_EXPORT(NttBlock);
HWY_EXPORT(NttColumns);
HWY_EXPORT(ScaleByPowers);

// w_2h^i at [h + i] for all h < 2^log_n, and the whole-vector tables of the layers inside a vector.
struct Twiddles {
    std::vector<std::uint32_t> layers;
    std::array<std::uint32_t, 64> small{};
};

const Twiddles& twiddles_of(unsigned log_n) {
    static std::array<std::unique_ptr<Twiddles>, Fp::kTwoAdicity + 1> cache;
    static std::array<std::once_flag, Fp::kTwoAdicity + 1> once;
    std::call_once(once[log_n], [log_n] {
        auto table = std::make_unique<Twiddles>();
        table->layers.resize(padded_size(std::size_t{1} << log_n));
        for (unsigned log_half = 0; log_half < log_n; ++log_half) {
            const Fp w = two_adic_generator(log_half + 1);
            Fp power = Fp::one();
            for (std::size_t i = 0; i < std::size_t{1} << log_half; ++i) {
                table->layers[(std::size_t{1} << log_half) + i] = power.montgomery();
                power *= w;
            }
        }
        for (unsigned log_half = 0; log_half < 4; ++log_half) {
            const std::size_t half = std::size_t{1} << log_half;
            const Fp w = two_adic_generator(log_half + 1);
            for (std::size_t i = 0; i < 16; ++i) {
                const Fp t = (i & half) != 0 ? w.pow(i & (half - 1)) : Fp::one();
                table->small[log_half * 16 + i] = t.montgomery();
            }
        }
        cache[log_n] = std::move(table);
    });
    return *cache[log_n];
}

BlockNtt::Tables make_pass1_tables(unsigned log_n, unsigned log_rows, Fp shift) {
    const unsigned log_cols = log_n - log_rows;
    const std::size_t rows = std::size_t{1} << log_rows;
    const std::size_t tiles = (std::size_t{1} << log_cols) / kTileCols;
    BlockNtt::Tables t;
    if (!(shift == Fp::one())) {
        const Fp step = shift.pow2k(log_cols);
        Fp power = Fp::one();
        for (std::size_t r = 0; r < rows; ++r, power *= step) t.row_shift.push_back(power.montgomery());
    }
    t.low_powers.resize(rows * kTileCols);
    t.high_powers.resize(tiles * rows);
    const Fp w = two_adic_generator(log_n);
    for_each_index(std::size_t{0}, rows, [&](std::size_t r) {
        const Fp base = shift * w.pow(reverse_bits(r, log_rows));
        Fp power = Fp::one();
        for (std::size_t i = 0; i < kTileCols; ++i, power *= base) t.low_powers[r * kTileCols + i] = power.montgomery();
        const Fp step = power;
        power = Fp::one();
        for (std::size_t tile = 0; tile < tiles; ++tile, power *= step)
            t.high_powers[tile * rows + r] = power.montgomery();
    });
    return t;
}

// The tables of the last few (size, shift): a prover uses the same two or three again and again.
std::shared_ptr<const BlockNtt::Tables> pass1_tables(unsigned log_n, unsigned log_rows, Fp shift) {
    struct Entry {
        unsigned log_n;
        std::uint32_t shift;
        std::shared_ptr<const BlockNtt::Tables> tables;
    };
    static std::mutex mutex;
    static std::vector<Entry> cache;
    constexpr std::size_t kMaxEntries = 32;
    {
        const std::lock_guard lock(mutex);
        for (const Entry& e : cache) {
            if (e.log_n == log_n && e.shift == shift.montgomery()) return e.tables;
        }
    }
    auto tables = std::make_shared<const BlockNtt::Tables>(make_pass1_tables(log_n, log_rows, shift));
    const std::lock_guard lock(mutex);
    if (cache.size() == kMaxEntries) cache.erase(cache.begin());
    cache.push_back({log_n, shift.montgomery(), tables});
    return tables;
}

// Sizes below a vector.
void ntt_scalar(std::span<Fp> data) {
    for (std::size_t half = data.size() / 2; half >= 1; half /= 2) {
        const Fp w = two_adic_generator(static_cast<unsigned>(std::bit_width(half)));
        for (std::size_t at = 0; at < data.size(); at += 2 * half) {
            Fp t = Fp::one();
            for (std::size_t i = at; i < at + half; ++i, t *= w) {
                const Fp a = data[i], b = data[i + half];
                data[i] = a + b;
                data[i + half] = (a - b) * t;
            }
        }
    }
}

// Transforms `in` (2^log_n coefficients) on shift·<w> into `out`, which is `in` or does not overlap it.
void ntt_into(const std::uint32_t* in, std::uint32_t* out, unsigned log_n, Fp shift) {
    const std::size_t n = std::size_t{1} << log_n;
    if (log_n < 4) {
        std::array<Fp, 8> values;
        Fp power = Fp::one();
        for (std::size_t i = 0; i < n; ++i, power *= shift) values[i] = Fp::from_montgomery(in[i]) * power;
        ntt_scalar(std::span(values).first(n));
        for (std::size_t i = 0; i < n; ++i) out[i] = values[i].montgomery();
        return;
    }
    if (log_n <= kLogMaxBlock) {
        if (!(shift == Fp::one())) {
            std::array<std::uint32_t, kTileCols> powers{};
            Fp power = Fp::one();
            for (std::uint32_t& p : powers) {
                p = power.montgomery();
                power *= shift;
            }
            HWY_DYNAMIC_DISPATCH(ScaleByPowers)(in, out, n, powers.data(), power);
        } else if (in != out) {
            std::copy_n(in, n, out);
        }
        const Twiddles& tw = twiddles_of(log_n);
        HWY_DYNAMIC_DISPATCH(NttBlock)(out, log_n, tw.layers.data(), tw.small.data());
        return;
    }
    const BlockNtt transform(log_n, shift);
    transform.spread(in, out);
    const std::size_t block = std::size_t{1} << transform.log_block();
    for_each_part(tbb::blocked_range<std::size_t>(0, transform.num_blocks(), 16), [&](const auto& range) {
        for (std::size_t r = range.begin(); r < range.end(); ++r) transform.finish(out + r * block);
    });
}

}  // namespace

BlockNtt::BlockNtt(unsigned log_n, Fp shift)
    : log_block_(std::clamp(log_n - log_n / 2, kMinLogBlock, kLogMaxBlock)),
      log_blocks_(log_n - log_block_),
      tables_(pass1_tables(log_n, log_blocks_, shift)) {}

void BlockNtt::spread_to(const std::uint32_t* in, const std::uint32_t* places, std::uint32_t* out) const {
    const NttPass1 pass{twiddles_of(log_blocks_).layers.data(),
                        tables_->row_shift.empty() ? nullptr : tables_->row_shift.data(), tables_->low_powers.data(),
                        tables_->high_powers.data(), places};
    const std::size_t tiles = (std::size_t{1} << log_block_) / kTileCols;
    for_each_part(tbb::blocked_range<std::size_t>(0, tiles, 8), [&](const auto& range) {
        std::vector<std::uint32_t> tile(kTileCols << log_blocks_);
        for (std::size_t t = range.begin(); t < range.end(); ++t) {
            HWY_DYNAMIC_DISPATCH(NttColumns)(in, out, log_blocks_, log_block_, t * kTileCols, pass, tile.data());
        }
    });
}

void BlockNtt::finish(std::uint32_t* block) const {
    const Twiddles& tw = twiddles_of(log_block_);
    HWY_DYNAMIC_DISPATCH(NttBlock)(block, log_block_, tw.layers.data(), tw.small.data());
}

void ntt(std::uint32_t* data, unsigned log_n, Fp shift) {
    ntt_into(data, data, log_n, shift);
}

// A polynomial of degree < n on the subgroup of order n·2^b, bit-reversed: part t is its transform on the coset of
// w_(log_n + b)^bitrev(t).
Fp code_part_shift(unsigned log_n, unsigned log_blowup, std::size_t t) {
    return two_adic_generator(log_n + log_blowup).pow(reverse_bits(t, log_blowup));
}

void reed_solomon_encode(std::uint32_t* data, unsigned log_n, unsigned log_blowup) {
    const std::size_t n = std::size_t{1} << log_n;
    const std::size_t last = (std::size_t{1} << log_blowup) - 1;
    const std::uint32_t* message = data + last * n;
    for (std::size_t t = 0; t <= last; ++t) {
        ntt_into(message, data + t * n, log_n, code_part_shift(log_n, log_blowup, t));
    }
}

void inverse_ntt(std::span<Fp> evals, Fp shift) {
    const std::size_t n = evals.size();
    for (std::size_t half = 1; half < n; half *= 2) {
        const Fp w = two_adic_generator(static_cast<unsigned>(std::bit_width(half))).inverse();
        for (std::size_t at = 0; at < n; at += 2 * half) {
            Fp t = Fp::one();
            for (std::size_t i = at; i < at + half; ++i, t *= w) {
                const Fp a = evals[i], b = evals[i + half] * t;
                evals[i] = a + b;
                evals[i + half] = a - b;
            }
        }
    }
    const Fp step = shift.inverse();
    Fp factor = Fp::from_canonical(static_cast<std::uint32_t>(n)).inverse();
    for (Fp& value : evals) {
        value *= factor;
        factor *= step;
    }
}

void bit_reverse_permute(std::span<Fp> values) {
    const unsigned log_n = static_cast<unsigned>(std::bit_width(values.size())) - 1;
    for (std::size_t i = 0; i < values.size(); ++i) {
        const std::size_t j = reverse_bits(i, log_n);
        if (i < j) std::swap(values[i], values[j]);
    }
}

}  // namespace whorl
#endif
