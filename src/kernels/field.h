// BabyBear (p = 2^31 - 2^27 + 1, Montgomery words below p) and its quartic extension F[X]/(X^4 - 11) in kernels.
// The host's counterpart is whorl/field.hpp.
#ifndef WHORL_KERNELS_FIELD_H
#define WHORL_KERNELS_FIELD_H

#include "kernels/compat.h"

WH_CONSTANT(u32, kP) = 0x78000001u;
WH_CONSTANT(u32, kPInverse) = 0x88000001u;  // p^-1 mod 2^32
WH_CONSTANT(u32, kOne) = 0x0FFFFFFEu;       // 2^32 mod p
WH_CONSTANT(u32, kRSquared) = 0x45DDDDE3u;  // 2^64 mod p

// Corrections are minima: one instruction on some devices, two at most on others.
WH_FN u32 fp_add(u32 a, u32 b) {
    const u32 sum = a + b;
    return min_word(sum, sum - kP);
}
WH_FN u32 fp_sub(u32 a, u32 b) {
    const u32 difference = a - b;
    return min_word(difference, difference + kP);
}
WH_FN u32 fp_neg(u32 a) {
    return fp_sub(0, a);
}
// x·2^-32 mod p for x < p·2^32.
WH_FN u32 fp_reduce(u64 x) {
    const u32 q = static_cast<u32>(x) * kPInverse;
    const u32 r = static_cast<u32>(x >> 32) - mul_high(q, kP);
    return min_word(r, r + kP);
}
WH_FN u32 fp_mul(u32 a, u32 b) {
    return fp_reduce(static_cast<u64>(a) * b);
}
WH_FN u32 fp_pow(u32 x, u64 exponent) {
    u32 result = kOne;
    for (; exponent != 0; exponent >>= 1) {
        if (exponent & 1) result = fp_mul(result, x);
        x = fp_mul(x, x);
    }
    return result;
}
// The integer below p that a Montgomery word stands for.
WH_FN u32 fp_canonical(u32 a) {
    return fp_reduce(a);
}
WH_FN u32 fp_from_canonical(u32 a) {
    return fp_mul(a, kRSquared);
}

// Sums of products in 64 bits. Up to four products of words below p fit; fold() takes such a sum, or a folded one plus
// two products, below p·2^32, from where fp_reduce goes on.
WH_FN u64 wide_fold(u64 x) {
    const u32 high = static_cast<u32>(x >> 32);
    return (static_cast<u64>(min_word(high, high - kP)) << 32) | static_cast<u32>(x);
}

struct Ext {
    u32 c[4];
};

WH_FN Ext ext_zero() {
    const Ext out = {{0, 0, 0, 0}};
    return out;
}
WH_FN Ext ext_from(u32 base) {
    const Ext out = {{base, 0, 0, 0}};
    return out;
}
WH_FN Ext ext_one() {
    return ext_from(kOne);
}
WH_FN Ext ext_add(Ext a, Ext b) {
    const Ext out = {{fp_add(a.c[0], b.c[0]), fp_add(a.c[1], b.c[1]), fp_add(a.c[2], b.c[2]), fp_add(a.c[3], b.c[3])}};
    return out;
}
WH_FN Ext ext_sub(Ext a, Ext b) {
    const Ext out = {{fp_sub(a.c[0], b.c[0]), fp_sub(a.c[1], b.c[1]), fp_sub(a.c[2], b.c[2]), fp_sub(a.c[3], b.c[3])}};
    return out;
}
WH_FN Ext ext_neg(Ext a) {
    return ext_sub(ext_zero(), a);
}
WH_FN Ext ext_scale(Ext a, u32 b) {
    const Ext out = {{fp_mul(a.c[0], b), fp_mul(a.c[1], b), fp_mul(a.c[2], b), fp_mul(a.c[3], b)}};
    return out;
}
WH_FN u32 fp_times_11(u32 x) {
    const u32 x2 = fp_add(x, x);
    const u32 x4 = fp_add(x2, x2);
    return fp_add(fp_add(fp_add(x4, x4), x2), x);
}
// One reduction for each coordinate: four products below p² stay below 2^64. What depends on b alone is shared when several
// products have the same second factor.
WH_FN Ext ext_mul(Ext a, Ext b) {
    const u64 w1 = fp_times_11(b.c[1]);
    const u64 w2 = fp_times_11(b.c[2]);
    const u64 w3 = fp_times_11(b.c[3]);
    const u64 b0 = b.c[0];
    const u64 b1 = b.c[1];
    const u64 b2 = b.c[2];
    const u64 b3 = b.c[3];
    const Ext out = {{fp_reduce(wide_fold(a.c[0] * b0 + a.c[1] * w3 + a.c[2] * w2 + a.c[3] * w1)),
                      fp_reduce(wide_fold(a.c[0] * b1 + a.c[1] * b0 + a.c[2] * w3 + a.c[3] * w2)),
                      fp_reduce(wide_fold(a.c[0] * b2 + a.c[1] * b1 + a.c[2] * b0 + a.c[3] * w3)),
                      fp_reduce(wide_fold(a.c[0] * b3 + a.c[1] * b2 + a.c[2] * b1 + a.c[3] * b0))}};
    return out;
}
WH_FN Ext ext_pow(Ext x, u64 exponent) {
    Ext result = ext_one();
    for (; exponent != 0; exponent >>= 1) {
        if (exponent & 1) result = ext_mul(result, x);
        x = ext_mul(x, x);
    }
    return result;
}
// a + r·(b − a): the value at r of the line through a at 0 and b at 1.
WH_FN Ext ext_line(Ext a, Ext b, Ext r) {
    return ext_add(a, ext_mul(ext_sub(b, a), r));
}

// Element i of an array of extension elements. Precondition: its address is a multiple of 16.
WH_FN Ext load_ext(Words words, u64 i) {
    const Word4 v = load4(words, i);
    const Ext out = {{v.w[0], v.w[1], v.w[2], v.w[3]}};
    return out;
}
WH_FN void store_ext(Words words, u64 i, Ext value) {
    const Word4 v = {{value.c[0], value.c[1], value.c[2], value.c[3]}};
    store4(words, i, v);
}
// An ExtParam as a value.
#define WH_EXT(param) ext_words((param).c[0], (param).c[1], (param).c[2], (param).c[3])
WH_FN Ext ext_words(u32 c0, u32 c1, u32 c2, u32 c3) {
    const Ext out = {{c0, c1, c2, c3}};
    return out;
}

#endif
