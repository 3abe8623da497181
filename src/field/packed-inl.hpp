// BabyBear and its quartic extension over vector lanes, for one instruction set at a time: include inside a file built
// with hwy/foreach_target.h. All words are Montgomery representatives in [0, p).

#if defined(WHORL_FIELD_PACKED_INL_HPP_) == defined(HWY_TARGET_TOGGLE)
#ifdef WHORL_FIELD_PACKED_INL_HPP_
#undef WHORL_FIELD_PACKED_INL_HPP_
#else
#define WHORL_FIELD_PACKED_INL_HPP_
#endif

#include <hwy/highway.h>

#include <cstddef>
#include <cstdint>

#include <whorl/field.hpp>

HWY_BEFORE_NAMESPACE();
namespace whorl {
namespace HWY_NAMESPACE {
namespace {
namespace hn = hwy::HWY_NAMESPACE;

// In plain C++ every vector operation is a loop: calls cost little there, and inlining minutes of compile time.
#undef WHORL_INLINE_PRODUCT
#if HWY_TARGET == HWY_EMU128
#define WHORL_INLINE_PRODUCT HWY_NOINLINE HWY_MAYBE_UNUSED
#else
#define WHORL_INLINE_PRODUCT HWY_INLINE
#endif

using D32 = hn::CappedTag<std::uint32_t, 16>;
using I32 = hn::RebindToSigned<D32>;
using D64 = hn::RepartitionToWide<D32>;
using I64 = hn::RepartitionToWide<I32>;
using V = hn::Vec<D32>;
using S = hn::Vec<I32>;
using W = hn::Vec<D64>;
using I64Vec = hn::Vec<I64>;

HWY_INLINE std::size_t num_lanes() {
    return hn::Lanes(D32());
}
HWY_INLINE V load(const std::uint32_t* p) {
    return hn::LoadU(D32(), p);
}
HWY_INLINE void store(V v, std::uint32_t* p) {
    hn::StoreU(v, D32(), p);
}
HWY_INLINE V broadcast(Fp x) {
    return hn::Set(D32(), x.montgomery());
}
HWY_INLINE V broadcast_word(std::uint32_t x) {
    return hn::Set(D32(), x);
}

HWY_INLINE V add(V a, V b) {
    const V sum = hn::Add(a, b);
    return hn::Min(sum, hn::Sub(sum, hn::Set(D32(), Fp::kModulus)));
}
HWY_INLINE V sub(V a, V b) {
    const V diff = hn::Sub(a, b);
    return hn::Min(diff, hn::Add(diff, hn::Set(D32(), Fp::kModulus)));
}
HWY_INLINE V neg(V a) {
    return sub(hn::Zero(D32()), a);
}
HWY_INLINE V twice(V a) {
    return add(a, a);
}

// 64-bit products of the even lanes; odd lanes come down with `odd_lanes` first.
// (A shuffle, because shifts share their ports with products and minima.)
HWY_INLINE V odd_lanes(V a) {
    return hn::DupOdd(a);
}

// Montgomery reduction of 64-bit x < p·2^32 in each wide lane: the high word of the result is in (−p, p) modulo 2^32.
HWY_INLINE W reduce_wide(W x) {
    const V q = hn::BitCast(D32(), hn::MulEven(hn::BitCast(D32(), x), hn::Set(D32(), Fp::kModulusInverse)));
    return hn::Sub(x, hn::MulEven(q, hn::Set(D32(), Fp::kModulus)));
}
// The high words of both halves, each in its lane: one masked instruction with AVX-512.
HWY_INLINE V join_high_words(V even, V odd) {
    return hn::OddEven(odd, hn::DupOdd(even));
}
// Brings words in (−p, p) modulo 2^32 into [0, p).
HWY_INLINE V correct_negative(V a) {
    return hn::Min(a, hn::Add(a, hn::Set(D32(), Fp::kModulus)));
}
HWY_INLINE V join_reduced(W even, W odd) {
    return correct_negative(join_high_words(hn::BitCast(D32(), even), hn::BitCast(D32(), odd)));
}

#undef WHORL_HAS_WHOLE_PRODUCT
#if HWY_TARGET == HWY_WASM || HWY_TARGET == HWY_NEON
#define WHORL_HAS_WHOLE_PRODUCT 1
#else
#define WHORL_HAS_WHOLE_PRODUCT 0
#endif

#if HWY_TARGET == HWY_NEON
// a·b·2^-32 in (−p, p) for words that fit an int32, |a·b| < p·2^31. The high words of 2·a·b and of twice the multiple of p have
// the same word below them: half their difference is exact.
HWY_INLINE V mul_uncorrected(V a, V b) {
    const int32x4_t x = vreinterpretq_s32_u32(a.raw), y = vreinterpretq_s32_u32(b.raw);
    const int32x4_t q = vmulq_s32(vmulq_s32(x, y), vdupq_n_s32(static_cast<std::int32_t>(Fp::kModulusInverse)));
    return V{vreinterpretq_u32_s32(
        vhsubq_s32(vqdmulhq_s32(x, y), vqdmulhq_s32(q, vdupq_n_s32(static_cast<std::int32_t>(Fp::kModulus)))))};
}
#endif

#if HWY_TARGET == HWY_WASM
// a·b·2^-32 in (−p, p) for words that fit an int32, |a·b| < p·2^31. WebAssembly multiplies the halves of vectors into wide
// lanes, which saves the shuffles. (Highway 1.0.3 drops the sign in MulEven of signed words here.)
HWY_INLINE V mul_uncorrected(V a, V b) {
    const v128_t modulus = wasm_u32x4_splat(Fp::kModulus);
    const v128_t q = wasm_i32x4_mul(wasm_i32x4_mul(a.raw, b.raw), wasm_u32x4_splat(Fp::kModulusInverse));
    const v128_t product = wasm_i32x4_shuffle(wasm_i64x2_extmul_low_i32x4(a.raw, b.raw),
                                              wasm_i64x2_extmul_high_i32x4(a.raw, b.raw), 1, 3, 5, 7);
    const v128_t multiple = wasm_i32x4_shuffle(wasm_i64x2_extmul_low_i32x4(q, modulus),
                                               wasm_i64x2_extmul_high_i32x4(q, modulus), 1, 3, 5, 7);
    return V{wasm_i32x4_sub(product, multiple)};
}
#endif

#if WHORL_HAS_WHOLE_PRODUCT
HWY_INLINE V mul(V a, V b) {
    return correct_negative(mul_uncorrected(a, b));
}
HWY_INLINE V square(V a) {
    return mul(a, a);
}
#else
WHORL_INLINE_PRODUCT V mul(V a, V b) {
    const W even = hn::MulEven(a, b);
    const W odd = hn::MulEven(odd_lanes(a), odd_lanes(b));
    return join_reduced(reduce_wide(even), reduce_wide(odd));
}
WHORL_INLINE_PRODUCT V square(V a) {
    const V a_odd = odd_lanes(a);
    return join_reduced(reduce_wide(hn::MulEven(a, a)), reduce_wide(hn::MulEven(a_odd, a_odd)));
}
#endif

// x^7 of n vectors side by side, so that one's multiplications fill the other's latencies. The words of x are any
// representatives that fit an int32, those of the results are in [0, p). The products stay signed, uncorrected and apart in
// even and odd lanes: |x²| < 0.97·2^31, |x³| < 0.96·2^31, |x⁴| < 0.95·2^31 and |x⁷| < 0.92·2^31 < p.
#if WHORL_HAS_WHOLE_PRODUCT
template <unsigned n>
HWY_INLINE void pow7(V* HWY_RESTRICT x) {
    V x2[n], x3[n];
    for (unsigned i = 0; i < n; ++i) x2[i] = mul_uncorrected(x[i], x[i]);
    for (unsigned i = 0; i < n; ++i) x3[i] = mul_uncorrected(x2[i], x[i]);
    for (unsigned i = 0; i < n; ++i) x2[i] = mul_uncorrected(x2[i], x2[i]);
    for (unsigned i = 0; i < n; ++i) x[i] = mul(x3[i], x2[i]);
}
#else
template <unsigned n>
struct SignedHalves {
    S words[2 * n];  // in the even lanes: even and odd words of each vector in turn
};
// a·b before reduction, and the multiple of p with the same low words.
template <unsigned n>
HWY_INLINE void multiply_halves(const SignedHalves<n>& a, const SignedHalves<n>& b, I64Vec* HWY_RESTRICT product,
                                I64Vec* HWY_RESTRICT multiple) {
    for (unsigned h = 0; h < 2 * n; ++h) product[h] = hn::MulEven(a.words[h], b.words[h]);
    for (unsigned h = 0; h < 2 * n; ++h) {
        multiple[h] =
            hn::MulEven(hn::BitCast(I32(), product[h]), hn::Set(I32(), static_cast<std::int32_t>(Fp::kModulusInverse)));
    }
    for (unsigned h = 0; h < 2 * n; ++h) {
        multiple[h] =
            hn::MulEven(hn::BitCast(I32(), multiple[h]), hn::Set(I32(), static_cast<std::int32_t>(Fp::kModulus)));
    }
}
template <unsigned n>
HWY_INLINE void reduce_halves(const SignedHalves<n>& a, const SignedHalves<n>& b, SignedHalves<n>& out) {
    I64Vec product[2 * n], multiple[2 * n];
    multiply_halves(a, b, product, multiple);
    for (unsigned h = 0; h < 2 * n; ++h) {
        const V difference = hn::BitCast(D32(), hn::Sub(product[h], multiple[h]));
        out.words[h] = hn::BitCast(I32(), odd_lanes(difference));
    }
}
template <unsigned n>
HWY_INLINE void pow7(V* HWY_RESTRICT x) {
    SignedHalves<n> x1, x2, x3, x4;
    for (unsigned i = 0; i < n; ++i) {
        x1.words[2 * i] = hn::BitCast(I32(), x[i]);
        x1.words[2 * i + 1] = hn::BitCast(I32(), odd_lanes(x[i]));
    }
    reduce_halves(x1, x1, x2);
    reduce_halves(x2, x1, x3);
    reduce_halves(x2, x2, x4);
    I64Vec product[2 * n], multiple[2 * n];
    multiply_halves(x3, x4, product, multiple);
    for (unsigned i = 0; i < n; ++i) {
        const V even = hn::BitCast(D32(), hn::Sub(product[2 * i], multiple[2 * i]));
        const V odd = hn::BitCast(D32(), hn::Sub(product[2 * i + 1], multiple[2 * i + 1]));
        x[i] = correct_negative(join_high_words(even, odd));
    }
}
#endif

// x/2: an odd word rotates to (x − 1)/2 + 2^31, which is (x + p)/2 too large by 2^31 − (p + 1)/2.
HWY_INLINE V halve(V x) {
    const V rotated = hn::RotateRight<1>(x);
    return hn::Min(rotated, hn::Sub(rotated, hn::Set(D32(), 0x80000000U - (Fp::kModulus + 1) / 2)));
}

// Both parts of −x·2^-k, 0 < k ≤ 27: with x = high·2^k + low and 2^-k = −15·2^(27−k) mod p it is low15 − high, where
// low15 = 15·2^(27−k)·low < p.
struct DividedParts {
    V low15, high;
};
template <int k>
HWY_INLINE DividedParts div_2exp(V x) {
    const V high = hn::ShiftRight<k>(x);
#if HWY_TARGET == HWY_AVX2 || HWY_TARGET == HWY_AVX3
    // In the upper 16 bits low·2^(16−k); 15·2^11 of 2^16 times that.
    if constexpr (k <= 11) {
        using D16 = hn::Repartition<std::uint16_t, D32>;
        const auto low = hn::BitCast(D16(), hn::ShiftLeft<32 - k>(x));
        return {hn::BitCast(D32(), hn::MulHigh(low, hn::Set(D16(), 15U << 11))), high};
    }
#endif
    const V low = hn::ShiftLeft<32 - k>(x);
    return {hn::Sub(hn::ShiftRight<1>(low), hn::ShiftRight<5>(low)), high};
}

// -----------------------------------------------------------------------------------------------------------------
// Sums of products with one reduction: each wide lane holds the sum of up to four products of words below p, which
// stays below 2^64 because 4p² < 2^64.

// The products of even and of odd lanes; with NEON, which multiplies half by half, those of the lower and of the upper half.
struct Wide {
    W first, second;
};

// For callers that hold the odd lanes of their operands, which NEON does not need.
#if HWY_TARGET == HWY_NEON
HWY_INLINE Wide wide_mul(V a, V /*a_odd*/, V b, V /*b_odd*/) {
    return {W{vmull_u32(vget_low_u32(a.raw), vget_low_u32(b.raw))}, W{vmull_high_u32(a.raw, b.raw)}};
}
HWY_INLINE void wide_mul_add(Wide& acc, V a, V /*a_odd*/, V b, V /*b_odd*/) {
    acc.first.raw = vmlal_u32(acc.first.raw, vget_low_u32(a.raw), vget_low_u32(b.raw));
    acc.second.raw = vmlal_high_u32(acc.second.raw, a.raw, b.raw);
}
HWY_INLINE V low_words(const Wide& x) {
    return V{vuzp1q_u32(vreinterpretq_u32_u64(x.first.raw), vreinterpretq_u32_u64(x.second.raw))};
}
HWY_INLINE V high_words(const Wide& x) {
    return V{vuzp2q_u32(vreinterpretq_u32_u64(x.first.raw), vreinterpretq_u32_u64(x.second.raw))};
}
// The high words of the multiples of p that end in the low words of x.
HWY_INLINE V high_words_of_multiples(const Wide& x) {
    const V q{vmulq_u32(low_words(x).raw, vdupq_n_u32(Fp::kModulusInverse))}, p = hn::Set(D32(), Fp::kModulus);
    return high_words(wide_mul(q, q, p, p));
}
#else
HWY_INLINE Wide wide_mul(V a, V a_odd, V b, V b_odd) {
    return {hn::MulEven(a, b), hn::MulEven(a_odd, b_odd)};
}
HWY_INLINE void wide_mul_add(Wide& acc, V a, V a_odd, V b, V b_odd) {
    acc.first = hn::Add(acc.first, hn::MulEven(a, b));
    acc.second = hn::Add(acc.second, hn::MulEven(a_odd, b_odd));
}
HWY_INLINE V high_words(const Wide& x) {
    return join_high_words(hn::BitCast(D32(), x.first), hn::BitCast(D32(), x.second));
}
// The high words of the multiples of p that end in the low words of x.
HWY_INLINE V high_words_of_multiples(const Wide& x) {
    const auto multiple = [](W half) {
        const W q = hn::MulEven(hn::BitCast(D32(), half), hn::Set(D32(), Fp::kModulusInverse));
        return hn::MulEven(hn::BitCast(D32(), q), hn::Set(D32(), Fp::kModulus));
    };
    return high_words({multiple(x.first), multiple(x.second)});
}
#endif
HWY_INLINE Wide wide_mul(V a, V b) {
    return wide_mul(a, odd_lanes(a), b, odd_lanes(b));
}
HWY_INLINE void wide_mul_add(Wide& acc, V a, V b) {
    wide_mul_add(acc, a, odd_lanes(a), b, odd_lanes(b));
}
// Sums whose high words are below 2p to ones whose high words are below p.
HWY_INLINE W fold_high(W x) {
    const W p_high = hn::Set(D64(), std::uint64_t{Fp::kModulus} << 32);
    return hn::Min(x, hn::Sub(x, p_high));
}
HWY_INLINE void fold_high(Wide& x) {
    x = {fold_high(x.first), fold_high(x.second)};
}
// The sum of at most four products, reduced to [0, p). Its high word is below 1.875·p, and loses p once.
WHORL_INLINE_PRODUCT V wide_reduce(const Wide& acc) {
    const V high = high_words(acc);
    const V folded = hn::Min(high, hn::Sub(high, hn::Set(D32(), Fp::kModulus)));
    return correct_negative(hn::Sub(folded, high_words_of_multiples(acc)));
}
// The sum of at most two products needs no fold: 2p² < p·2^32.
HWY_INLINE V wide_reduce2(const Wide& acc) {
#if HWY_TARGET == HWY_NEON
    return correct_negative(hn::Sub(high_words(acc), high_words_of_multiples(acc)));
#else
    return join_reduced(reduce_wide(acc.first), reduce_wide(acc.second));
#endif
}

// -----------------------------------------------------------------------------------------------------------------
// The quartic extension, one element a lane.

struct V4 {
    V c0, c1, c2, c3;
};

HWY_INLINE V4 broadcast4(const Fp4& x) {
    return {broadcast(x.c[0]), broadcast(x.c[1]), broadcast(x.c[2]), broadcast(x.c[3])};
}
HWY_INLINE V4 zero4() {
    const V z = hn::Zero(D32());
    return {z, z, z, z};
}
HWY_INLINE V4 add4(const V4& a, const V4& b) {
    return {add(a.c0, b.c0), add(a.c1, b.c1), add(a.c2, b.c2), add(a.c3, b.c3)};
}
HWY_INLINE V4 sub4(const V4& a, const V4& b) {
    return {sub(a.c0, b.c0), sub(a.c1, b.c1), sub(a.c2, b.c2), sub(a.c3, b.c3)};
}
HWY_INLINE V4 neg4(const V4& a) {
    return {neg(a.c0), neg(a.c1), neg(a.c2), neg(a.c3)};
}
HWY_INLINE V4 mul4_base(const V4& a, V b) {
    return {mul(a.c0, b), mul(a.c1, b), mul(a.c2, b), mul(a.c3, b)};
}

HWY_INLINE V mul11(V x) {
    const V x2 = twice(x);
    const V x8 = twice(twice(x2));
    return add(add(x8, x2), x);
}

WHORL_INLINE_PRODUCT V4 mul4(const V4& a, const V4& b) {
    const V a0o = odd_lanes(a.c0), a1o = odd_lanes(a.c1), a2o = odd_lanes(a.c2), a3o = odd_lanes(a.c3);
    const V b0o = odd_lanes(b.c0), b1o = odd_lanes(b.c1), b2o = odd_lanes(b.c2), b3o = odd_lanes(b.c3);
    const V w1 = mul11(b.c1), w2 = mul11(b.c2), w3 = mul11(b.c3);
    const V w1o = odd_lanes(w1), w2o = odd_lanes(w2), w3o = odd_lanes(w3);
    V4 out;
    Wide t = wide_mul(a.c0, a0o, b.c0, b0o);
    wide_mul_add(t, a.c1, a1o, w3, w3o);
    wide_mul_add(t, a.c2, a2o, w2, w2o);
    wide_mul_add(t, a.c3, a3o, w1, w1o);
    out.c0 = wide_reduce(t);
    t = wide_mul(a.c0, a0o, b.c1, b1o);
    wide_mul_add(t, a.c1, a1o, b.c0, b0o);
    wide_mul_add(t, a.c2, a2o, w3, w3o);
    wide_mul_add(t, a.c3, a3o, w2, w2o);
    out.c1 = wide_reduce(t);
    t = wide_mul(a.c0, a0o, b.c2, b2o);
    wide_mul_add(t, a.c1, a1o, b.c1, b1o);
    wide_mul_add(t, a.c2, a2o, b.c0, b0o);
    wide_mul_add(t, a.c3, a3o, w3, w3o);
    out.c2 = wide_reduce(t);
    t = wide_mul(a.c0, a0o, b.c3, b3o);
    wide_mul_add(t, a.c1, a1o, b.c2, b2o);
    wide_mul_add(t, a.c2, a2o, b.c1, b1o);
    wide_mul_add(t, a.c3, a3o, b.c0, b0o);
    out.c3 = wide_reduce(t);
    return out;
}

/// Extension tables are four planes of words, `stride` apart.
HWY_INLINE V4 load4(const std::uint32_t* p, std::size_t stride) {
    return {load(p), load(p + stride), load(p + 2 * stride), load(p + 3 * stride)};
}
HWY_INLINE void store4(const V4& v, std::uint32_t* p, std::size_t stride) {
    store(v.c0, p);
    store(v.c1, p + stride);
    store(v.c2, p + 2 * stride);
    store(v.c3, p + 3 * stride);
}

/// Even and odd elements of 2·lanes consecutive ones.
struct VPair {
    V even, odd;
};
HWY_INLINE VPair load_pairs(const std::uint32_t* p) {
    const V lo = load(p);
    const V hi = load(p + num_lanes());
    return {hn::ConcatEven(D32(), hi, lo), hn::ConcatOdd(D32(), hi, lo)};
}
struct V4Pair {
    V4 even, odd;
};
HWY_INLINE V4Pair load4_pairs(const std::uint32_t* p, std::size_t stride) {
    const VPair a = load_pairs(p), b = load_pairs(p + stride), c = load_pairs(p + 2 * stride),
                d = load_pairs(p + 3 * stride);
    return {{a.even, b.even, c.even, d.even}, {a.odd, b.odd, c.odd, d.odd}};
}

HWY_INLINE Fp sum_lanes(V v) {
    alignas(64) std::uint32_t words[16];
    hn::Store(v, D32(), words);
    Fp sum;
    for (std::size_t i = 0; i < num_lanes(); ++i) sum += Fp::from_montgomery(words[i]);
    return sum;
}
HWY_INLINE Fp4 sum_lanes4(const V4& v) {
    return {sum_lanes(v.c0), sum_lanes(v.c1), sum_lanes(v.c2), sum_lanes(v.c3)};
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace whorl
HWY_AFTER_NAMESPACE();

#endif
