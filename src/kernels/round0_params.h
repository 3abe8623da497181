// Round 0 of the batch sumcheck: constraint programs on the cosets of the skip domain D, N = |D| = 2^log_n.
#ifndef WHORL_KERNELS_ROUND0_PARAMS_H
#define WHORL_KERNELS_ROUND0_PARAMS_H

#include "kernels/types.h"

// Some blocks of one trace: points first_point + i, i < num_points, of the lifted trace (point x·N + z is z in block x).
struct InterpolateJob {
    u64 inputs;  // InputColumn
    u64 out;     // [input][num_points rounded up to fours]
    u32 first_group;
    u32 num_inputs;
    u32 first_point;
    u32 num_points;
    u32 log_items;  // of an input's threads
    u32 row_mask;   // height − 1
};
enum InterpolateJobLayout { kInterpolateJobWords = 10, kInterpolateJobGroupWord = 4 };
// From values on D to values on shift·D, w a generator of D. `tables` for N = 4, 8, 16, a thread for each block: w^−i and
// w^i, i < N/2; then shift^k / N in bit-reversed order of k. For other N, a thread for each four points: the Lagrange
// basis polynomial of 1 at shift·w^k, k < N, in whose terms out_z = Σ_j in_j·basis[z − j mod N].
struct InterpolateParams {
    u64 jobs;
    u64 tables;
    u32 num_jobs;
    u32 log_n;
};

struct EvaluateJob {
    u64 code;
    u64 chunks;  // ProgramChunk, by sum
    u64 coefficients;
    u64 constants;
    u64 inputs;               // evaluate_cosets: what interpolate_inputs wrote; evaluate_rows: InputColumn
    u64 spilled;              // registers in memory: [register][thread of the job]
    u64 low_heap, high_heap;  // eq over the trace's hypercube variables
    u64 out_0, out_1;         // of sum 0 and 1
    u32 first_group;
    u32 num_groups;
    u32 num_chunks;
    u32 num_chunks_0;  // of sum 0
    u32 first_point;
    u32 num_points;
    u32 num_steps;  // that a thread takes, each four points
    u32 log_quads;
    u32 row_mask;
    u32 n_lift;
    u32 num_high;
    u32 pad;
};
enum EvaluateJobLayout { kEvaluateJobWords = 32, kEvaluateJobGroupWord = 20 };
// Σ over the job's blocks x of eq(x)·sum(z, x), for each z, in parts: a group has max(kRound0MaxParts / N, 1) of its chunk
// and tile.
//   is_counted  out_0 (there is one sum only) has sets of 8N words: for each word of the sums, [z][coordinate], the lower
//               and the upper halves of parts added up, part i of the job's going to set i / 2^kRound0LogSetParts
//   otherwise   out_0 and out_1 have [tile][chunk of the sum][part], N extension elements each
struct EvaluateParams {
    u64 jobs;
    u32 num_jobs;
    u32 log_n;
    u32 is_counted;
    u32 pad;
};

enum Round0Limits {
    kRound0GroupPoints = 1024,  // that a group takes in a step
    kRound0MaxParts = 64,       // over N, at least 1
    kRound0LogSetParts = 16,
};

#define WH_ROUND0_KERNELS(X)                                                   \
    X(round0_interpolate_inputs, InterpolateParams, 256, WH_NO_BARRIERS, "Tr") \
    X(round0_evaluate_cosets, EvaluateParams, 256, WH_BARRIERS, "T")           \
    X(round0_evaluate_rows, EvaluateParams, 256, WH_BARRIERS, "T")

#endif
