// The batch sumcheck after round 0: multilinear tables of extension elements, [table][row], folded round by round.
#ifndef WHORL_KERNELS_MLE_PARAMS_H
#define WHORL_KERNELS_MLE_PARAMS_H

#include "kernels/types.h"

// The tables of one trace: each column, followed by the column rotated by a row where has_rotations; then the selectors
// is_first, is_last and is_transition, which are 0/1 columns of the trace repeated.
struct BindJob {
    u64 columns;  // the address of each column (8 bytes)
    u64 out;
    ExtParam first_value;  // is_first and is_last of the blocks where they are not zero
    ExtParam last_value;
    u32 first_group;
    u32 num_columns;
    u32 n_lift;    // log2 of the rows of a table
    u32 row_mask;  // height − 1
    u32 has_rotations;
    u32 pad;
};
enum BindJobLayout { kBindJobWords = 18, kBindJobGroupWord = 12 };
// table[x] = Σ_z basis[z]·column[x·N + z], N = 2^log_n.
struct BindParams {
    u64 jobs;
    u64 basis;  // N extension elements
    u32 num_jobs;
    u32 log_n;
};

struct PairJob {
    u64 code;
    u64 chunks;
    u64 coefficients;
    u64 constants;
    u64 inputs;  // the table of each input (4 bytes)
    u64 tables;
    u64 spilled;  // registers in memory: [register][thread of the job]
    u64 low_heap, high_heap;
    u32 first_group;
    u32 num_groups;
    u32 num_chunks;
    u32 num_points;
    u32 num_packed;  // points that a group takes: more than one only where all pairs of rows fit
    u32 num_pairs;   // a power of two
    u32 num_steps;   // that a thread takes, a pair of rows each
    u32 num_tiles;   // of 64·num_steps pairs
    u32 num_high;
    u32 num_vars;  // left after the one under way
    u32 first_out;
    u32 pad;
};
enum PairJobLayout { kPairJobWords = 30, kPairJobGroupWord = 18 };
// out[first_out + ((X − 1)·num_chunks + chunk)·num_tiles + tile] = Σ over the tile's pairs y of eq(y)·sum(X, y).
struct EvaluatePairsParams {
    u64 jobs;
    u64 out;  // extension elements
    u32 num_jobs;
    u32 pad;
};

#define WH_MLE_KERNELS(X)                                      \
    X(mle_bind_columns, BindParams, 256, WH_NO_BARRIERS, "Tr") \
    X(mle_evaluate_pairs, EvaluatePairsParams, 64, WH_BARRIERS, "Tw")

#endif
