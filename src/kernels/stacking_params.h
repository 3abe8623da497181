// Weighted sums over trace columns, and the stacked opening reduction's rounds (PROTOCOL.md section 14).
#ifndef WHORL_KERNELS_STACKING_PARAMS_H
#define WHORL_KERNELS_STACKING_PARAMS_H

#include "kernels/types.h"

enum StackingConstants : u32 { kNoColumnRunOutput = 0xFFFFFFFFu, kDotColumnsAtOnce = 8 };

// Columns first … first + count of a list, added up by weight: table `out`, and table `rotated_out` with the second weights.
struct ColumnRun {
    u32 first;
    u32 count;
    u32 out;          // extension element
    u32 rotated_out;  // kNoColumnRunOutput: none
};

// out[run.out + (row << log_stride)] = Σ_c weights[c]·columns[c][row] for each run, added to what is there if `accumulate`.
struct CombineColumnsParams {
    u64 columns;          // addresses, two words each, low word first
    u64 weights;          // extension elements
    u64 rotated_weights;  // extension elements
    u64 runs;             // ColumnRun
    u64 out;              // extension elements
    u32 num_runs;
    u32 log_height;
    u32 log_stride;
    u32 accumulate;
};

// out[i << log_stride] = Σ_t in[t·size + i] for i < size, zero between.
struct SumTablesParams {
    u64 in;
    u64 out;
    u32 size;
    u32 num_tables;
    u32 log_stride;
    u32 pad;
};

// Partial sums over blocks x of N = 2^l rows, x = chunk, chunk + num_chunks, …, for each row z of a block:
//   out[chunk][s][z] = Σ_x weight_s[x]·table_s[x·N + z]
// s = 0: the first table with eq[x]; s = 1: the second with eq[x]; s = 2: the second with eq[x − 1] − eq[x].
struct StackedSumBlocksParams {
    u64 tables;  // one or two, each of num_blocks·N extension elements
    u64 eq;      // num_blocks
    u64 out;
    u32 l;
    u32 num_blocks;
    u32 num_chunks;
    u32 num_sums;  // 1, 2 or 3
};

// For product k: table 2k of out[x] = Σ_z basis[z]·in_k[x·N + z], table 2k + 1 of
// out[x] = factor_k·eq[x] + difference·(eq[x − 1] − eq[x]), the second term for k = 1 alone.
struct StackedBindBlocksParams {
    u64 in;     // num_products tables of num_blocks·N extension elements
    u64 basis;  // N
    u64 eq;     // num_blocks
    u64 out;    // 2·num_products tables of num_blocks
    ExtParam factor;
    ExtParam rotated_factor;
    ExtParam difference;
    u32 l;
    u32 num_blocks;
    u32 num_products;
    u32 pad;
};

// Partial sums of s(1), s(2), s(X) = Σ_k Σ_i table_2k(X, i)·table_2k+1(X, i), of the tables folded at r first if `is_folding`:
// out[2·group], out[2·group + 1].
struct StackedRoundParams {
    u64 in;      // 2·num_products tables of 2·num_pairs, or 4·num_pairs before folding
    u64 folded;  // where the folded tables go
    u64 out;
    ExtParam r;
    u32 num_pairs;
    u32 num_products;
    u32 is_folding;
    u32 pad;
};

// out[i] = first[i mod 2^log_first]·eq(xs, i / 2^log_first), eq from two heaps (eq.h).
struct StackedRowWeightsParams {
    u64 first;
    u64 low_heap;
    u64 high_heap;
    u64 out;
    u32 log_first;
    u32 num_low;
    u32 num_vars;
    u32 pad;
};

// out[split·num_columns + c] = Σ weights[row]·columns[c][row] over the rows of a split, kDotColumnsAtOnce columns for each threadgroup:
// group = (block of columns)·num_splits + split.
struct DotColumnsParams {
    u64 columns;  // addresses, two words each
    u64 weights;  // extension elements
    u64 out;
    u32 num_columns;
    u32 num_splits;
    u32 rows_per_split;
    u32 pad;
};

#define WH_STACKING_KERNELS(X)                                                   \
    X(combine_columns, CombineColumnsParams, 256, WH_NO_BARRIERS, "trrrx")       \
    X(sum_tables, SumTablesParams, 256, WH_NO_BARRIERS, "rw")                    \
    X(stacked_sum_blocks, StackedSumBlocksParams, 256, WH_NO_BARRIERS, "rrw")    \
    X(stacked_bind_blocks, StackedBindBlocksParams, 64, WH_NO_BARRIERS, "rrrw")  \
    X(stacked_round, StackedRoundParams, 256, WH_BARRIERS, "rww")                \
    X(stacked_row_weights, StackedRowWeightsParams, 256, WH_NO_BARRIERS, "rrrw") \
    X(dot_columns, DotColumnsParams, 128, WH_BARRIERS, "trw")

#endif
