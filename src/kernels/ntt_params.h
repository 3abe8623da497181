// Number-theoretic transforms over the subgroups of F* (PROTOCOL.md sections 2 and 10), many columns at once.
#ifndef WHORL_KERNELS_NTT_PARAMS_H
#define WHORL_KERNELS_NTT_PARAMS_H

#include "kernels/types.h"

// A threadgroup works on 2^kNttLogTile words. A transform of 2^log_n takes passes of kNttLogStrided stages over rows that are
// far apart, then one over blocks of at most 2^kNttLogTile neighbours.
#define kNttLogTile 13u
#define kNttLogStrided 8u
// Where the roots' two parts begin: w_2h^i at h + i for blocks, then the powers of the largest root in two halves.
#define kNttFirstPower (1u << kNttLogTile)

// Fills a table of roots: w of order 2^log_order gives the powers w^i (i < 2^k, k = ⌈log_order / 2⌉) and w^(i·2^k).
struct NttRootsParams {
    u64 out;         // kNttFirstPower + 2^k + 2^(log_order - k) words
    u32 root;        // of order 2^log_order
    u32 block_root;  // of order 2^kNttLogTile
    u32 log_order;
    u32 pad;
};

// One pass over `num_columns` columns. The first pass of a forward transform reads 2^log_n coefficients a column from `in`
// and writes the 2^log_blowup cosets' transforms one after another to `out`; `in` may be where the first of them goes. Other
// passes work on `out` in place.
struct NttParams {
    u64 in;
    u64 out;
    u64 in_stride;   // words between columns
    u64 out_stride;  // a multiple of 4
    u64 roots;
    u32 in_step;  // words between neighbours of a column
    u32 log_n;
    u32 log_blowup;
    u32 done;  // stages of forward passes before this one
    u32 log_order;
    u32 num_columns;
    u32 scale;         // ntt_inverse_blocks: what outputs are multiplied by
    u32 coset_groups;  // first forward pass: cosets are shared out among so many times the tiles; 1 where `in` is `out`
};

#define WH_NTT_KERNELS(X)                                        \
    X(ntt_roots, NttRootsParams, 256, WH_NO_BARRIERS, "w")       \
    X(ntt_strided, NttParams, 512, WH_BARRIERS, "rx--r")         \
    X(ntt_blocks, NttParams, 512, WH_BARRIERS, "rx--r")          \
    X(ntt_inverse_strided, NttParams, 512, WH_BARRIERS, "-x--r") \
    X(ntt_inverse_blocks, NttParams, 512, WH_BARRIERS, "rw--r")

#endif
