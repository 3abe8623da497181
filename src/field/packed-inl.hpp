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
HWY_INLINE V odd_lanes(V a) {
    return hn::BitCast(D32(), hn::ShiftRight<32>(hn::BitCast(D64(), a)));
}

// Montgomery reduction of 64-bit x < p·2^32 in each wide lane: the high word of the result is in (−p, p) modulo 2^32.
HWY_INLINE W reduce_wide(W x) {
    const V q = hn::BitCast(D32(), hn::MulEven(hn::BitCast(D32(), x), hn::Set(D32(), Fp::kModulusInverse)));
    return hn::Sub(x, hn::MulEven(q, hn::Set(D32(), Fp::kModulus)));
}
// Joins the high words of both halves and brings them into [0, p).
HWY_INLINE V join_reduced(W even, W odd) {
    const V low = hn::BitCast(D32(), hn::ShiftRight<32>(even));
    const V joined = hn::OddEven(hn::BitCast(D32(), odd), low);
    return hn::Min(joined, hn::Add(joined, hn::Set(D32(), Fp::kModulus)));
}

WHORL_INLINE_PRODUCT V mul(V a, V b) {
    const W even = hn::MulEven(a, b);
    const W odd = hn::MulEven(odd_lanes(a), odd_lanes(b));
    return join_reduced(reduce_wide(even), reduce_wide(odd));
}
WHORL_INLINE_PRODUCT V square(V a) {
    const V a_odd = odd_lanes(a);
    return join_reduced(reduce_wide(hn::MulEven(a, a)), reduce_wide(hn::MulEven(a_odd, a_odd)));
}

// One half (even lanes) of a signed Montgomery product: inputs in (−p, p), output in (−p, p), in the even lanes.
HWY_INLINE S mul_half_signed(S a, S b) {
    const auto x = hn::MulEven(a, b);
    const S q = hn::BitCast(
        I32(), hn::MulEven(hn::BitCast(I32(), x), hn::Set(I32(), static_cast<std::int32_t>(Fp::kModulusInverse))));
    const auto r = hn::Sub(x, hn::MulEven(q, hn::Set(I32(), static_cast<std::int32_t>(Fp::kModulus))));
    return hn::BitCast(I32(), hn::ShiftRight<32>(hn::BitCast(D64(), r)));
}
HWY_INLINE S pow7_half(S x) {
    const S x2 = mul_half_signed(x, x);
    const S x3 = mul_half_signed(x2, x);
    const S x4 = mul_half_signed(x2, x2);
    return mul_half_signed(x3, x4);
}
// x^7. The four products stay signed and uncorrected in their halves: two instructions less for each.
WHORL_INLINE_PRODUCT V pow7(V x) {
    const S even = pow7_half(hn::BitCast(I32(), x));
    const S odd = pow7_half(hn::BitCast(I32(), odd_lanes(x)));
    const V high = hn::BitCast(D32(), hn::ShiftLeft<32>(hn::BitCast(D64(), odd)));
    const V joined = hn::OddEven(high, hn::BitCast(D32(), even));
    return hn::Min(joined, hn::Add(joined, hn::Set(D32(), Fp::kModulus)));
}

// x·2^-k for 5 ≤ k ≤ 27: with x = hi·2^k + lo and 2^-k = −15·2^(27−k) mod p, it is hi − 15·2^(27−k)·lo.
template <int k>
HWY_INLINE V div_2exp(V x) {
    const V lo = hn::ShiftLeft<32 - k>(x);  // lo·2^(32−k)
    const V lo15 = hn::Sub(hn::ShiftRight<1>(lo), hn::ShiftRight<5>(lo));
    return sub(hn::ShiftRight<k>(x), lo15);
}

// -----------------------------------------------------------------------------------------------------------------
// Sums of products with one reduction: each wide lane holds the sum of up to four products of words below p, which
// stays below 2^64 because 4p² < 2^64.

struct Wide {
    W even, odd;
};
HWY_INLINE Wide wide_mul(V a, V b) {
    return {hn::MulEven(a, b), hn::MulEven(odd_lanes(a), odd_lanes(b))};
}
HWY_INLINE void wide_mul_add(Wide& acc, V a, V b) {
    acc.even = hn::Add(acc.even, hn::MulEven(a, b));
    acc.odd = hn::Add(acc.odd, hn::MulEven(odd_lanes(a), odd_lanes(b)));
}
// For callers that hold the odd lanes of their operands.
HWY_INLINE void wide_mul_add(Wide& acc, V a, V a_odd, V b, V b_odd) {
    acc.even = hn::Add(acc.even, hn::MulEven(a, b));
    acc.odd = hn::Add(acc.odd, hn::MulEven(a_odd, b_odd));
}
// The sum of at most four products, reduced to [0, p). The high word of the sum is below 1.875·p: taking p·2^32 off
// once brings it below p·2^32.
HWY_INLINE W fold_high(W x) {
    const W p_high = hn::Set(D64(), std::uint64_t{Fp::kModulus} << 32);
    return hn::Min(x, hn::Sub(x, p_high));
}
WHORL_INLINE_PRODUCT V wide_reduce(const Wide& acc) {
    return join_reduced(reduce_wide(fold_high(acc.even)), reduce_wide(fold_high(acc.odd)));
}
// The sum of at most two products needs no fold: 2p² < p·2^32.
HWY_INLINE V wide_reduce2(const Wide& acc) {
    return join_reduced(reduce_wide(acc.even), reduce_wide(acc.odd));
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
    Wide t{hn::MulEven(a.c0, b.c0), hn::MulEven(a0o, b0o)};
    wide_mul_add(t, a.c1, a1o, w3, w3o);
    wide_mul_add(t, a.c2, a2o, w2, w2o);
    wide_mul_add(t, a.c3, a3o, w1, w1o);
    out.c0 = wide_reduce(t);
    t = {hn::MulEven(a.c0, b.c1), hn::MulEven(a0o, b1o)};
    wide_mul_add(t, a.c1, a1o, b.c0, b0o);
    wide_mul_add(t, a.c2, a2o, w3, w3o);
    wide_mul_add(t, a.c3, a3o, w2, w2o);
    out.c1 = wide_reduce(t);
    t = {hn::MulEven(a.c0, b.c2), hn::MulEven(a0o, b2o)};
    wide_mul_add(t, a.c1, a1o, b.c1, b1o);
    wide_mul_add(t, a.c2, a2o, b.c0, b0o);
    wide_mul_add(t, a.c3, a3o, w3, w3o);
    out.c2 = wide_reduce(t);
    t = {hn::MulEven(a.c0, b.c3), hn::MulEven(a0o, b3o)};
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
