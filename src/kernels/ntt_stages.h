// Butterflies of number-theoretic transforms on sixteen words of one thread.
#ifndef WHORL_KERNELS_NTT_STAGES_H
#define WHORL_KERNELS_NTT_STAGES_H

#include "kernels/field.h"

struct NttWords {
    u32 w[16];
};
struct NttTwiddles {
    u32 w[8];
};

// The stage of pairs (j, j + kHalf): sums, and differences times a twiddle.
template <u32 kHalf>
WH_FN NttWords ntt_split(NttWords x, NttTwiddles t) {
    for (u32 j = 0; j < 16; ++j) {
        if ((j & kHalf) != 0) continue;
        const u32 a = x.w[j];
        const u32 b = x.w[j + kHalf];
        x.w[j] = fp_add(a, b);
        x.w[j + kHalf] = fp_mul(a + (kP - b), t.w[j & (kHalf - 1)]);
    }
    return x;
}
// Its inverse but for a factor 2, with inverse twiddles.
template <u32 kHalf>
WH_FN NttWords ntt_join(NttWords x, NttTwiddles t) {
    for (u32 j = 0; j < 16; ++j) {
        if ((j & kHalf) != 0) continue;
        const u32 a = x.w[j];
        const u32 b = fp_mul(x.w[j + kHalf], t.w[j & (kHalf - 1)]);
        x.w[j] = fp_add(a, b);
        x.w[j + kHalf] = fp_sub(a, b);
    }
    return x;
}
// The last stage of all, whose twiddle is 1; its own inverse but for a factor 2.
WH_FN NttWords ntt_butterflies(NttWords x) {
    for (u32 j = 0; j < 16; j += 2) {
        const u32 a = x.w[j];
        const u32 b = x.w[j + 1];
        x.w[j] = fp_add(a, b);
        x.w[j + 1] = fp_sub(a, b);
    }
    return x;
}

// w_2kHalf^i·power for i < kHalf.
template <u32 kHalf>
WH_FN NttTwiddles ntt_twiddles(Words roots, u32 power) {
    NttTwiddles t;
    t.w[0] = power;
    for (u32 i = 1; i < kHalf; ++i) t.w[i] = fp_mul(roots[kHalf + i], power);
    return t;
}
// Four stages on transforms of size M whose words j are M/16 apart: power = w_M^b for the b-th of M/16.
WH_FN NttWords ntt_split16(NttWords x, Words roots, u32 power) {
    x = ntt_split<8>(x, ntt_twiddles<8>(roots, power));
    power = fp_mul(power, power);
    x = ntt_split<4>(x, ntt_twiddles<4>(roots, power));
    power = fp_mul(power, power);
    x = ntt_split<2>(x, ntt_twiddles<2>(roots, power));
    power = fp_mul(power, power);
    return ntt_split<1>(x, ntt_twiddles<1>(roots, power));
}
WH_FN NttWords ntt_join16(NttWords x, Words roots, u32 power) {
    const u32 power2 = fp_mul(power, power);
    const u32 power4 = fp_mul(power2, power2);
    x = ntt_join<1>(x, ntt_twiddles<1>(roots, fp_mul(power4, power4)));
    x = ntt_join<2>(x, ntt_twiddles<2>(roots, power4));
    x = ntt_join<4>(x, ntt_twiddles<4>(roots, power2));
    return ntt_join<8>(x, ntt_twiddles<8>(roots, power));
}

// Twiddles of the stage with pairs `first` apart inside blocks: w_2first^i for i = low, low + 2^log_step, …
template <u32 kHalf>
WH_FN NttTwiddles ntt_block_twiddles(Words roots, u32 first, u32 low, u32 log_step) {
    NttTwiddles t;
    for (u32 i = 0; i < kHalf; ++i) t.w[i] = roots[first + low + (i << log_step)];
    return t;
}

#endif
