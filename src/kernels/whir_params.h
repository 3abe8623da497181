// WHIR's sumcheck over coefficients f and dual weights w (PROTOCOL.md section 15).
#ifndef WHORL_KERNELS_WHIR_PARAMS_H
#define WHORL_KERNELS_WHIR_PARAMS_H

#include "kernels/types.h"

// A pair (even, odd) of f stands for the values even, even + odd; one of w for the values even − odd, odd.
// folded_f[i] and folded_w[i]: pair i of each at r.
struct WhirFoldParams {
    u64 f;
    u64 w;
    u64 folded_f;
    u64 folded_w;
    ExtParam r;
    u32 count;
    u32 pad;
};

// Partial sums of s(1), s(2), s(X) = Σ_i f(X, i)·w(X, i), of f and w folded at r first if `is_folding`:
// out[2·group], out[2·group + 1].
struct WhirRoundParams {
    u64 f;  // 2·num_pairs, or 4·num_pairs before folding
    u64 w;
    u64 folded_f;
    u64 folded_w;
    u64 out;
    ExtParam r;
    u32 num_pairs;
    u32 is_folding;
};

// Powers of a point, of which x^j = low[j mod 2^num_low]·high[j / 2^num_low] for j < 2^num_vars.
struct WhirPointPowersParams {
    u64 low;
    u64 high;
    ExtParam x;
    u32 num_low;
    u32 num_vars;
};

// Partial sums of Σ_j f[j]·x^j, one for each group.
struct WhirEvaluateParams {
    u64 f;
    u64 low;
    u64 high;
    u64 out;
    u32 num_low;
    u32 num_vars;
};

// For each query q, powers of x_q = generator^indices[q] such that
//   weights[q]·x_q^j = low[q·2^num_low + j mod 2^num_low]·high[q·2^num_high + j / 2^num_low].
struct WhirQueryPowersParams {
    u64 indices;
    u64 weights;  // extension elements
    u64 low;      // words
    u64 high;     // extension elements
    u32 generator;
    u32 log_order;  // of the generator
    u32 num_queries;
    u32 num_low;
    u32 num_high;
    u32 pad;
};

// w[j] += point_weight·x^j + Σ_q weights[q]·x_q^j for j < 2^num_vars, 32 of them by each group.
struct WhirAddPointsParams {
    u64 w;
    u64 point_low;
    u64 point_high;
    u64 query_low;
    u64 query_high;
    ExtParam point_weight;
    u32 num_queries;
    u32 num_low;
    u32 num_vars;
    u32 pad;
};
enum WhirConstants : u32 { kWhirElementsPerGroup = 32 };

#define WH_WHIR_KERNELS(X)                                                   \
    X(whir_fold, WhirFoldParams, 256, WH_NO_BARRIERS, "rrww")                \
    X(whir_round, WhirRoundParams, 256, WH_BARRIERS, "rrwww")                \
    X(whir_point_powers, WhirPointPowersParams, 256, WH_NO_BARRIERS, "ww")   \
    X(whir_evaluate, WhirEvaluateParams, 256, WH_BARRIERS, "rrrw")           \
    X(whir_query_powers, WhirQueryPowersParams, 256, WH_NO_BARRIERS, "rrww") \
    X(whir_add_points, WhirAddPointsParams, 256, WH_BARRIERS, "xrrrr")

#endif
