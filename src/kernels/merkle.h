// Merkle trees over columns of codewords: one thread a row, then one thread a node.
#ifndef WHORL_KERNELS_MERKLE_H
#define WHORL_KERNELS_MERKLE_H

#include "kernels/merkle_params.h"
#include "kernels/poseidon2.h"

WH_KERNEL(merkle_absorb, MerkleAbsorbParams, 256) {
    WH_THREAD(t);
    const u64 row = grid_index(t);
    const u64 rows = 1ull << p.log_rows;
    if (row >= rows) return;
    const Words columns = words_at(p.columns) + row;
    const Words state = words_at(p.state) + row;
    Poseidon16 s;
    for (u32 w = 0; w < 8; ++w) {
        s.w[w] = 0;
        s.w[8 + w] = p.is_first != 0 ? 0 : state[w * rows];
    }
    for (u32 c = 0; c < p.num_columns; c += 8) {
        for (u32 w = 0; w < 8; ++w) {
            if (c + w < p.num_columns) s.w[w] = columns[(c + w) * p.column_stride];
        }
        s = poseidon2_permute(s);
    }
    if (p.is_last != 0) {
        const Words digests = words_at(p.digests) + row;
        for (u32 w = 0; w < 8; ++w) digests[w * rows] = s.w[w];
    } else {
        for (u32 w = 0; w < 8; ++w) state[w * rows] = s.w[8 + w];
    }
}

WH_KERNEL(merkle_fold, MerkleFoldParams, 256) {
    WH_THREAD(t);
    const u64 i = grid_index(t);
    if (i >= p.count) return;
    const u64 distance = 1ull << p.log_half;
    const u64 run = i >> p.log_half;
    const u64 j = i & (distance - 1);
    const Words in = words_at(p.in) + ((run << p.log_in_run) + j);
    const Words out = words_at(p.out) + ((run << p.log_out_run) + j);
    Poseidon16 s;
    for (u32 w = 0; w < 8; ++w) {
        s.w[w] = in[w * p.in_stride];
        s.w[8 + w] = in[w * p.in_stride + distance];
    }
    s = poseidon2_permute(s);
    for (u32 w = 0; w < 8; ++w) out[w * p.out_stride] = s.w[w];
}

WH_KERNEL(merkle_top, MerkleTopParams, 512) {
    WH_SHARED(nodes, 4096);
    WH_THREAD(t);
    const Words tree = words_at(p.layer);
    const Words root = words_at(p.root);
    if (p.log_nodes == 0 && t.tid < 8) root[t.tid] = tree[t.tid];
    u32 layer = 0;
    for (u32 log_half = p.log_nodes; log_half-- > 0;) {
        const u32 distance = 1u << log_half;
        const u32 next = layer + 16 * distance;
        if (t.tid < distance) {
            Poseidon16 s;
            for (u32 w = 0; w < 8; ++w) {
                const u32 left = w * 2 * distance + t.tid;
                s.w[w] = layer == 0 ? tree[left] : nodes[512 * w + t.tid];
                s.w[8 + w] = layer == 0 ? tree[left + distance] : nodes[512 * w + t.tid + distance];
            }
            s = poseidon2_permute(s);
            for (u32 w = 0; w < 8; ++w) {
                nodes[512 * w + t.tid] = s.w[w];
                tree[next + w * distance + t.tid] = s.w[w];
                if (distance == 1) root[w] = s.w[w];
            }
        }
        layer = next;
        WH_BARRIER();
    }
}

WH_FN u64 merkle_reverse(u32 x, u32 num_bits) {
    return num_bits == 0 ? 0 : reverse_word(x) >> (32 - num_bits);
}

WH_KERNEL(merkle_rows, MerkleRowsParams, 256) {
    WH_THREAD(t);
    const u64 i = grid_index(t);
    const u64 row = i / p.num_columns;
    if ((row >> p.k) >= p.num_indices) return;
    const u32 leaf = words_at(p.indices)[row >> p.k];
    const u32 j = static_cast<u32>(row & ((1u << p.k) - 1));
    const u64 at = (merkle_reverse(leaf, p.log_leaves) << p.k) + merkle_reverse(j, p.k);
    words_at(p.out)[i] = words_at(p.columns)[(i % p.num_columns) * p.column_stride + at];
}

WH_KERNEL(merkle_paths, MerklePathsParams, 256) {
    WH_THREAD(t);
    const u64 i = grid_index(t);
    const u64 q = i / (8 * p.log_leaves);
    if (q >= p.num_indices) return;
    const u32 layer = static_cast<u32>(i / 8 % p.log_leaves);
    const u64 nodes = 1ull << (p.log_leaves - layer);
    const u64 first = 16 * ((1ull << p.log_leaves) - nodes);
    const u64 at = merkle_reverse(words_at(p.indices)[q], p.log_leaves) & (nodes - 1);
    words_at(p.out)[i] = words_at(p.tree)[first + i % 8 * nodes + (at ^ (nodes / 2))];
}

#endif
