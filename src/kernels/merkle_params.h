// Merkle trees over columns of codewords (PROTOCOL.md section 10), hashed a few columns at a time.
#ifndef WHORL_KERNELS_MERKLE_PARAMS_H
#define WHORL_KERNELS_MERKLE_PARAMS_H

#include "kernels/types.h"

// Digests lie in planes: word w of digest i at w·stride + i. The layers of a tree follow each other from the leaves upwards,
// 8·n words for n nodes. Columns are bit-reversed, so that siblings of a layer are half the layer apart.

// Goes on with the hashes of all rows over `num_columns` columns, a multiple of 8 unless it is the last call. Between
// calls a row needs only the last eight words of its state: the others are overwritten.
struct MerkleAbsorbParams {
    u64 columns;
    u64 column_stride;  // words
    u64 state;          // planes of 2^log_rows words; read unless is_first, written unless is_last
    u64 digests;        // planes of 2^log_rows words; written if is_last; may be `state`
    u32 log_rows;
    u32 num_columns;
    u32 is_first;
    u32 is_last;
};

// Nodes in runs: output i = r·2^log_half + j, j < 2^log_half, is made of inputs j and j + 2^log_half of run r. Runs begin
// 2^log_in_run inputs and 2^log_out_run outputs apart. In place if both strides and both runs are the same.
struct MerkleFoldParams {
    u64 in;
    u64 out;
    u64 in_stride;
    u64 out_stride;
    u64 count;  // of outputs
    u32 log_half;
    u32 log_in_run;
    u32 log_out_run;
    u32 pad;
};

// The layers above one of 2^log_nodes nodes, at most 2^kMerkleLogTop, in one threadgroup.
#define kMerkleLogTop 10u
struct MerkleTopParams {
    u64 layer;  // the upper layers follow
    u64 root;   // 8 words
    u32 log_nodes;
    u32 pad;
};

// Rows of leaves: out[(q·2^k + j)·num_columns + c] is column c at row indices[q] + j·2^log_leaves of the natural order.
struct MerkleRowsParams {
    u64 columns;
    u64 column_stride;
    u64 indices;
    u64 out;
    u32 num_columns;
    u32 num_indices;
    u32 log_leaves;
    u32 k;
};

// out[q·log_leaves + layer] is the sibling, 8 words, on the path of leaf indices[q] (natural order), leaf layer first.
struct MerklePathsParams {
    u64 tree;
    u64 indices;
    u64 out;
    u32 num_indices;
    u32 log_leaves;
};

#define WH_MERKLE_KERNELS(X)                                          \
    X(merkle_absorb, MerkleAbsorbParams, 256, WH_NO_BARRIERS, "r-xw") \
    X(merkle_fold, MerkleFoldParams, 256, WH_NO_BARRIERS, "rw---")    \
    X(merkle_top, MerkleTopParams, 512, WH_BARRIERS, "xw")            \
    X(merkle_rows, MerkleRowsParams, 256, WH_NO_BARRIERS, "r-rw")     \
    X(merkle_paths, MerklePathsParams, 256, WH_NO_BARRIERS, "rrw")

#endif
