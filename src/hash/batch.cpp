#include "hash/batch.hpp"

#include "field/simd.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "hash/batch.cpp"
#include <hwy/foreach_target.h>
// clang-format off: foreach_target comes first
#include <hwy/highway.h>
#include "field/packed-inl.hpp"
#include "field/wide_products.hpp"
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

HWY_INLINE InternalState enter_internal_rounds(const V* HWY_RESTRICT s) {
    InternalState state{s[0], s[1], s[2], s[10], s[11], s[14], {}, {}};
    for (unsigned i = 0; i < kPoseidonPairs; ++i) {
        const V u = s[kPoseidonPair[i][0]], v = s[kPoseidonPair[i][1]];
        state.p[i] = add(u, v);
        state.m[i] = sub(u, v);
    }
    return state;
}

HWY_INLINE void leave_internal_rounds(const InternalState& state, V* HWY_RESTRICT s) {
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

// States side by side: in the internal rounds each fills the latencies of the other's S-box.
template <unsigned n>
HWY_INLINE void permute_narrow(V (*HWY_RESTRICT states)[16]) {
    for (unsigned k = 0; k < n; ++k) external_linear(states[k]);
    for (const PoseidonWords& constants : kPoseidonConstants.initial_words) {
        for (unsigned k = 0; k < n; ++k) external_round(states[k], constants);
    }
    InternalState internal[n];
    for (unsigned k = 0; k < n; ++k) internal[k] = enter_internal_rounds(states[k]);
    for (const std::uint32_t constant : kPoseidonConstants.internal_words) {
        for (unsigned k = 0; k < n; ++k) internal_round(internal[k], constant);
    }
    for (unsigned k = 0; k < n; ++k) leave_internal_rounds(internal[k], states[k]);
    for (const PoseidonWords& constants : kPoseidonConstants.final_words) {
        for (unsigned k = 0; k < n; ++k) external_round(states[k], constants);
    }
}

// n vectors of states. One copy for all callers: passing vectors through memory is nothing beside permuting them.
template <unsigned n>
HWY_NOINLINE void permute(V (*HWY_RESTRICT states)[16]) {
#if HWY_TARGET == HWY_AVX3
    if (uses_wide_products()) {
        for (unsigned k = 0; k < n; ++k) wide_permute(states[k]);
        return;
    }
#endif
    permute_narrow<n>(states);
}

// Takes states 0 to count a vector at a time, two vectors side by side while there are two: read(i, state) the states from i on,
// work on them, write(i, state). All of two vectors is read before either is written.
template <class Read, class Work, class Write>
HWY_INLINE void work_on_each(std::size_t count, const Read& read, const Work& work, const Write& write) {
    const std::size_t lanes = num_lanes();
    V states[2][16];
    std::size_t i = 0;
    for (; i + lanes < count; i += 2 * lanes) {
        read(i, states[0]);
        read(i + lanes, states[1]);
        work.template run<2>(i, states);
        write(i, states[0]);
        write(i + lanes, states[1]);
    }
    if (i >= count) return;
    read(i, states[0]);
    work.template run<1>(i, states);
    write(i, states[0]);
}

struct Permute {
    template <unsigned n>
    HWY_INLINE void run(std::size_t, V (*HWY_RESTRICT states)[16]) const {
        permute<n>(states);
    }
};

// Absorbs the words of rows, `first` being that of state 0.
struct Absorb {
    std::span<const std::uint32_t* const> columns;
    std::size_t first;

    template <unsigned n>
    HWY_INLINE void run(std::size_t i, V (*HWY_RESTRICT states)[16]) const {
        for (std::size_t c = 0; c < columns.size(); c += 8) {
            const std::size_t block = std::min<std::size_t>(8, columns.size() - c);
            for (std::size_t w = 0; w < block; ++w) {
                const std::uint32_t* rows = columns[c + w] + first + i;
                for (unsigned k = 0; k < n; ++k) states[k][w] = load(rows + k * num_lanes());
            }
            permute<n>(states);
        }
    }
};

void PermuteStates(std::uint32_t* states, std::size_t stride, std::size_t count) {
    work_on_each(
        count,
        [=](std::size_t i, V* s) {
            for (unsigned w = 0; w < 16; ++w) s[w] = load(states + w * stride + i);
        },
        Permute(),
        [=](std::size_t i, const V* s) {
            for (unsigned w = 0; w < 16; ++w) store(s[w], states + w * stride + i);
        });
}

HWY_INLINE void store_digests(const V* HWY_RESTRICT s, std::uint32_t* planes, std::size_t stride) {
    for (unsigned w = 0; w < 8; ++w) store(s[w], planes + w * stride);
}

void CompressLayer(const std::uint32_t* left, const std::uint32_t* right, std::size_t in_stride, std::size_t count,
                   std::uint32_t* out, std::size_t out_stride) {
    work_on_each(
        count,
        [=](std::size_t i, V* s) {
            for (unsigned w = 0; w < 8; ++w) {
                s[w] = load(left + w * in_stride + i);
                s[8 + w] = load(right + w * in_stride + i);
            }
        },
        Permute(), [=](std::size_t i, const V* s) { store_digests(s, out + i, out_stride); });
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
    work_on_each(
        rows / 2,
        [=](std::size_t i, V* s) {
            for (unsigned w = 0; w < 8; ++w) {
                const std::uint32_t* in = planes + w * stride + 2 * i;
                split_runs<half>(load(in), load(in + lanes), s[w], s[8 + w]);
            }
        },
        Permute(), [=](std::size_t i, const V* s) { store_digests(s, planes + i, stride); });
}

void fold_long_runs(std::uint32_t* planes, std::size_t stride, std::size_t rows, std::size_t half) {
    work_on_each(
        rows / 2,
        [=](std::size_t i, V* s) {
            const std::uint32_t* in = planes + i / half * 2 * half + i % half;
            for (unsigned w = 0; w < 8; ++w) {
                s[w] = load(in + w * stride);
                s[8 + w] = load(in + w * stride + half);
            }
        },
        Permute(), [=](std::size_t i, const V* s) { store_digests(s, planes + i, stride); });
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
        work_on_each(
            rows,
            [](std::size_t, V* s) {
                for (unsigned w = 0; w < 16; ++w) s[w] = hn::Zero(D32());
            },
            Absorb{columns, first + done},
            [&](std::size_t r, const V* s) { store_digests(s, planes.data() + r, tile_stride); });
        FoldRuns(planes.data(), tile_stride, rows, log_fold);
        for (unsigned w = 0; w < 8; ++w) {
            std::copy_n(planes.data() + w * tile_stride, rows >> log_fold,
                        digests + w * stride + ((first + done) >> log_fold));
        }
    }
}

void AbsorbRows(std::span<const std::uint32_t* const> columns, std::size_t count, std::uint32_t* states,
                std::size_t stride) {
    work_on_each(
        count,
        [=](std::size_t r, V* s) {
            for (unsigned w = 0; w < 16; ++w) s[w] = load(states + w * stride + r);
        },
        Absorb{columns, 0},
        [=](std::size_t r, const V* s) {
            for (unsigned w = 0; w < 16; ++w) store(s[w], states + w * stride + r);
        });
}

std::int64_t FindWitness(const PoseidonState& state, unsigned absorb_index, unsigned num_bits, std::uint32_t first,
                         std::uint32_t count) {
    const std::uint32_t at_once = 2 * static_cast<std::uint32_t>(num_lanes());
    alignas(64) std::uint32_t words[2 * kLaneAlignment];
    const std::uint32_t mask = (std::uint32_t{1} << num_bits) - 1;
    for (std::uint32_t done = 0; done < count; done += at_once) {
        for (std::uint32_t i = 0; i < at_once; ++i) words[i] = Fp::from_canonical(first + done + i).montgomery();
        V states[2][16];
        for (unsigned k = 0; k < 2; ++k) {
            for (unsigned w = 0; w < 16; ++w) states[k][w] = broadcast(state[w]);
            states[k][absorb_index] = load(words + k * num_lanes());
        }
        permute<2>(states);
        for (unsigned k = 0; k < 2; ++k) store(states[k][7], words + k * num_lanes());
        for (std::uint32_t i = 0; i < at_once && done + i < count; ++i) {
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
