// Weighted sums over trace columns, and the stacked opening reduction's rounds (PROTOCOL.md section 14).
#ifndef WHORL_KERNELS_STACKING_H
#define WHORL_KERNELS_STACKING_H

#include "kernels/column_sum.h"
#include "kernels/eq.h"
#include "kernels/reduce.h"
#include "kernels/stacking_params.h"

// Entry i of a list of addresses.
WH_FN u64 listed_address(Words list, u64 i) {
    return list[2 * i] | (static_cast<u64>(list[2 * i + 1]) << 32);
}

WH_KERNEL(combine_columns, CombineColumnsParams, 256) {
    WH_THREAD(t);
    const u64 e = grid_index(t);
    const u64 run = e >> p.log_height;
    if (run >= p.num_runs) return;
    const u64 row = e & ((1ull << p.log_height) - 1);
    const Words runs = words_at(p.runs);
    const u32 first = runs[4 * run];
    const u32 end = first + runs[4 * run + 1];
    const u32 out_at = runs[4 * run + 2];
    const u32 rotated_at = runs[4 * run + 3];
    const Words columns = words_at(p.columns);
    const Words weights = words_at(p.weights);
    const Words rotated_weights = words_at(p.rotated_weights);
    const bool is_rotating = rotated_at != kNoColumnRunOutput;
    ColumnSum sum = column_sum_zero();
    ColumnSum rotated = column_sum_zero();
    // Four columns at a time, so that their loads are under way together. Past the last one: that again, as zeros.
    for (u32 c = first; c < end; c += 4) {
        u32 at[4];
        u32 x[4];
        for (u32 k = 0; k < 4; ++k) {
            at[k] = min_word(c + k, end - 1);
            x[k] = c + k < end ? words_at(listed_address(columns, at[k]))[row] : 0;
        }
        for (u32 k = 0; k < 4; k += 2) {
            sum = column_sum_add(sum, load_ext(weights, at[k]), x[k], load_ext(weights, at[k + 1]), x[k + 1]);
            if (!is_rotating) continue;
            rotated = column_sum_add(rotated, load_ext(rotated_weights, at[k]), x[k],
                                     load_ext(rotated_weights, at[k + 1]), x[k + 1]);
        }
    }
    const Words out = words_at(p.out);
    const u64 at = out_at + (row << p.log_stride);
    Ext value = column_sum_value(sum);
    if (p.accumulate != 0) value = ext_add(value, load_ext(out, at));
    store_ext(out, at, value);
    if (is_rotating) store_ext(out, rotated_at + (row << p.log_stride), column_sum_value(rotated));
}

WH_KERNEL(sum_tables, SumTablesParams, 256) {
    WH_THREAD(t);
    const u64 e = grid_index(t);
    if (e >= (static_cast<u64>(p.size) << p.log_stride)) return;
    const u64 i = e >> p.log_stride;
    Ext sum = ext_zero();
    if ((i << p.log_stride) == e) {
        const Words in = words_at(p.in);
        for (u32 table = 0; table < p.num_tables; ++table) {
            sum = ext_add(sum, load_ext(in, static_cast<u64>(table) * p.size + i));
        }
    }
    store_ext(words_at(p.out), e, sum);
}

// eq[x − 1] − eq[x], cyclically.
WH_FN Ext stacked_rotated_difference(Words eq, u32 x, u32 size) {
    return ext_sub(load_ext(eq, (x + size - 1) & (size - 1)), load_ext(eq, x));
}

WH_KERNEL(stacked_sum_blocks, StackedSumBlocksParams, 256) {
    WH_THREAD(t);
    const u64 e = grid_index(t);
    const u32 n = 1u << p.l;
    const u32 z = static_cast<u32>(e) & (n - 1);
    const u64 chunk = e >> p.l;
    if (chunk >= p.num_chunks) return;
    const Words tables = words_at(p.tables);
    const Words eq = words_at(p.eq);
    Ext sum = ext_zero();
    Ext rotated = ext_zero();
    Ext difference = ext_zero();
    for (u32 x = static_cast<u32>(chunk); x < p.num_blocks; x += p.num_chunks) {
        const u64 at = static_cast<u64>(x) * n + z;
        const Ext weight = load_ext(eq, x);
        sum = ext_add(sum, ext_mul(weight, load_ext(tables, at)));
        if (p.num_sums == 1) continue;
        const Ext value = load_ext(tables, static_cast<u64>(p.num_blocks) * n + at);
        rotated = ext_add(rotated, ext_mul(weight, value));
        if (p.num_sums == 2) continue;
        difference = ext_add(difference, ext_mul(stacked_rotated_difference(eq, x, p.num_blocks), value));
    }
    const Words out = words_at(p.out);
    const u64 at = chunk * p.num_sums * n + z;
    store_ext(out, at, sum);
    if (p.num_sums > 1) store_ext(out, at + n, rotated);
    if (p.num_sums > 2) store_ext(out, at + 2 * n, difference);
}

WH_KERNEL(stacked_bind_blocks, StackedBindBlocksParams, 64) {
    WH_THREAD(t);
    const u64 e = grid_index(t);
    if (e >= static_cast<u64>(p.num_blocks) * p.num_products) return;
    const u32 product = e >= p.num_blocks ? 1 : 0;
    const u32 x = static_cast<u32>(e) - product * p.num_blocks;
    const Words in = words_at(p.in);
    const Words basis = words_at(p.basis);
    const Words eq = words_at(p.eq);
    const Words out = words_at(p.out);
    Ext sum = ext_zero();
    for (u32 z = 0; z < (1u << p.l); ++z) {
        sum = ext_add(sum, ext_mul(load_ext(basis, z), load_ext(in, (e << p.l) + z)));
    }
    Ext kernel_value = ext_mul(product == 0 ? WH_EXT(p.factor) : WH_EXT(p.rotated_factor), load_ext(eq, x));
    if (product == 1) {
        const Ext difference = stacked_rotated_difference(eq, x, p.num_blocks);
        kernel_value = ext_add(kernel_value, ext_mul(WH_EXT(p.difference), difference));
    }
    const u64 at = 2ull * product * p.num_blocks + x;
    store_ext(out, at, sum);
    store_ext(out, at + p.num_blocks, kernel_value);
}

// Two neighbours of a table.
struct ExtPair {
    Ext even, odd;
};
// Pair i of table `table`, folded and stored first where the round asks for it.
WH_FN ExtPair stacked_round_pair(WH_PARAMS(StackedRoundParams) p, Words in, u32 table, u64 i) {
    const u64 size = 2ull * p.num_pairs;
    if (p.is_folding == 0) {
        const ExtPair pair = {load_ext(in, table * size + 2 * i), load_ext(in, table * size + 2 * i + 1)};
        return pair;
    }
    const Ext r = WH_EXT(p.r);
    const u64 at = 2 * (table * size + 2 * i);
    const ExtPair pair = {ext_line(load_ext(in, at), load_ext(in, at + 1), r),
                          ext_line(load_ext(in, at + 2), load_ext(in, at + 3), r)};
    const Words folded = words_at(p.folded);
    store_ext(folded, table * size + 2 * i, pair.even);
    store_ext(folded, table * size + 2 * i + 1, pair.odd);
    return pair;
}

WH_KERNEL(stacked_round, StackedRoundParams, 256) {
    WH_SHARED(scratch, 1024);
    WH_THREAD(t);
    const Words in = words_at(p.in);
    Ext at_1 = ext_zero();
    Ext at_2 = ext_zero();
    for (u64 i = grid_index(t); i < p.num_pairs; i += grid_size(t)) {
        for (u32 product = 0; product < p.num_products; ++product) {
            const ExtPair a = stacked_round_pair(p, in, 2 * product, i);
            const ExtPair b = stacked_round_pair(p, in, 2 * product + 1, i);
            at_1 = ext_add(at_1, ext_mul(a.odd, b.odd));
            const Ext a_2 = ext_add(a.odd, ext_sub(a.odd, a.even));
            const Ext b_2 = ext_add(b.odd, ext_sub(b.odd, b.even));
            at_2 = ext_add(at_2, ext_mul(a_2, b_2));
        }
    }
    at_1 = group_sum(scratch, t, at_1);
    at_2 = group_sum(scratch, t, at_2);
    if (t.tid == 0) {
        const Words out = words_at(p.out);
        store_ext(out, 2ull * t.group, at_1);
        store_ext(out, 2ull * t.group + 1, at_2);
    }
}

WH_KERNEL(stacked_row_weights, StackedRowWeightsParams, 256) {
    WH_THREAD(t);
    const u64 i = grid_index(t);
    if (i >= (1ull << (p.log_first + p.num_vars))) return;
    const Ext first = load_ext(words_at(p.first), i & ((1ull << p.log_first) - 1));
    const Ext eq =
        eq_entry(words_at(p.low_heap), words_at(p.high_heap), p.num_vars - p.num_low, p.num_vars, i >> p.log_first);
    store_ext(words_at(p.out), i, ext_mul(first, eq));
}

WH_KERNEL(dot_columns, DotColumnsParams, 128) {
    // Sums of a thread, word by word, so that neighbouring threads use neighbouring words.
    WH_SHARED(sums, 4 * kDotColumnsAtOnce * 128);
    WH_SHARED(parts, 4 * 128);
    WH_THREAD(t);
    const u32 first = t.group / p.num_splits * kDotColumnsAtOnce;
    const u32 split = t.group % p.num_splits;
    const Words columns = words_at(p.columns);
    const Words weights = words_at(p.weights);
    u64 address[kDotColumnsAtOnce];
    ColumnSum sum[kDotColumnsAtOnce];
    for (u32 k = 0; k < kDotColumnsAtOnce; ++k) {
        // Past the last column: that one again, to no effect.
        const u32 c = first + k < p.num_columns ? first + k : p.num_columns - 1;
        address[k] = listed_address(columns, c);
        sum[k] = column_sum_zero();
    }
    const u32 begin = split * p.rows_per_split;
    const u32 end = begin + p.rows_per_split;
    for (u32 row = begin + t.tid; row < end; row += 2 * t.size) {
        const bool has_next = row + t.size < end;
        const u32 next = has_next ? row + t.size : row;
        const Ext weight = load_ext(weights, row);
        const Ext next_weight = load_ext(weights, next);
        for (u32 k = 0; k < kDotColumnsAtOnce; ++k) {
            const Words column = words_at(address[k]);
            const u32 x = column[row];
            const u32 y = has_next ? column[next] : 0;
            sum[k] = column_sum_add(sum[k], weight, x, next_weight, y);
        }
    }
    for (u32 k = 0; k < kDotColumnsAtOnce; ++k) {
        const Ext value = column_sum_value(sum[k]);
        for (u32 c = 0; c < 4; ++c) sums[(4 * k + c) * t.size + t.tid] = value.c[c];
    }
    WH_BARRIER();
    // Thread (column k, word c, part q) of 8·4·4 adds up every fourth thread, from its own number on: no bank is asked twice.
    const u32 word = t.tid / 4;
    u32 part = 0;
    for (u32 i = 0; i < t.size; i += 4) part = fp_add(part, sums[word * t.size + ((t.tid + i) & (t.size - 1))]);
    parts[t.tid] = part;
    WH_BARRIER();
    if (t.tid < kDotColumnsAtOnce && first + t.tid < p.num_columns) {
        Ext value = ext_zero();
        for (u32 c = 0; c < 4; ++c) {
            for (u32 q = 0; q < 4; ++q) value.c[c] = fp_add(value.c[c], parts[16 * t.tid + 4 * c + q]);
        }
        store_ext(words_at(p.out), static_cast<u64>(split) * p.num_columns + first + t.tid, value);
    }
}

#endif
