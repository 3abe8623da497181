// Number-theoretic transforms. Forward: decimation in frequency, coefficients in natural order to evaluations in
// bit-reversed order; inverse: the same stages backwards. The host's counterpart is transforms/ntt.hpp.
//
// A threadgroup holds 2^13 words, sixteen a thread, and words change hands through threadgroup memory between steps of
// up to four stages. Bits of a word's place in the tile, of which j (the number within the thread) makes up those of the step:
//   rows     j << 9 | tid                                     bits 9 … 12
//   middle   (tid >> 5) << 9 | j << 5 | (tid & 31)            bits 5 … 8
//   eights   (u >> 2) << 5 | (j & 7) << 2 | (u & 3)           bits 2 … 4,  u = (j >> 3) << 9 | tid
//   fours    u << 2 | (j & 3)                                 bits 0 … 1,  u = (j >> 2) << 9 | tid
#ifndef WHORL_KERNELS_NTT_H
#define WHORL_KERNELS_NTT_H

#include "kernels/ntt_params.h"
#include "kernels/ntt_stages.h"

// The largest root to the power of `exponent`.
WH_FN u32 ntt_power(Words roots, u32 log_order, u64 exponent) {
    const u32 k = (log_order + 1) / 2;
    const u32 low = roots[kNttFirstPower + (exponent & ((1u << k) - 1))];
    const u32 high = roots[kNttFirstPower + (1u << k) + (exponent >> k)];
    return fp_mul(low, high);
}

WH_KERNEL(ntt_roots, NttRootsParams, 256) {
    WH_THREAD(t);
    const u64 i = grid_index(t);
    const u32 k = (p.log_order + 1) / 2;
    const u64 high = kNttFirstPower + (1ull << k);
    if (i >= high + (1ull << (p.log_order - k))) return;
    u32 value;
    if (i < kNttFirstPower) {
        u32 log_half = 0;
        while ((i >> (log_half + 1)) != 0) ++log_half;
        value = fp_pow(p.block_root, (i - (1ull << log_half)) << (kNttLogTile - 1 - log_half));
        if (i == 0) value = kOne;
    } else {
        value = fp_pow(p.root, i < high ? i - kNttFirstPower : (i - high) << k);
    }
    words_at(p.out)[i] = value;
}

// Where a strided pass finds the words of a thread: row r of its 256 is r << log_step words on from `first`.
struct NttTile {
    u32 column;
    u32 log_step;
    u64 first;
    u64 col;  // first's place in its row
};
WH_FN NttTile ntt_tile(u32 group, u32 tid, u32 log_space, u32 log_size) {
    const u32 log_tiles = log_size - kNttLogTile;
    const u32 tile = group & ((1u << (log_space - kNttLogTile)) - 1);
    NttTile out;
    out.column = group >> (log_space - kNttLogTile);
    out.log_step = log_size - kNttLogStrided;
    out.col = ((tile & ((1u << log_tiles) - 1)) << 5) + (tid & 31);
    out.first = (static_cast<u64>(tile >> log_tiles) << log_size) + out.col;
    return out;
}

// Between a message and the coset that may take its place also buffers must be ordered.
WH_FN void ntt_barrier(bool is_in_place) {
    if (is_in_place) {
        WH_BUFFER_BARRIER();
    } else {
        WH_BARRIER();
    }
}

// Stages `done` … done + 7 on tiles of 256 rows of 32 words.
WH_KERNEL(ntt_strided, NttParams, 512) {
    WH_SHARED(shared, 8192);
    WH_THREAD(t);
    const Words roots = words_at(p.roots);
    const bool is_first = p.done == 0;
    const u32 log_size = p.log_n - p.done;
    const u32 num_tiles = t.groups / p.coset_groups;
    const NttTile tile = ntt_tile(t.group % num_tiles, t.tid, is_first ? p.log_n : p.log_n + p.log_blowup, log_size);
    const Words in = words_at(is_first ? p.in : p.out);
    const u64 in_first =
        is_first ? tile.column * p.in_stride + tile.first * p.in_step : tile.column * p.out_stride + tile.first;
    const u64 in_step = is_first ? p.in_step : 1;
    const Words out = words_at(p.out) + tile.column * p.out_stride;
    const u32 high = t.tid >> 5;
    const u64 b = (static_cast<u64>(high) << tile.log_step) + tile.col;
    const u32 unit = p.log_order - log_size;
    // Read before anything is written: the first coset may go where the message is.
    NttWords message;
    for (u32 j = 0; j < 16; ++j) message.w[j] = in[in_first + (((16ull * j + high) << tile.log_step) * in_step)];
    const u32 num_cosets = is_first ? (1u << p.log_blowup) / p.coset_groups : 1u;
    const u32 first_coset = t.group / num_tiles * num_cosets;
    for (u32 coset = first_coset; coset < first_coset + num_cosets; ++coset) {
        NttWords x = message;
        if (coset != 0) {
            // Coefficient i times the i-th power of the coset's shift.
            const u64 shift = static_cast<u64>(reverse_word(coset) >> (32 - p.log_blowup)) << (unit - p.log_blowup);
            u32 factor = ntt_power(roots, p.log_order, b * shift);
            const u32 step = ntt_power(roots, p.log_order, shift << (log_size - 4));
            for (u32 j = 0; j < 16; ++j) {
                x.w[j] = fp_mul(x.w[j], factor);
                factor = fp_mul(factor, step);
            }
        }
        x = ntt_split16(x, roots, ntt_power(roots, p.log_order, b << unit));
        for (u32 j = 0; j < 16; ++j) shared[(j << 9) | t.tid] = x.w[j];
        ntt_barrier(coset == first_coset);
        for (u32 j = 0; j < 16; ++j) x.w[j] = shared[(high << 9) | (j << 5) | (t.tid & 31)];
        if (coset + 1 < first_coset + num_cosets) WH_BARRIER();
        x = ntt_split16(x, roots, ntt_power(roots, p.log_order, tile.col << (unit + 4)));
        const u64 first = (static_cast<u64>(coset) << p.log_n) + tile.first;
        for (u32 j = 0; j < 16; ++j) out[first + ((16ull * high + j) << tile.log_step)] = x.w[j];
    }
}

WH_KERNEL(ntt_inverse_strided, NttParams, 512) {
    WH_SHARED(shared, 8192);
    WH_THREAD(t);
    const Words roots = words_at(p.roots);
    const u32 log_size = p.log_n - p.done;
    const NttTile tile = ntt_tile(t.group, t.tid, p.log_n, log_size);
    const Words out = words_at(p.out) + (tile.column * p.out_stride + tile.first);
    const u32 high = t.tid >> 5;
    const u64 b = (static_cast<u64>(high) << tile.log_step) + tile.col;
    const u32 unit = p.log_order - log_size;
    NttWords x;
    for (u32 j = 0; j < 16; ++j) x.w[j] = out[(16ull * high + j) << tile.log_step];
    x = ntt_join16(x, roots, ntt_power(roots, p.log_order, tile.col << (unit + 4)));
    for (u32 j = 0; j < 16; ++j) shared[(high << 9) | (j << 5) | (t.tid & 31)] = x.w[j];
    WH_BUFFER_BARRIER();
    for (u32 j = 0; j < 16; ++j) x.w[j] = shared[(j << 9) | t.tid];
    x = ntt_join16(x, roots, ntt_power(roots, p.log_order, b << unit));
    for (u32 j = 0; j < 16; ++j) out[(16ull * j + high) << tile.log_step] = x.w[j];
}

// The place of a word in threadgroup memory: no two threads that work side by side meet in a bank. Linear over the bits:
// the place of x ^ y is that of x ^ that of y.
WH_FN u32 ntt_bank(u32 place) {
    const u32 row = place >> 5;
    return place ^ (row & 3) ^ ((row & 7) << 2);
}
WH_FN u32 ntt_rows(u32 tid, u32 j) {
    return ntt_bank(tid) ^ ntt_bank(j << 9);
}
WH_FN u32 ntt_middle(u32 tid, u32 j) {
    return ntt_bank(((tid >> 5) << 9) | (tid & 31)) ^ ntt_bank(j << 5);
}
WH_FN u32 ntt_eights(u32 tid, u32 j) {
    return ntt_bank(((tid >> 2) << 5) | (tid & 3)) ^ ntt_bank(((j >> 3) << 12) | ((j & 7) << 2));
}
WH_FN u32 ntt_fours(u32 tid, u32 j) {
    return ntt_bank(tid << 2) ^ ntt_bank(((j >> 2) << 11) | (j & 3));
}

// The tile of a group that works on blocks: 2^13 places of the columns laid end to end, 2^log_space words each.
struct NttBlocks {
    u64 first;
    u32 log_space;
    u32 num_columns;
    u64 stride;
    u32 step;
};
WH_FN bool ntt_has(NttBlocks b, u32 place) {
    return ((b.first + place) >> b.log_space) < b.num_columns;
}
WH_FN u64 ntt_word(NttBlocks b, u32 place) {
    const u64 at = b.first + place;
    return (at >> b.log_space) * b.stride + (at & ((1ull << b.log_space) - 1)) * b.step;
}
// 2^13 words of one column need one address; smaller columns one for each word.
WH_FN NttWords ntt_load_rows(Words in, NttBlocks b, u32 tid) {
    NttWords x;
    if (b.log_space >= kNttLogTile) {
        const Words first = in + ntt_word(b, tid);
        for (u32 j = 0; j < 16; ++j) x.w[j] = first[static_cast<u64>(j << 9) * b.step];
    } else {
        for (u32 j = 0; j < 16; ++j) {
            const u32 place = (j << 9) | tid;
            x.w[j] = ntt_has(b, place) ? in[ntt_word(b, place)] : 0;
        }
    }
    return x;
}
WH_FN void ntt_store_rows(Words out, NttBlocks b, u32 tid, NttWords x) {
    if (b.log_space >= kNttLogTile) {
        const Words first = out + ntt_word(b, tid);
        for (u32 j = 0; j < 16; ++j) first[j << 9] = x.w[j];
    } else {
        for (u32 j = 0; j < 16; ++j) {
            const u32 place = (j << 9) | tid;
            if (ntt_has(b, place)) out[ntt_word(b, place)] = x.w[j];
        }
    }
}
WH_FN NttWords ntt_load_fours(Words in, NttBlocks b, u32 tid) {
    NttWords x;
    for (u32 g = 0; g < 16; g += 4) {
        const u32 place = (g << 9) | (tid << 2);
        if (b.log_space >= 2) {
            Word4 v = {{0, 0, 0, 0}};
            if (ntt_has(b, place)) v = load4(in, ntt_word(b, place) / 4);
            for (u32 a = 0; a < 4; ++a) x.w[g + a] = v.w[a];
        } else {
            for (u32 a = 0; a < 4; ++a) x.w[g + a] = ntt_has(b, place + a) ? in[ntt_word(b, place + a)] : 0;
        }
    }
    return x;
}
WH_FN void ntt_store_fours(Words out, NttBlocks b, u32 tid, NttWords x) {
    for (u32 g = 0; g < 16; g += 4) {
        const u32 place = (g << 9) | (tid << 2);
        if (b.log_space >= 2) {
            const Word4 v = {{x.w[g], x.w[g + 1], x.w[g + 2], x.w[g + 3]}};
            if (ntt_has(b, place)) store4(out, ntt_word(b, place) / 4, v);
        } else {
            for (u32 a = 0; a < 4; ++a) {
                if (ntt_has(b, place + a)) out[ntt_word(b, place + a)] = x.w[g + a];
            }
        }
    }
}

// The last stages, on blocks of 2^(log_n - done) <= 2^13 neighbours.
WH_KERNEL(ntt_blocks, NttParams, 512) {
    WH_SHARED(shared, 8192);
    WH_THREAD(t);
    const Words roots = words_at(p.roots);
    const bool is_first = p.done == 0;
    const u32 log_block = p.log_n - p.done;
    const u32 num_tiles = t.groups / p.coset_groups;
    NttBlocks to = {static_cast<u64>(t.group % num_tiles) << kNttLogTile, is_first ? p.log_n : p.log_n + p.log_blowup,
                    p.num_columns, p.out_stride, 1};
    NttBlocks from = to;
    if (is_first) {
        from.stride = p.in_stride;
        from.step = p.in_step;
    }
    const Words in = words_at(is_first ? p.in : p.out);
    // The first coset last: it may go where the message is.
    const u32 num_cosets = is_first ? (1u << p.log_blowup) / p.coset_groups : 1u;
    const u32 first_coset = t.group / num_tiles * num_cosets;
    for (u32 coset = first_coset + num_cosets; coset-- > first_coset;) {
        NttWords x = ntt_load_rows(in, from, t.tid);
        if (coset != 0) {
            const u64 shift = static_cast<u64>(reverse_word(coset) >> (32 - p.log_blowup))
                              << (p.log_order - p.log_n - p.log_blowup);
            for (u32 j = 0; j < 16; ++j) {
                const u32 i = ((j << 9) | t.tid) & ((1u << p.log_n) - 1);
                x.w[j] = fp_mul(x.w[j], ntt_power(roots, p.log_order, i * shift));
            }
        }
        if (log_block > 12) x = ntt_split<8>(x, ntt_block_twiddles<8>(roots, 1u << 12, t.tid, 9));
        if (log_block > 11) x = ntt_split<4>(x, ntt_block_twiddles<4>(roots, 1u << 11, t.tid, 9));
        if (log_block > 10) x = ntt_split<2>(x, ntt_block_twiddles<2>(roots, 1u << 10, t.tid, 9));
        if (log_block > 9) x = ntt_split<1>(x, ntt_block_twiddles<1>(roots, 1u << 9, t.tid, 9));
        for (u32 j = 0; j < 16; ++j) shared[ntt_rows(t.tid, j)] = x.w[j];
        ntt_barrier(coset == first_coset);
        for (u32 j = 0; j < 16; ++j) x.w[j] = shared[ntt_middle(t.tid, j)];
        if (log_block > 8) x = ntt_split<8>(x, ntt_block_twiddles<8>(roots, 1u << 8, t.tid & 31, 5));
        if (log_block > 7) x = ntt_split<4>(x, ntt_block_twiddles<4>(roots, 1u << 7, t.tid & 31, 5));
        if (log_block > 6) x = ntt_split<2>(x, ntt_block_twiddles<2>(roots, 1u << 6, t.tid & 31, 5));
        if (log_block > 5) x = ntt_split<1>(x, ntt_block_twiddles<1>(roots, 1u << 5, t.tid & 31, 5));
        for (u32 j = 0; j < 16; ++j) shared[ntt_middle(t.tid, j)] = x.w[j];
        WH_BARRIER();
        for (u32 j = 0; j < 16; ++j) x.w[j] = shared[ntt_eights(t.tid, j)];
        if (log_block > 4) x = ntt_split<4>(x, ntt_block_twiddles<4>(roots, 1u << 4, t.tid & 3, 2));
        if (log_block > 3) x = ntt_split<2>(x, ntt_block_twiddles<2>(roots, 1u << 3, t.tid & 3, 2));
        if (log_block > 2) x = ntt_split<1>(x, ntt_block_twiddles<1>(roots, 1u << 2, t.tid & 3, 2));
        for (u32 j = 0; j < 16; ++j) shared[ntt_eights(t.tid, j)] = x.w[j];
        WH_BARRIER();
        for (u32 j = 0; j < 16; ++j) x.w[j] = shared[ntt_fours(t.tid, j)];
        if (coset != first_coset) WH_BARRIER();
        if (log_block > 1) x = ntt_split<2>(x, ntt_block_twiddles<2>(roots, 2, 0, 0));
        if (log_block > 0) x = ntt_butterflies(x);
        ntt_store_fours(words_at(p.out) + (static_cast<u64>(coset) << p.log_n), to, t.tid, x);
    }
}

WH_KERNEL(ntt_inverse_blocks, NttParams, 512) {
    WH_SHARED(shared, 8192);
    WH_THREAD(t);
    const Words roots = words_at(p.roots);
    const u32 log_block = p.log_n - p.done;
    const NttBlocks to = {static_cast<u64>(t.group) << kNttLogTile, p.log_n, p.num_columns, p.out_stride, 1};
    NttBlocks from = to;
    from.stride = p.in_stride;
    NttWords x = ntt_load_fours(words_at(p.in), from, t.tid);
    if (log_block > 0) x = ntt_butterflies(x);
    if (log_block > 1) x = ntt_join<2>(x, ntt_block_twiddles<2>(roots, 2, 0, 0));
    for (u32 j = 0; j < 16; ++j) shared[ntt_fours(t.tid, j)] = x.w[j];
    WH_BUFFER_BARRIER();  // out may be in
    for (u32 j = 0; j < 16; ++j) x.w[j] = shared[ntt_eights(t.tid, j)];
    if (log_block > 2) x = ntt_join<1>(x, ntt_block_twiddles<1>(roots, 1u << 2, t.tid & 3, 2));
    if (log_block > 3) x = ntt_join<2>(x, ntt_block_twiddles<2>(roots, 1u << 3, t.tid & 3, 2));
    if (log_block > 4) x = ntt_join<4>(x, ntt_block_twiddles<4>(roots, 1u << 4, t.tid & 3, 2));
    for (u32 j = 0; j < 16; ++j) shared[ntt_eights(t.tid, j)] = x.w[j];
    WH_BARRIER();
    for (u32 j = 0; j < 16; ++j) x.w[j] = shared[ntt_middle(t.tid, j)];
    if (log_block > 5) x = ntt_join<1>(x, ntt_block_twiddles<1>(roots, 1u << 5, t.tid & 31, 5));
    if (log_block > 6) x = ntt_join<2>(x, ntt_block_twiddles<2>(roots, 1u << 6, t.tid & 31, 5));
    if (log_block > 7) x = ntt_join<4>(x, ntt_block_twiddles<4>(roots, 1u << 7, t.tid & 31, 5));
    if (log_block > 8) x = ntt_join<8>(x, ntt_block_twiddles<8>(roots, 1u << 8, t.tid & 31, 5));
    for (u32 j = 0; j < 16; ++j) shared[ntt_middle(t.tid, j)] = x.w[j];
    WH_BARRIER();
    for (u32 j = 0; j < 16; ++j) x.w[j] = shared[ntt_rows(t.tid, j)];
    if (log_block > 9) x = ntt_join<1>(x, ntt_block_twiddles<1>(roots, 1u << 9, t.tid, 9));
    if (log_block > 10) x = ntt_join<2>(x, ntt_block_twiddles<2>(roots, 1u << 10, t.tid, 9));
    if (log_block > 11) x = ntt_join<4>(x, ntt_block_twiddles<4>(roots, 1u << 11, t.tid, 9));
    if (log_block > 12) x = ntt_join<8>(x, ntt_block_twiddles<8>(roots, 1u << 12, t.tid, 9));
    for (u32 j = 0; j < 16; ++j) x.w[j] = fp_mul(x.w[j], p.scale);
    ntt_store_rows(words_at(p.out), to, t.tid, x);
}

#endif
