// LogUp's fraction tree and the sumchecks down its layers (PROTOCOL.md section 12).
//
// Leaves come in natural order: numerators p in F, denominators q in the extension. Every other table of cells (a layer of
// the tree, or what folding makes of it) is kept by quads, so that neighbouring threads meet neighbouring elements: cell c
// is element c / 4 of plane c mod 4; first the four planes of p, then those of q. Quad i is what one term of a round's sum
// needs: cell 4i + 2b + a is child a of node 2i + b, and b is the round's variable.
#ifndef WHORL_KERNELS_GKR_PARAMS_H
#define WHORL_KERNELS_GKR_PARAMS_H

#include "kernels/types.h"

// Leaves first … first + count − 1 become 0/alpha.
struct GkrPadParams {
    u64 p;
    u64 q;
    u64 first;
    u64 count;
    ExtParam alpha;
};

// Three layers of the tree, each thread from eight cells of the layer below. Where an address is 0 the layer is not kept.
struct GkrBuildParams {
    u64 p;      // of the layer below
    u64 q;      // of the layer below
    u64 out_1;  // 4·count cells
    u64 out_2;  // 2·count cells
    u64 out_3;  // count cells
    u64 count;
};

// The two sums of a round's message, h(1) and the leading coefficient of h, where
//   h(X) = Σ_i eq(i)·(P0·q1 + P1·q0)(X, i),  P0 = p0 + lambda·q0,  P1 = p1.
// Each group of the grid gives a part: sums[group] and sums[groups + group]. A thread has `items` quads; more than one only
// where they share their entry of high_heap. A fold first makes the table of quads from one twice its size.
struct GkrRoundParams {
    u64 p;  // of the source: leaves, a layer, or a table that holds P already
    u64 q;
    u64 out;       // folds: the folded table, which holds P
    u64 low_heap;  // eq_heap of the low variables after this round's, and of the high ones
    u64 high_heap;
    u64 sums;
    ExtParam lambda;
    ExtParam r;     // folds: the challenge
    u32 log_quads;  // of the table that the sums are over
    u32 num_high;   // variables of high_heap
    u32 items;
    u32 pad;
};

#define WH_GKR_KERNELS(X)                                                 \
    X(gkr_pad_leaves, GkrPadParams, 256, WH_NO_BARRIERS, "ww--")          \
    X(gkr_build_on_leaves, GkrBuildParams, 256, WH_NO_BARRIERS, "rrwww-") \
    X(gkr_build_on_layer, GkrBuildParams, 256, WH_NO_BARRIERS, "rrwww-")  \
    X(gkr_sum_leaves, GkrRoundParams, 256, WH_BARRIERS, "rr-rrw")         \
    X(gkr_sum_leaf_pairs, GkrRoundParams, 256, WH_BARRIERS, "rr-rrw")     \
    X(gkr_sum_layer, GkrRoundParams, 256, WH_BARRIERS, "rr-rrw")          \
    X(gkr_fold_leaves, GkrRoundParams, 256, WH_BARRIERS, "rrwrrw")        \
    X(gkr_fold_leaf_pairs, GkrRoundParams, 256, WH_BARRIERS, "rrwrrw")    \
    X(gkr_fold_layer, GkrRoundParams, 256, WH_BARRIERS, "rrwrrw")         \
    X(gkr_fold_table, GkrRoundParams, 256, WH_BARRIERS, "rrwrrw")

#endif
