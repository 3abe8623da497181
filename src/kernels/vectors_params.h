// Kernels on arrays of extension elements that several stages share.
#ifndef WHORL_KERNELS_VECTORS_PARAMS_H
#define WHORL_KERNELS_VECTORS_PARAMS_H

#include "kernels/types.h"

// out[o] = sum over i < count of in[first + i·stride], a segment for each output.
struct SumSegment {
    u32 first;
    u32 count;
    u32 stride;
    u32 output;
};
struct SumSegmentsParams {
    u64 in;        // extension elements
    u64 out;       // extension elements
    u64 segments;  // SumSegment, one for each group
};

// out[g] = sum over i < count of in[g·first_step + i·step], by threadgroup g: sums of one shape, where SumSegment takes any.
struct SumStridedParams {
    u64 in;   // extension elements
    u64 out;  // extension elements
    u64 count;
    u64 first_step;
    u64 step;
};

// The eq tables of every suffix of a point, in one heap: with m variables left, element 2^m + i is eq(xs[n − m …], i).
struct EqHeapParams {
    u64 out;  // 2^(num_vars + 1) extension elements; element 0 is not used
    u64 xs;   // num_vars extension elements
    u32 num_vars;
    u32 pad;
};

// out[i] = eq(xs, i), from the heaps of the low and of the high variables: i = low + 2^num_low·high.
struct EqTableParams {
    u64 out;
    u64 low_heap;
    u64 high_heap;
    u32 num_low;
    u32 num_vars;
};

// out[i] = in[2i] + r·(in[2i + 1] − in[2i]).
struct FoldPairsParams {
    u64 in;
    u64 out;
    u64 count;  // of outputs
    ExtParam r;
};

#define WH_VECTORS_KERNELS(X)                                   \
    X(sum_segments, SumSegmentsParams, 256, WH_BARRIERS, "rwr") \
    X(sum_strided, SumStridedParams, 256, WH_BARRIERS, "rw---") \
    X(eq_heap, EqHeapParams, 256, WH_NO_BARRIERS, "wr")         \
    X(eq_table, EqTableParams, 256, WH_NO_BARRIERS, "wrr")      \
    X(fold_pairs, FoldPairsParams, 256, WH_NO_BARRIERS, "rw-")

#endif
