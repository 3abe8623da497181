// WHIR's sumcheck over coefficients f and dual weights w (PROTOCOL.md section 15).
#ifndef WHORL_KERNELS_WHIR_H
#define WHORL_KERNELS_WHIR_H

#include "kernels/column_sum.h"
#include "kernels/reduce.h"
#include "kernels/whir_params.h"

WH_FN Ext whir_fold_coefficients(Words f, u64 i, Ext r) {
    return ext_add(load_ext(f, 2 * i), ext_mul(r, load_ext(f, 2 * i + 1)));
}
WH_FN Ext whir_fold_dual(Words w, u64 i, Ext r) {
    const Ext odd = load_ext(w, 2 * i + 1);
    return ext_line(ext_sub(load_ext(w, 2 * i), odd), odd, r);
}

WH_KERNEL(whir_fold, WhirFoldParams, 256) {
    WH_THREAD(t);
    const u64 i = grid_index(t);
    if (i >= p.count) return;
    store_ext(words_at(p.folded_f), i, whir_fold_coefficients(words_at(p.f), i, WH_EXT(p.r)));
    store_ext(words_at(p.folded_w), i, whir_fold_dual(words_at(p.w), i, WH_EXT(p.r)));
}

WH_KERNEL(whir_round, WhirRoundParams, 256) {
    WH_SHARED(scratch, 1024);
    WH_THREAD(t);
    const Words f = words_at(p.f);
    const Words w = words_at(p.w);
    const Ext r = WH_EXT(p.r);
    Ext at_1 = ext_zero();
    Ext at_2 = ext_zero();
    for (u64 i = grid_index(t); i < p.num_pairs; i += grid_size(t)) {
        Ext f_even;
        Ext f_odd;
        Ext w_even;
        Ext w_odd;
        if (p.is_folding != 0) {
            const Words folded_f = words_at(p.folded_f);
            const Words folded_w = words_at(p.folded_w);
            f_even = whir_fold_coefficients(f, 2 * i, r);
            f_odd = whir_fold_coefficients(f, 2 * i + 1, r);
            w_even = whir_fold_dual(w, 2 * i, r);
            w_odd = whir_fold_dual(w, 2 * i + 1, r);
            store_ext(folded_f, 2 * i, f_even);
            store_ext(folded_f, 2 * i + 1, f_odd);
            store_ext(folded_w, 2 * i, w_even);
            store_ext(folded_w, 2 * i + 1, w_odd);
        } else {
            f_even = load_ext(f, 2 * i);
            f_odd = load_ext(f, 2 * i + 1);
            w_even = load_ext(w, 2 * i);
            w_odd = load_ext(w, 2 * i + 1);
        }
        // f(1) = even + odd, f(2) = even + 2·odd; w(1) = odd, w(2) = 3·odd − even.
        const Ext f_1 = ext_add(f_even, f_odd);
        at_1 = ext_add(at_1, ext_mul(f_1, w_odd));
        const Ext w_2 = ext_add(ext_sub(w_odd, w_even), ext_add(w_odd, w_odd));
        at_2 = ext_add(at_2, ext_mul(ext_add(f_1, f_odd), w_2));
    }
    at_1 = group_sum(scratch, t, at_1);
    at_2 = group_sum(scratch, t, at_2);
    if (t.tid == 0) {
        const Words out = words_at(p.out);
        store_ext(out, 2ull * t.group, at_1);
        store_ext(out, 2ull * t.group + 1, at_2);
    }
}

WH_KERNEL(whir_point_powers, WhirPointPowersParams, 256) {
    WH_THREAD(t);
    const u64 i = grid_index(t);
    const u64 num_low = 1ull << p.num_low;
    if (i >= num_low + (1ull << (p.num_vars - p.num_low))) return;
    const Ext x = WH_EXT(p.x);
    if (i < num_low) {
        store_ext(words_at(p.low), i, ext_pow(x, i));
    } else {
        store_ext(words_at(p.high), i - num_low, ext_pow(x, (i - num_low) << p.num_low));
    }
}

WH_FN Ext whir_point_power(Words low, Words high, u32 num_low, u64 j) {
    return ext_mul(load_ext(low, j & ((1ull << num_low) - 1)), load_ext(high, j >> num_low));
}

WH_KERNEL(whir_evaluate, WhirEvaluateParams, 256) {
    WH_SHARED(scratch, 1024);
    WH_THREAD(t);
    const Words f = words_at(p.f);
    const Words low = words_at(p.low);
    const Words high = words_at(p.high);
    Ext sum = ext_zero();
    for (u64 j = grid_index(t); j < (1ull << p.num_vars); j += grid_size(t)) {
        sum = ext_add(sum, ext_mul(load_ext(f, j), whir_point_power(low, high, p.num_low, j)));
    }
    sum = group_sum(scratch, t, sum);
    if (t.tid == 0) store_ext(words_at(p.out), t.group, sum);
}

WH_KERNEL(whir_query_powers, WhirQueryPowersParams, 256) {
    WH_THREAD(t);
    const u64 e = grid_index(t);
    const u64 num_low = 1ull << p.num_low;
    const u64 num_high = 1ull << p.num_high;
    const u64 q = e / (num_low + num_high);
    if (q >= p.num_queries) return;
    const u64 i = e % (num_low + num_high);
    const u64 exponent = words_at(p.indices)[q] * (i < num_low ? i : (i - num_low) << p.num_low);
    const u32 power = fp_pow(p.generator, exponent & ((1ull << p.log_order) - 1));
    if (i < num_low) {
        words_at(p.low)[q * num_low + i] = power;
    } else {
        store_ext(words_at(p.high), q * num_high + i - num_low, ext_scale(load_ext(words_at(p.weights), q), power));
    }
}

WH_KERNEL(whir_add_points, WhirAddPointsParams, 256) {
    WH_SHARED(sums, 1024);
    WH_THREAD(t);
    const u32 lane = t.tid % kWhirElementsPerGroup;
    const u32 part = t.tid / kWhirElementsPerGroup;
    const u32 num_parts = t.size / kWhirElementsPerGroup;
    const u64 j = static_cast<u64>(t.group) * kWhirElementsPerGroup + lane;
    const bool is_inside = j < (1ull << p.num_vars);
    const u64 num_low = 1ull << p.num_low;
    const u64 num_high = 1ull << (p.num_vars - p.num_low);
    const Words low = words_at(p.query_low);
    const Words high = words_at(p.query_high);
    // Part k of the queries: k, k + num_parts, …, two at a time.
    ColumnSum sum = column_sum_zero();
    const u64 low_at = j & (num_low - 1);
    const u64 high_at = j >> p.num_low;
    for (u32 q = part; is_inside && q < p.num_queries; q += 2 * num_parts) {
        const bool has_next = q + num_parts < p.num_queries;
        const u64 next = has_next ? q + num_parts : q;
        const u32 x = low[q * num_low + low_at];
        const u32 y = has_next ? low[next * num_low + low_at] : 0;
        sum = column_sum_add(sum, load_ext(high, q * num_high + high_at), x, load_ext(high, next * num_high + high_at),
                             y);
    }
    const Ext value = column_sum_value(sum);
    for (u32 c = 0; c < 4; ++c) sums[c * t.size + t.tid] = value.c[c];
    WH_BARRIER();
    if (part != 0 || !is_inside) return;
    const Words w = words_at(p.w);
    Ext total = load_ext(w, j);
    for (u32 k = 0; k < num_parts; ++k) {
        const u32 at = k * kWhirElementsPerGroup + lane;
        total = ext_add(total, ext_words(sums[at], sums[t.size + at], sums[2 * t.size + at], sums[3 * t.size + at]));
    }
    const Ext power = whir_point_power(words_at(p.point_low), words_at(p.point_high), p.num_low, j);
    store_ext(w, j, ext_add(total, ext_mul(WH_EXT(p.point_weight), power)));
}

#endif
