// Poseidon2 over BabyBear, width 16 (PROTOCOL.md 3.1), one state a thread. The host's counterpart is hash/poseidon2.hpp.
#ifndef WHORL_KERNELS_POSEIDON2_H
#define WHORL_KERNELS_POSEIDON2_H

#include "kernels/field.h"

// Round constants, each less p: a word below p plus one of them is a signed word between -p and p, all that the S-box
// asks for.
WH_CONSTANT(u32, kPoseidonInitial[64]) = {
    0xE64D6937u, 0xF9385DEEu, 0xE9DDBD39u, 0xA394117Fu, 0xD520D77Cu, 0xDA478026u, 0xFB2E57C2u, 0x98E63111u,
    0xC499BE26u, 0x8A218579u, 0xD3BE9AB6u, 0xBAC46132u, 0xB762CC75u, 0xBF682265u, 0xA73714E2u, 0xE701DD7Cu,
    0xBD678505u, 0xEFDA0D23u, 0xBEB30089u, 0xE26765CBu, 0xCDC068BCu, 0xB6D4B9EBu, 0xAC9392D2u, 0x9D0A571Bu,
    0xB07549E9u, 0xC3EDB1B7u, 0xED9E048Du, 0xCE023D6Fu, 0xA655A92Cu, 0xA79C528Eu, 0xD71AD61Fu, 0xDC7FA87Fu,
    0xCCC19B35u, 0xAAC2F119u, 0x9FB67670u, 0xDDDDDEB3u, 0xA318A7ECu, 0x9266840Du, 0x923CD408u, 0xFF1E5547u,
    0xDBAABA91u, 0xF3BFE06Fu, 0xA2D7C511u, 0xDEF4FBF8u, 0xB6E93EABu, 0xC767BC13u, 0xFE6F3F65u, 0xA4B5555Bu,
    0xD16B4855u, 0xD6E52288u, 0x96351626u, 0xFFF2FA2Au, 0xC5176CCBu, 0xCA103AD6u, 0xD48A5BA8u, 0xAC2CFE15u,
    0xC4E22E51u, 0xB2E06109u, 0xAF51C80Au, 0xB5DEFDB6u, 0xB803796Du, 0xAB4C77EAu, 0xF07881F6u, 0xAF8AD902u};
WH_CONSTANT(u32, kPoseidonInternal[13]) = {0x96EE3C45u, 0xA78036FFu, 0xDFCBADE5u, 0xC23D3471u, 0xF86866BCu,
                                           0xC93DA072u, 0x90CA8F34u, 0xAF9652BAu, 0x9FC601D9u, 0x9C0A84A0u,
                                           0xE913337Au, 0xBCF6E215u, 0xAAF9B8B1u};
WH_CONSTANT(u32, kPoseidonFinal[64]) = {
    0xC3983319u, 0x9A25B4FFu, 0xA8F18723u, 0xA2DD1EACu, 0xAFC8BADFu, 0xEF810937u, 0xD72405E0u, 0xCCBD103Eu,
    0xB8AD7B46u, 0xC8251839u, 0xFA22068Eu, 0xEB76B2E4u, 0xD9651849u, 0xC22811CFu, 0xC57D5B9Bu, 0xDB0C569Cu,
    0xE4AADA1Bu, 0xC506627Cu, 0xE7FC6E6Bu, 0x9CBA29F7u, 0xF9D1C1E8u, 0xB40FB8F6u, 0xA18B65E0u, 0xADBCFF05u,
    0x8F427C34u, 0x8D9B1121u, 0xD99EA060u, 0xD281A535u, 0x8ECF9AA8u, 0xA6B2CA03u, 0x8AEC7CABu, 0xFCF6C732u,
    0xDA4EBFDDu, 0xF6DD9D08u, 0x8BDB6B20u, 0x8894E6FBu, 0xEC3ED13Au, 0xB25EB828u, 0xC4CF7584u, 0xDC4A7135u,
    0xE349128Eu, 0x8A27BD54u, 0xB288BDACu, 0x8D5C4D16u, 0xF7822C49u, 0x9F9A43F1u, 0xCAEC1894u, 0xF0F3D82Eu,
    0xB8DCF521u, 0x9006AB71u, 0xF09D63DAu, 0x891943F7u, 0xED709CCCu, 0xF23C56E0u, 0xE071ED93u, 0xC15E47BCu,
    0xF6B895C3u, 0x95422BD8u, 0x8BC4B678u, 0xA6B56DDDu, 0xD85E67B4u, 0xC205211Du, 0xE6D5C103u, 0xB21275F0u};

struct Poseidon16 {
    u32 w[16];
};

// a·b·2^-32 for |a|, |b| < p, not corrected: in (-p, p).
WH_FN i32 poseidon_mul(i32 a, i32 b) {
    const i64 x = static_cast<i64>(a) * b;
    const u32 q = static_cast<u32>(x) * kPInverse;
    return static_cast<i32>(x >> 32) - mul_high_signed(static_cast<i32>(q), static_cast<i32>(kP));
}
// (x + c)^7 for a constant c of the tables above.
WH_FN u32 poseidon_sbox(u32 x, u32 c) {
    const i32 x1 = static_cast<i32>(x + c);
    const i32 x2 = poseidon_mul(x1, x1);
    const i32 x3 = poseidon_mul(x2, x1);
    const i32 x4 = poseidon_mul(x2, x2);
    const u32 x7 = static_cast<u32>(poseidon_mul(x3, x4));
    return min_word(x7, x7 + kP);
}
WH_FN u32 poseidon_half(u32 x) {
    return (x >> 1) + (x & 1) * ((kP + 1) / 2);
}
// x·2^-k for k <= 27: with x = high·2^k + low and 2^-k = -15·2^(27-k) mod p.
WH_FN u32 poseidon_shift_down(u32 x, u32 k) {
    return fp_sub(x >> k, (x & ((1u << k) - 1)) * (15u << (27 - k)));
}

// circ(2, 3, 1, 1) on each group of four, then every word gains the sum of its residue class mod 4.
WH_FN Poseidon16 poseidon_external_linear(Poseidon16 s) {
    for (u32 g = 0; g < 16; g += 4) {
        const u32 a = s.w[g];
        const u32 b = s.w[g + 1];
        const u32 c = s.w[g + 2];
        const u32 d = s.w[g + 3];
        const u32 ab = fp_add(a, b);
        const u32 cd = fp_add(c, d);
        const u32 sum = fp_add(ab, cd);
        const u32 sum_b = fp_add(sum, b);
        const u32 sum_d = fp_add(sum, d);
        s.w[g] = fp_add(sum_b, ab);                // sum + a + 2b
        s.w[g + 1] = fp_add(sum_b, fp_add(c, c));  // sum + b + 2c
        s.w[g + 2] = fp_add(sum_d, cd);            // sum + c + 2d
        s.w[g + 3] = fp_add(sum_d, fp_add(a, a));  // sum + d + 2a
    }
    for (u32 k = 0; k < 4; ++k) {
        const u32 sum = fp_add(fp_add(s.w[k], s.w[4 + k]), fp_add(s.w[8 + k], s.w[12 + k]));
        for (u32 g = 0; g < 16; g += 4) s.w[g + k] = fp_add(s.w[g + k], sum);
    }
    return s;
}
WH_FN Poseidon16 poseidon_initial_round(Poseidon16 s, u32 round) {
    for (u32 i = 0; i < 16; ++i) s.w[i] = poseidon_sbox(s.w[i], kPoseidonInitial[16 * round + i]);
    return poseidon_external_linear(s);
}
WH_FN Poseidon16 poseidon_final_round(Poseidon16 s, u32 round) {
    for (u32 i = 0; i < 16; ++i) s.w[i] = poseidon_sbox(s.w[i], kPoseidonFinal[16 * round + i]);
    return poseidon_external_linear(s);
}
WH_FN Poseidon16 poseidon_internal_round(Poseidon16 s, u32 round) {
    // The sum of the others does not wait for the S-box.
    u32 rest = fp_add(fp_add(fp_add(s.w[1], s.w[2]), fp_add(s.w[3], s.w[4])),
                      fp_add(fp_add(s.w[5], s.w[6]), fp_add(s.w[7], s.w[8])));
    rest = fp_add(rest, fp_add(fp_add(fp_add(s.w[9], s.w[10]), fp_add(s.w[11], s.w[12])),
                               fp_add(s.w[13], fp_add(s.w[14], s.w[15]))));
    const u32 x = poseidon_sbox(s.w[0], kPoseidonInternal[round]);
    const u32 sum = fp_add(rest, x);
    const u32 x5_2 = fp_add(s.w[5], s.w[5]);
    const u32 x8_2 = fp_add(s.w[8], s.w[8]);
    s.w[0] = fp_sub(rest, x);                                      // -2
    s.w[1] = fp_add(sum, s.w[1]);                                  // 1
    s.w[2] = fp_add(sum, fp_add(s.w[2], s.w[2]));                  // 2
    s.w[3] = fp_add(sum, poseidon_half(s.w[3]));                   // 1/2
    s.w[4] = fp_add(sum, fp_add(fp_add(s.w[4], s.w[4]), s.w[4]));  // 3
    s.w[5] = fp_add(sum, fp_add(x5_2, x5_2));                      // 4
    s.w[6] = fp_sub(sum, poseidon_half(s.w[6]));                   // -1/2
    s.w[7] = fp_sub(sum, fp_add(fp_add(s.w[7], s.w[7]), s.w[7]));  // -3
    s.w[8] = fp_sub(sum, fp_add(x8_2, x8_2));                      // -4
    s.w[9] = fp_add(sum, poseidon_shift_down(s.w[9], 8));          // 2^-8
    s.w[10] = fp_add(sum, poseidon_shift_down(s.w[10], 2));        // 1/4
    s.w[11] = fp_add(sum, poseidon_shift_down(s.w[11], 3));        // 1/8
    s.w[12] = fp_add(sum, poseidon_shift_down(s.w[12], 27));       // 2^-27
    s.w[13] = fp_sub(sum, poseidon_shift_down(s.w[13], 8));        // -2^-8
    s.w[14] = fp_sub(sum, poseidon_shift_down(s.w[14], 4));        // -1/16
    s.w[15] = fp_sub(sum, poseidon_shift_down(s.w[15], 27));       // -2^-27
    return s;
}

// Rounds are written out one by one: their constants become part of the instructions.
WH_FN Poseidon16 poseidon2_permute(Poseidon16 s) {
    s = poseidon_external_linear(s);
    s = poseidon_initial_round(s, 0);
    s = poseidon_initial_round(s, 1);
    s = poseidon_initial_round(s, 2);
    s = poseidon_initial_round(s, 3);
    s = poseidon_internal_round(s, 0);
    s = poseidon_internal_round(s, 1);
    s = poseidon_internal_round(s, 2);
    s = poseidon_internal_round(s, 3);
    s = poseidon_internal_round(s, 4);
    s = poseidon_internal_round(s, 5);
    s = poseidon_internal_round(s, 6);
    s = poseidon_internal_round(s, 7);
    s = poseidon_internal_round(s, 8);
    s = poseidon_internal_round(s, 9);
    s = poseidon_internal_round(s, 10);
    s = poseidon_internal_round(s, 11);
    s = poseidon_internal_round(s, 12);
    s = poseidon_final_round(s, 0);
    s = poseidon_final_round(s, 1);
    s = poseidon_final_round(s, 2);
    s = poseidon_final_round(s, 3);
    return s;
}

#endif
