// From evaluations to Reed–Solomon messages (PROTOCOL.md sections 8.1 and 9): blocks of N = 2^l_skip words, l_skip <= 10.
#ifndef WHORL_KERNELS_MESSAGE_PARAMS_H
#define WHORL_KERNELS_MESSAGE_PARAMS_H

#include "kernels/types.h"

// Blocks first_block … up to the next segment's first: those of a trace's columns, one after another from `address`.
// log_height < l_skip: a block a column, its values strided with zeros between.
struct MessageSegment {
    u32 address_low;
    u32 address_high;
    u32 first_block;
    u32 log_height;  // kMessageUnused: zeros
};
#define kMessageUnused 0xFFFFFFFFu

// Block b of the output is the message of block b of the segments.
struct MessageParams {
    u64 segments;  // MessageSegment, by ascending first_block, from 0
    u64 roots;     // w_2h^-i at h + i for all h < N
    u64 out;
    u64 out_stride;  // words between columns, a multiple of 4
    u32 num_segments;
    u32 num_blocks;
    u32 log_column_blocks;  // blocks of a column
    u32 l_skip;
    u32 scale;  // 1/N
    u32 pad;
};

// The same in place on each coordinate of extension elements, N a block.
struct MessageExtParams {
    u64 elements;
    u64 roots;
    u32 num_blocks;
    u32 l_skip;
    u32 scale;
    u32 pad;
};

// N <= 16: one thread a block; else a threadgroup 2^kMessageLogTile words.
#define kMessageLogSmall 4u
#define kMessageLogTile 11u
#define WH_MESSAGE_KERNELS(X)                                         \
    X(message_small, MessageParams, 256, WH_NO_BARRIERS, "trw-")      \
    X(message_large, MessageParams, 256, WH_BARRIERS, "trw-")         \
    X(message_ext_small, MessageExtParams, 256, WH_NO_BARRIERS, "xr") \
    X(message_ext_large, MessageExtParams, 256, WH_BARRIERS, "xr")

#endif
