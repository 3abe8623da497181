// LogUp's leaves: every interaction of every trace on every row.
#ifndef WHORL_KERNELS_LEAVES_PARAMS_H
#define WHORL_KERNELS_LEAVES_PARAMS_H

#include "kernels/program_params.h"

// One interaction's block of LogUp cells: numerators p and denominators q.
struct LeafJob {
    u64 code;
    u64 coefficients;
    u64 constants;
    u64 inputs;   // InputColumn
    u64 spilled;  // registers in memory: [register][thread of the job], four words each
    u64 p;        // one word for each cell
    u64 q;        // one extension element for each cell
    ExtParam q_constant;
    u32 first_group;
    u32 first_instruction;
    u32 num_instructions;
    u32 row_mask;   // height − 1
    u32 num_cells;  // rows, repeated where the trace is short
    u32 num_quads;  // that one thread evaluates: cells in fours
    u32 num_threads;
    u32 p_constant;  // the count where the program stores none
    u32 p_scale;
    u32 has_count;
};
enum LeafJobLayout { kLeafJobWords = 28, kLeafJobGroupWord = 18 };
struct LeavesParams {
    u64 jobs;
    u32 num_jobs;
    u32 pad;
};

#define WH_LEAVES_KERNELS(X) X(logup_leaves, LeavesParams, 128, WH_NO_BARRIERS, "T")

#endif
