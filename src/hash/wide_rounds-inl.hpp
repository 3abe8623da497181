// Poseidon2 on 64-bit lanes, for AVX-512 with IFMA: include after field/packed-inl.hpp.
//
// Even and odd words of a vector lie apart. The processor multiplies the low 52 bits of 64-bit lanes and adds the low or the high
// 52 bits of the product to a lane: a Montgomery product of radix 2^52 takes four instructions, and its factors need not be
// reduced, so that the linear maps are plain additions. Only the low 52 bits of a lane count.
//
// Bounds: an S-box gives words below 2p + x^7·2^-312, that is 2p + 2^24 for those that follow an external linear map, which
// makes a word at most 35 times as large. Word 2 doubles in each internal round and is below 2^50.3 at their end. From there
// 2^51.3, 2^49 and 2^38 bound the words before the S-boxes of the next external rounds.

#if defined(WHORL_HASH_WIDE_ROUNDS_INL_HPP_) == defined(HWY_TARGET_TOGGLE)
#ifdef WHORL_HASH_WIDE_ROUNDS_INL_HPP_
#undef WHORL_HASH_WIDE_ROUNDS_INL_HPP_
#else
#define WHORL_HASH_WIDE_ROUNDS_INL_HPP_
#endif

#include <cstdint>

#include "hash/wide_rounds.hpp"

#if HWY_TARGET == HWY_AVX3
// IFMA is no target of its own: what is here may be called where uses_wide_products() says so.
#pragma push_macro("HWY_TARGET_STR")
#undef HWY_TARGET_STR
#define HWY_TARGET_STR HWY_TARGET_STR_AVX3 ",avx512ifma"
HWY_BEFORE_NAMESPACE();
namespace whorl {
namespace HWY_NAMESPACE {
namespace {

HWY_INLINE W broadcast_wide(std::uint64_t x) {
    return hn::Set(D64(), x);
}
// sum + the low, or the high, 52 bits of a·b; of a and b 52 bits count.
HWY_INLINE W add_product_low(W sum, W a, W b) {
    return W{_mm512_madd52lo_epu64(sum.raw, a.raw, b.raw)};
}
HWY_INLINE W add_product_high(W sum, W a, W b) {
    return W{_mm512_madd52hi_epu64(sum.raw, a.raw, b.raw)};
}

constexpr std::uint64_t negative_modulus_inverse() {
    std::uint64_t inverse = Fp::kModulusInverse;
    inverse *= 2 - Fp::kModulus * inverse;
    return (0 - inverse) & ((std::uint64_t{1} << 52) - 1);
}
static_assert(((negative_modulus_inverse() * Fp::kModulus + 1) & ((std::uint64_t{1} << 52) - 1)) == 0);

// offset + a·b·2^-52 − (1 − 2^-52) modulo p, of n words side by side: at most offset + p + a·b·2^-52 as a number. It is a·b + 1
// that is reduced, because the low words of that and of the multiple of p add up to 2^52 always, also where a·b is 0, and what
// they carry needs no instruction.
template <unsigned n>
HWY_INLINE void wide_products(const W* HWY_RESTRICT a, const W* HWY_RESTRICT b, const W* HWY_RESTRICT offsets,
                              W* HWY_RESTRICT out) {
    W low[n], q[n];
    for (unsigned i = 0; i < n; ++i) low[i] = add_product_low(broadcast_wide(1), a[i], b[i]);
    for (unsigned i = 0; i < n; ++i) out[i] = add_product_high(offsets[i], a[i], b[i]);
    for (unsigned i = 0; i < n; ++i) {
        q[i] = add_product_low(hn::Zero(D64()), low[i], broadcast_wide(negative_modulus_inverse()));
    }
    for (unsigned i = 0; i < n; ++i) out[i] = add_product_high(out[i], q[i], broadcast_wide(Fp::kModulus));
}

// x^7·2^-312, and what `offsets` have over product_offset.
template <unsigned n>
HWY_INLINE void wide_pow7(const W* HWY_RESTRICT x, const W* HWY_RESTRICT offsets, W* HWY_RESTRICT out) {
    W plain[n], x2[n], x3[n], x4[n];
    for (W& offset : plain) offset = broadcast_wide(kWidePoseidonConstants.product_offset);
    wide_products<n>(x, x, plain, x2);
    wide_products<n>(x2, x, plain, x3);
    wide_products<n>(x2, x2, plain, x4);
    wide_products<n>(x3, x4, offsets, out);
}

// Below 3p, for x whose low 52 bits count.
HWY_INLINE W wide_reduce(W x) {
    const W q = add_product_high(hn::Zero(D64()), x, broadcast_wide((std::uint64_t{1} << 52) / Fp::kModulus));
    return add_product_low(x, q, broadcast_wide((std::uint64_t{1} << 52) - Fp::kModulus));
}

HWY_INLINE void wide_external_linear(W* HWY_RESTRICT s) {
    const W two = broadcast_wide(2);
    for (unsigned k = 0; k < 4; ++k) {
        const W sum = hn::Add(hn::Add(s[k], s[4 + k]), hn::Add(s[8 + k], s[12 + k]));
        for (unsigned g = 0; g < 16; g += 4) s[g + k] = hn::Add(s[g + k], sum);
    }
    for (unsigned g = 0; g < 16; g += 4) {
        const W a = s[g], b = s[g + 1], c = s[g + 2], d = s[g + 3];
        const W ab = hn::Add(a, b), cd = hn::Add(c, d);
        const W sum = hn::Add(ab, cd);
        const W sum_b = hn::Add(sum, b), sum_d = hn::Add(sum, d);
        s[g] = hn::Add(sum_b, ab);
        s[g + 1] = add_product_low(sum_b, c, two);
        s[g + 2] = hn::Add(sum_d, cd);
        s[g + 3] = add_product_low(sum_d, a, two);
    }
}

HWY_INLINE void wide_external_round(W* HWY_RESTRICT s, const WideWords& offsets) {
    constexpr unsigned kAtOnce = 8;  // as many as fill the latency of a product
    for (unsigned i = 0; i < 16; i += kAtOnce) {
        W start[kAtOnce];
        for (unsigned j = 0; j < kAtOnce; ++j) start[j] = broadcast_wide(offsets[i + j]);
        wide_pow7<kAtOnce>(s + i, start, s + i);
    }
    wide_external_linear(s);
}

// One half in the internal rounds; wide_rounds.hpp says how words are held. The products of a round are of `factors`: m/d of the
// pairs, then the last three words without a partner. A round's p are the next one's m/d, so the two take turns, the three words
// behind p.
struct WideInternalState {
    W s0, s1, s2;
    W factors[8], p[8];
    W sum;  // of the round before
};

// What a round does to all words but the first, once its sum is known.
HWY_INLINE void add_sum(WideInternalState& s, W (&factors)[8], W (&p)[8],
                        const std::array<std::uint64_t, 8>& multipliers) {
    const W sum2 = hn::Add(s.sum, s.sum);
    s.s1 = hn::Add(s.sum, s.s1);
    s.s2 = add_product_low(s.sum, s.s2, broadcast_wide(2));
    for (unsigned i = 0; i < 8; i += 4) {
        W starts[4], with[4], out[4];
        for (unsigned j = 0; j < 4; ++j) {
            with[j] = broadcast_wide(multipliers[i + j]);
            starts[j] = i + j < kPoseidonPairs ? sum2 : s.sum;
        }
        wide_products<4>(factors + i, with, starts, out);
        for (unsigned j = 0; j < 4; ++j) (i + j < kPoseidonPairs ? factors : p)[i + j] = out[j];
    }
}
HWY_INLINE W wide_sbox(W x) {
    const W offset = broadcast_wide(kWidePoseidonConstants.product_offset);
    wide_pow7<1>(&x, &offset, &x);
    return x;
}
HWY_INLINE void set_sum(WideInternalState& s, const W (&factors)[8], const W (&p)[8], W x, std::uint64_t next) {
    const W pairs = hn::Add(hn::Add(p[0], p[1]), hn::Add(hn::Add(p[2], p[3]), p[4]));
    const W singles = hn::Add(hn::Add(s.s1, s.s2), hn::Add(hn::Add(factors[5], factors[6]), factors[7]));
    const W others = hn::Add(pairs, singles);
    s.s0 = hn::Sub(hn::Add(others, broadcast_wide(next)), x);
    s.sum = wide_reduce(hn::Add(others, x));
}
// The end of a round and the start of the next, whose S-box everything waits for.
HWY_INLINE void wide_internal_round(WideInternalState& s, W (&factors)[8], W (&p)[8],
                                    const WidePoseidonConstants::InternalRound& previous, std::uint64_t next) {
    const W x = wide_sbox(s.s0);
    add_sum(s, factors, p, previous.factors);
    set_sum(s, p, factors, x, next);
}

// Leaves every word doubled, with the first constants of the last external rounds.
HWY_INLINE void wide_internal_rounds(W* HWY_RESTRICT s) {
    const WidePoseidonConstants& constants = kWidePoseidonConstants;
    WideInternalState state{s[0], s[1], s[2], {}, {}, {}};
    const W above = broadcast_wide(std::uint64_t{Fp::kModulus} << 7);  // words are below 35·3p
    for (unsigned i = 0; i < kPoseidonPairs; ++i) {
        const W u = s[kPoseidonPair[i][0]], v = s[kPoseidonPair[i][1]];
        state.p[i] = hn::Add(u, v);
        state.factors[i] = hn::Sub(hn::Add(u, above), v);
    }
    for (unsigned i = 0; i < 3; ++i) state.factors[kPoseidonPairs + i] = s[kPoseidonSingles[3 + i]];

    set_sum(state, state.factors, state.p, wide_sbox(state.s0), constants.internal[0].next);
    static_assert(kPoseidonInternalRounds % 2 == 1);
    for (unsigned r = 1; r < kPoseidonInternalRounds; r += 2) {
        wide_internal_round(state, state.factors, state.p, constants.internal[r - 1], constants.internal[r].next);
        wide_internal_round(state, state.p, state.factors, constants.internal[r], constants.internal[r + 1].next);
    }
    add_sum(state, state.factors, state.p, constants.internal[kPoseidonInternalRounds - 1].factors);

    const W *const m_over_d = state.p, *const p = state.factors;
    W starts[kPoseidonPairs], multipliers[kPoseidonPairs], m[kPoseidonPairs];
    for (unsigned i = 0; i < kPoseidonPairs; ++i) {
        starts[i] = broadcast_wide(constants.exit_first[i]);
        multipliers[i] = broadcast_wide(constants.exit_factor[i]);
    }
    wide_products<kPoseidonPairs>(m_over_d, multipliers, starts, m);
    for (unsigned i = 0; i < kPoseidonPairs; ++i) {
        s[kPoseidonPair[i][0]] = hn::Add(p[i], m[i]);
        s[kPoseidonPair[i][1]] = hn::Sub(hn::Add(p[i], broadcast_wide(constants.exit_second[i])), m[i]);
    }
    const W singles[] = {state.s0, state.s1, state.s2, state.p[5], state.p[6], state.p[7]};
    for (unsigned i = 0; i < kPoseidonSingles.size(); ++i) {
        s[kPoseidonSingles[i]] =
            add_product_low(broadcast_wide(constants.exit_single[i]), singles[i], broadcast_wide(2));
    }
}

// Words in [0, p) before and after.
HWY_NOINLINE void wide_permute(V* HWY_RESTRICT s) {
    const WidePoseidonConstants& constants = kWidePoseidonConstants;
    W halves[2][16];  // even and odd words
    for (unsigned i = 0; i < 16; ++i) {
        // Times 2^20: below 2^52, and what lies above does not count.
        const W words = hn::BitCast(D64(), hn::Add(s[i], broadcast_word(constants.entry[i])));
        halves[0][i] = wide_reduce(hn::ShiftLeft<20>(words));
        halves[1][i] = wide_reduce(hn::ShiftLeft<20>(hn::ShiftRight<32>(words)));
    }
    for (W* half : halves) wide_external_linear(half);
    for (const WideWords& offsets : constants.initial) {
        for (W* half : halves) wide_external_round(half, offsets);
    }
    for (W* half : halves) wide_internal_rounds(half);
    for (const WideWords& offsets : constants.final) {
        for (W* half : halves) wide_external_round(half, offsets);
    }
    const W one = broadcast_wide(1), scale = broadcast_wide(constants.exit_scale);
    const W offsets[2] = {one, one}, scales[2] = {scale, scale};
    for (unsigned i = 0; i < 16; ++i) {
        const W in[2] = {halves[0][i], halves[1][i]};
        W out[2];
        wide_products<2>(in, scales, offsets, out);
        const V even = hn::BitCast(D32(), out[0]), odd = hn::BitCast(D32(), out[1]);
        const V joined = hn::OddEven(hn::DupEven(odd), even);  // below 2p
        s[i] = hn::Min(joined, hn::Sub(joined, hn::Set(D32(), Fp::kModulus)));
    }
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace whorl
HWY_AFTER_NAMESPACE();
#pragma pop_macro("HWY_TARGET_STR")
#endif

#endif
