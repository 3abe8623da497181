// Kernels on arrays of extension elements that several stages share.
#ifndef WHORL_KERNELS_VECTORS_H
#define WHORL_KERNELS_VECTORS_H

#include "kernels/eq.h"
#include "kernels/reduce.h"
#include "kernels/vectors_params.h"

WH_KERNEL(sum_segments, SumSegmentsParams, 256) {
    WH_SHARED(scratch, 1024);
    WH_THREAD(t);
    const Words in = words_at(p.in);
    const Words segments = words_at(p.segments);
    const u32 first = segments[4 * t.group];
    const u32 count = segments[4 * t.group + 1];
    const u32 stride = segments[4 * t.group + 2];
    Ext sum = ext_zero();
    for (u32 i = t.tid; i < count; i += t.size) sum = ext_add(sum, load_ext(in, first + static_cast<u64>(i) * stride));
    sum = group_sum(scratch, t, sum);
    if (t.tid == 0) store_ext(words_at(p.out), segments[4 * t.group + 3], sum);
}

WH_KERNEL(sum_strided, SumStridedParams, 256) {
    WH_SHARED(scratch, 1024);
    WH_THREAD(t);
    const Words in = words_at(p.in);
    Ext sum = ext_zero();
    for (u64 i = t.tid; i < p.count; i += t.size) {
        sum = ext_add(sum, load_ext(in, t.group * p.first_step + i * p.step));
    }
    sum = group_sum(scratch, t, sum);
    if (t.tid == 0) store_ext(words_at(p.out), t.group, sum);
}

WH_KERNEL(eq_heap, EqHeapParams, 256) {
    WH_THREAD(t);
    const u64 e = grid_index(t);
    if (e == 0 || e >= (2ull << p.num_vars)) return;
    u32 m = 0;
    while ((e >> (m + 1)) != 0) ++m;
    const Words xs = words_at(p.xs);
    Ext product = ext_one();
    for (u32 v = 0; v < m; ++v) {
        const Ext x = load_ext(xs, p.num_vars - m + v);
        const Ext times_x = ext_mul(product, x);
        if (((e >> v) & 1) != 0) {
            product = times_x;
        } else {
            product = ext_sub(product, times_x);
        }
    }
    store_ext(words_at(p.out), e, product);
}

WH_KERNEL(eq_table, EqTableParams, 256) {
    WH_THREAD(t);
    const u64 i = grid_index(t);
    if (i >= (1ull << p.num_vars)) return;
    store_ext(words_at(p.out), i,
              eq_entry(words_at(p.low_heap), words_at(p.high_heap), p.num_vars - p.num_low, p.num_vars, i));
}

WH_KERNEL(fold_pairs, FoldPairsParams, 256) {
    WH_THREAD(t);
    const u64 i = grid_index(t);
    if (i >= p.count) return;
    const Words in = words_at(p.in);
    store_ext(words_at(p.out), i, ext_line(load_ext(in, 2 * i), load_ext(in, 2 * i + 1), WH_EXT(p.r)));
}

#endif
