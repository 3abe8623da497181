#include "hash/batch.hpp"

#define WHORL_WITH_IFMA
#include "field/simd.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "hash/batch.cpp"
#include <hwy/foreach_target.h>
// clang-format off: foreach_target comes first
#include <hwy/highway.h>
#include "field/packed-inl.hpp"
#include "hash/wide_rounds-inl.hpp"
// clang-format on

#include <algorithm>
#include <array>
#include <bit>
#include <vector>

HWY_BEFORE_NAMESPACE();
namespace whorl {
namespace HWY_NAMESPACE {
namespace {

#if HWY_TARGET != HWY_AVX3_DL  // which has wide_permute
// S-boxes side by side: as many as registers hold.
constexpr unsigned kSideBySide = HWY_TARGET == HWY_AVX3 ? 4 : HWY_TARGET == HWY_EMU128 ? 1 : 2;

HWY_INLINE void external_linear(V* HWY_RESTRICT s) {
    for (unsigned g = 0; g < 16; g += 4) {
        const V a = s[g], b = s[g + 1], c = s[g + 2], d = s[g + 3];
        const V ab = add(a, b), cd = add(c, d);
        const V sum = add(ab, cd);
        const V sum_b = add(sum, b), sum_d = add(sum, d);
        s[g] = add(sum_b, ab);            // sum + a + 2b
        s[g + 1] = add(sum_b, twice(c));  // sum + b + 2c
        s[g + 2] = add(sum_d, cd);        // sum + c + 2d
        s[g + 3] = add(sum_d, twice(a));  // sum + d + 2a
    }
    for (unsigned k = 0; k < 4; ++k) {
        const V sum = add(add(s[k], s[4 + k]), add(s[8 + k], s[12 + k]));
        for (unsigned g = 0; g < 16; g += 4) s[g + k] = add(s[g + k], sum);
    }
}

HWY_INLINE void external_round(V* HWY_RESTRICT s, const PoseidonWords& constants) {
    for (unsigned i = 0; i < 16; i += kSideBySide) {
        for (unsigned j = 0; j < kSideBySide; ++j) s[i + j] = hn::Add(s[i + j], broadcast_word(constants[i + j]));
        pow7<kSideBySide>(s + i);
    }
    external_linear(s);
}

// The state of the internal rounds: the words without a partner, and of the pairs (kPoseidonPair) p = u + v and m = u − v.
struct InternalState {
    V s0, s1, s2, s10, s11, s14;
    V p[kPoseidonPairs], m[kPoseidonPairs];
};

HWY_INLINE V triple(V x) {
    return add(twice(x), x);
}
// Words in [0, p) times 2^-k.
template <int k>
HWY_INLINE V times_2exp_neg(V x) {
    const DividedParts parts = div_2exp<k>(x);
    return correct_negative(hn::Sub(parts.high, parts.low15));
}
// a + 2^-k·x for a in [0, p) and x < p + 2^24: below p + 2^(31−k).
template <int k>
HWY_INLINE V add_2exp_neg(V a, V x) {
    const DividedParts parts = div_2exp<k>(x);
    return correct_negative(hn::Sub(a, hn::Sub(parts.low15, parts.high)));
}

HWY_INLINE void internal_round(InternalState& s, std::uint32_t constant) {
    V x = hn::Add(s.s0, broadcast_word(constant));
    pow7<1>(&x);
    // What does not wait for the S-box. p[3] and p[4] may exceed p by less than 2^24; so does the sum until its last step.
    V others = add(add(add(s.p[3], s.p[4]), add(s.s1, s.s2)), add(add(s.s10, s.s11), add(s.s14, s.p[0])));
    others = add(others, add(s.p[1], s.p[2]));
    others = hn::Min(others, hn::Sub(others, hn::Set(D32(), Fp::kModulus)));
    const V m0 = halve(s.p[0]), m1 = triple(s.p[1]), m2 = twice(twice(s.p[2]));
    const V m3 = times_2exp_neg<8>(s.p[3]), m4 = times_2exp_neg<27>(s.p[4]);
    const V d0 = halve(s.m[0]), d1 = triple(s.m[1]), d2 = twice(twice(s.m[2]));
    const V t2 = twice(s.s2);                         // 2
    const V t10 = halve(halve(s.s10));                // 1/4
    const V t11 = times_2exp_neg<3>(s.s11);           // 1/8
    const DividedParts parts14 = div_2exp<4>(s.s14);  // −1/16
    const V t14 = correct_negative(hn::Sub(parts14.low15, parts14.high));

    const V sum = add(others, x);
    const V sum2 = twice(sum);
    s.s0 = sub(others, x);  // −2: sum − 2x
    s.s1 = add(sum, s.s1);  // 1
    s.s2 = add(sum, t2);
    s.s10 = add(sum, t10);
    s.s11 = add(sum, t11);
    s.s14 = add(sum, t14);
    s.p[0] = add(sum2, d0);
    s.p[1] = add(sum2, d1);
    s.p[2] = add(sum2, d2);
    s.p[3] = add_2exp_neg<8>(sum2, s.m[3]);
    s.p[4] = add_2exp_neg<27>(sum2, s.m[4]);
    s.m[0] = m0;
    s.m[1] = m1;
    s.m[2] = m2;
    s.m[3] = m3;
    s.m[4] = m4;
}

HWY_INLINE void internal_rounds(V* HWY_RESTRICT s) {
    InternalState state{s[0], s[1], s[2], s[10], s[11], s[14], {}, {}};
    for (unsigned i = 0; i < kPoseidonPairs; ++i) {
        const V u = s[kPoseidonPair[i][0]], v = s[kPoseidonPair[i][1]];
        state.p[i] = add(u, v);
        state.m[i] = sub(u, v);
    }
    for (const std::uint32_t constant : kPoseidonConstants.internal_words) internal_round(state, constant);
    s[0] = state.s0;
    s[1] = state.s1;
    s[2] = state.s2;
    s[10] = state.s10;
    s[11] = state.s11;
    s[14] = state.s14;
    for (unsigned i = 0; i < kPoseidonPairs; ++i) {
        s[kPoseidonPair[i][0]] = halve(add(state.p[i], state.m[i]));
        s[kPoseidonPair[i][1]] = halve(sub(state.p[i], state.m[i]));
    }
}

#endif

// One copy for all callers: passing sixteen vectors through memory is nothing beside permuting them.
HWY_NOINLINE void permute(V* HWY_RESTRICT s) {
#if HWY_TARGET == HWY_AVX3_DL
    wide_permute(s);
#else
    external_linear(s);
    for (const PoseidonWords& constants : kPoseidonConstants.initial_words) external_round(s, constants);
    internal_rounds(s);
    for (const PoseidonWords& constants : kPoseidonConstants.final_words) external_round(s, constants);
#endif
}

void PermuteStates(std::uint32_t* states, std::size_t stride, std::size_t count) {
    for (std::size_t i = 0; i < count; i += num_lanes()) {
        V s[16];
        for (unsigned w = 0; w < 16; ++w) s[w] = load(states + w * stride + i);
        permute(s);
        for (unsigned w = 0; w < 16; ++w) store(s[w], states + w * stride + i);
    }
}

void CompressLayer(const std::uint32_t* left, const std::uint32_t* right, std::size_t in_stride, std::size_t count,
                   std::uint32_t* out, std::size_t out_stride) {
    for (std::size_t i = 0; i < count; i += num_lanes()) {
        V s[16];
        for (unsigned w = 0; w < 8; ++w) {
            s[w] = load(left + w * in_stride + i);
            s[8 + w] = load(right + w * in_stride + i);
        }
        permute(s);
        for (unsigned w = 0; w < 8; ++w) store(s[w], out + w * out_stride + i);
    }
}

// The halves of runs of 2·half words: a and b hold one or more runs, or are the halves of one.
template <unsigned half>
HWY_INLINE void split_runs(V a, V b, V& left, V& right) {
    const D32 d;
    if constexpr (half == 1) {
        left = hn::ConcatEven(d, b, a);
        right = hn::ConcatOdd(d, b, a);
    } else if constexpr (half == 2) {
        const hn::Repartition<std::uint64_t, D32> d64;
        const auto a64 = hn::BitCast(d64, a), b64 = hn::BitCast(d64, b);
        left = hn::BitCast(d, hn::ConcatEven(d64, b64, a64));
        right = hn::BitCast(d, hn::ConcatOdd(d64, b64, a64));
#if HWY_TARGET <= HWY_AVX3
    } else if constexpr (half == 4) {
        left = V{_mm512_shuffle_i32x4(a.raw, b.raw, _MM_SHUFFLE(2, 0, 2, 0))};
        right = V{_mm512_shuffle_i32x4(a.raw, b.raw, _MM_SHUFFLE(3, 1, 3, 1))};
#endif
    } else {
        left = hn::ConcatLowerLower(d, b, a);
        right = hn::ConcatUpperUpper(d, b, a);
    }
}

// Compresses the halves of each run with each other, in place: `rows` digests become rows / 2.
template <unsigned half>
void fold_short_runs(std::uint32_t* planes, std::size_t stride, std::size_t rows) {
    const std::size_t lanes = num_lanes();
    for (std::size_t i = 0; i < rows / 2; i += lanes) {
        V s[16];
        for (unsigned w = 0; w < 8; ++w) {
            const std::uint32_t* in = planes + w * stride + 2 * i;
            split_runs<half>(load(in), load(in + lanes), s[w], s[8 + w]);
        }
        permute(s);
        for (unsigned w = 0; w < 8; ++w) store(s[w], planes + w * stride + i);
    }
}

void fold_long_runs(std::uint32_t* planes, std::size_t stride, std::size_t rows, std::size_t half) {
    for (std::size_t i = 0; i < rows / 2; i += num_lanes()) {
        const std::size_t at = i / half * 2 * half + i % half;
        V s[16];
        for (unsigned w = 0; w < 8; ++w) {
            s[w] = load(planes + w * stride + at);
            s[8 + w] = load(planes + w * stride + at + half);
        }
        permute(s);
        for (unsigned w = 0; w < 8; ++w) store(s[w], planes + w * stride + i);
    }
}

// Folds each run of 2^log_fold digests of eight planes to one, in place; neighbours of the natural order are half a run
// apart in bit-reversed order. The planes have room for a vector behind `rows`.
void FoldRuns(std::uint32_t* planes, std::size_t stride, std::size_t rows, unsigned log_fold) {
    for (std::size_t half = (std::size_t{1} << log_fold) / 2; half > 0; half /= 2, rows /= 2) {
        if (half >= num_lanes()) {
            fold_long_runs(planes, stride, rows, half);
        } else if (half == 1) {
            fold_short_runs<1>(planes, stride, rows);
        } else if (half == 2) {
            fold_short_runs<2>(planes, stride, rows);
#if HWY_TARGET <= HWY_AVX3 || HWY_TARGET == HWY_AVX2
        } else if (half == 4) {
            fold_short_runs<4>(planes, stride, rows);
#endif
#if HWY_TARGET <= HWY_AVX3
        } else if (half == 8) {
            fold_short_runs<8>(planes, stride, rows);
#endif
        }
    }
}

// Rows hashed before they are folded: enough for whole vectors at every level of a tree over 16 rows.
constexpr std::size_t kTileRows = 512;

void HashRows(std::span<const std::uint32_t* const> columns, std::size_t first, std::size_t count, unsigned log_fold,
              std::uint32_t* digests, std::size_t stride) {
    const std::size_t tile = std::max(std::size_t{1} << log_fold, kTileRows);
    const std::size_t tile_stride = tile + 2 * kLaneAlignment;
    std::vector<std::uint32_t> planes(8 * tile_stride);
    for (std::size_t done = 0; done < count; done += tile) {
        const std::size_t rows = std::min(tile, count - done);
        const std::size_t base = first + done;
        for (std::size_t r = 0; r < rows; r += num_lanes()) {
            V s[16];
            for (V& word : s) word = hn::Zero(D32());
            for (std::size_t c = 0; c < columns.size(); c += 8) {
                const std::size_t block = std::min<std::size_t>(8, columns.size() - c);
                for (std::size_t w = 0; w < block; ++w) s[w] = load(columns[c + w] + base + r);
                permute(s);
            }
            for (unsigned w = 0; w < 8; ++w) store(s[w], planes.data() + w * tile_stride + r);
        }
        FoldRuns(planes.data(), tile_stride, rows, log_fold);
        for (unsigned w = 0; w < 8; ++w) {
            std::copy_n(planes.data() + w * tile_stride, rows >> log_fold,
                        digests + w * stride + ((first + done) >> log_fold));
        }
    }
}

void AbsorbRows(std::span<const std::uint32_t* const> columns, std::size_t count, std::uint32_t* states,
                std::size_t stride) {
    for (std::size_t r = 0; r < count; r += num_lanes()) {
        V s[16];
        for (unsigned w = 0; w < 16; ++w) s[w] = load(states + w * stride + r);
        for (std::size_t c = 0; c < columns.size(); c += 8) {
            const std::size_t block = std::min<std::size_t>(8, columns.size() - c);
            for (std::size_t w = 0; w < block; ++w) s[w] = load(columns[c + w] + r);
            permute(s);
        }
        for (unsigned w = 0; w < 16; ++w) store(s[w], states + w * stride + r);
    }
}

std::int64_t FindWitness(const PoseidonState& state, unsigned absorb_index, unsigned num_bits, std::uint32_t first,
                         std::uint32_t count) {
    alignas(64) std::uint32_t candidates[16];
    alignas(64) std::uint32_t words[16];
    const std::uint32_t mask = (std::uint32_t{1} << num_bits) - 1;
    for (std::uint32_t done = 0; done < count; done += static_cast<std::uint32_t>(num_lanes())) {
        for (std::uint32_t i = 0; i < num_lanes(); ++i) {
            candidates[i] = Fp::from_canonical(first + done + i).montgomery();
        }
        V s[16];
        for (unsigned w = 0; w < 16; ++w) s[w] = broadcast(state[w]);
        s[absorb_index] = load(candidates);
        permute(s);
        store(s[7], words);
        for (std::uint32_t i = 0; i < num_lanes() && done + i < count; ++i) {
            if ((Fp::from_montgomery(words[i]).canonical() & mask) == 0) return std::int64_t{first} + done + i;
        }
    }
    return -1;
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace whorl
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace whorl {

#if HWY_ARCH_X86
// Highway's AVX3_DL does not ask for IFMA, which every processor with the rest has; a virtual machine could hide it.
namespace {
[[maybe_unused]] const bool kHidesTargetWithoutIfma = [] {
    __builtin_cpu_init();
    const bool hides = __builtin_cpu_supports("avx512ifma") == 0;
    if (hides) hwy::DisableTargets(HWY_AVX3_DL);
    return hides;
}();
}  // namespace
#endif

HWY_EXPORT(PermuteStates);
HWY_EXPORT(CompressLayer);
HWY_EXPORT(HashRows);
HWY_EXPORT(AbsorbRows);
HWY_EXPORT(FoldRuns);
HWY_EXPORT(FindWitness);

void hash_rows(std::span<const std::uint32_t* const> columns, std::size_t first, std::size_t count, unsigned log_fold,
               std::uint32_t* digests, std::size_t stride) {
    HWY_DYNAMIC_DISPATCH(HashRows)(columns, first, count, log_fold, digests, stride);
}

// Planes that are a power of two apart would share the sets of a cache.
RowSponges::RowSponges(std::size_t max_rows)
    : stride_(static_cast<std::size_t>(padded_size(max_rows)) + 3 * kLaneAlignment), planes_(16 * stride_) {}

void RowSponges::start(std::size_t count) {
    count_ = count;
    std::ranges::fill(planes_, 0);
}

void RowSponges::absorb(std::span<const std::uint32_t* const> columns) {
    HWY_DYNAMIC_DISPATCH(AbsorbRows)(columns, count_, planes_.data(), stride_);
}

void RowSponges::finish(unsigned log_fold, std::uint32_t* digests, std::size_t stride) {
    HWY_DYNAMIC_DISPATCH(FoldRuns)(planes_.data(), stride_, count_, log_fold);
    for (std::size_t w = 0; w < 8; ++w) {
        std::copy_n(planes_.data() + w * stride_, count_ >> log_fold, digests + w * stride);
    }
}

void compress_layer(const std::uint32_t* left, const std::uint32_t* right, std::size_t in_stride, std::size_t count,
                    std::uint32_t* out, std::size_t out_stride) {
    HWY_DYNAMIC_DISPATCH(CompressLayer)(left, right, in_stride, count, out, out_stride);
}

void permute_states(std::uint32_t* states, std::size_t stride, std::size_t count) {
    HWY_DYNAMIC_DISPATCH(PermuteStates)(states, stride, count);
}

std::optional<std::uint32_t> find_witness(const PoseidonState& state, unsigned absorb_index, unsigned num_bits,
                                          std::uint32_t first, std::uint32_t count) {
    const std::int64_t found = HWY_DYNAMIC_DISPATCH(FindWitness)(state, absorb_index, num_bits, first, count);
    if (found < 0) return std::nullopt;
    return static_cast<std::uint32_t>(found);
}

}  // namespace whorl
#endif
