// From evaluations to Reed–Solomon messages: in each block of N words the inverse transform over D, then subset sums over
// the bits of the index.
#ifndef WHORL_KERNELS_MESSAGE_H
#define WHORL_KERNELS_MESSAGE_H

#include "kernels/message_params.h"
#include "kernels/ntt_stages.h"

// Blocks of a segment that begins at or before `block`, the last such one.
WH_FN Word4 message_segment(Words segments, u32 num_segments, u32 block) {
    u32 low = 0;
    u32 high = num_segments;
    while (high - low > 1) {
        const u32 middle = (low + high) / 2;
        if (segments[4 * middle + 2] <= block) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return load4(segments, low);
}
WH_FN Words message_source(Word4 segment) {
    return words_at((static_cast<u64>(segment.w[1]) << 32) | segment.w[0]);
}
WH_FN u64 message_place(u32 block, u32 log_column_blocks, u64 stride, u32 l_skip) {
    const u64 in_column = block & ((1u << log_column_blocks) - 1);
    return (block >> log_column_blocks) * stride + (in_column << l_skip);
}

// The transform of the first 2^kLog words, up to 16.
template <u32 kLog>
WH_FN NttWords message_transform(NttWords x, Words roots, u32 scale) {
    if (kLog > 3) x = ntt_split<8>(x, ntt_block_twiddles<8>(roots, 8, 0, 0));
    if (kLog > 2) x = ntt_split<4>(x, ntt_block_twiddles<4>(roots, 4, 0, 0));
    if (kLog > 1) x = ntt_split<2>(x, ntt_block_twiddles<2>(roots, 2, 0, 0));
    if (kLog > 0) x = ntt_butterflies(x);
    // Bit-reversed up to here; subset sums do not mind.
    for (u32 bit = 1; bit < (1u << kLog); bit *= 2) {
        for (u32 j = 0; j < 16; ++j) {
            if ((j & bit) != 0) x.w[j] = fp_add(x.w[j], x.w[j ^ bit]);
        }
    }
    NttWords out;
    for (u32 j = 0; j < 16; ++j) out.w[j] = 0;
    for (u32 j = 0; j < (1u << kLog); ++j) out.w[j] = fp_mul(x.w[(reverse_word(j) >> 1) >> (31 - kLog)], scale);
    return out;
}

template <u32 kLog>
WH_FN NttWords message_load(Words in, u64 block) {
    NttWords x;
    for (u32 j = 0; j < 16; ++j) x.w[j] = 0;
    if (kLog >= 2) {
        for (u32 g = 0; 4 * g < (1u << kLog); ++g) {
            const Word4 v = load4(in, (block << kLog) / 4 + g);
            for (u32 a = 0; a < 4; ++a) x.w[4 * g + a] = v.w[a];
        }
    } else {
        for (u32 j = 0; j < (1u << kLog); ++j) x.w[j] = in[(block << kLog) + j];
    }
    return x;
}

template <u32 kLog>
WH_FN void message_block(Words segments, u32 num_segments, u32 block, Words roots, u32 scale, Words out) {
    const Word4 segment = message_segment(segments, num_segments, block);
    const u32 log_height = segment.w[3];
    NttWords x;
    for (u32 j = 0; j < 16; ++j) x.w[j] = 0;
    if (log_height != kMessageUnused) {
        const Words in = message_source(segment);
        const u32 b = block - segment.w[2];
        if (log_height >= kLog) {
            x = message_load<kLog>(in, b);
        } else {
            const u32 log_step = kLog - log_height;
            for (u32 j = 0; j < (1u << kLog); ++j) {
                if ((j & ((1u << log_step) - 1)) == 0) {
                    x.w[j] = in[(static_cast<u64>(b) << log_height) + (j >> log_step)];
                }
            }
        }
        x = message_transform<kLog>(x, roots, scale);
    }
    if (kLog >= 2) {
        for (u32 g = 0; 4 * g < (1u << kLog); ++g) {
            const Word4 v = {{x.w[4 * g], x.w[4 * g + 1], x.w[4 * g + 2], x.w[4 * g + 3]}};
            store4(out, g, v);
        }
    } else {
        for (u32 j = 0; j < (1u << kLog); ++j) out[j] = x.w[j];
    }
}

WH_KERNEL(message_small, MessageParams, 256) {
    WH_THREAD(t);
    const u32 block = static_cast<u32>(grid_index(t));
    if (block >= p.num_blocks) return;
    const Words segments = words_at(p.segments);
    const Words roots = words_at(p.roots);
    const Words out = words_at(p.out) + message_place(block, p.log_column_blocks, p.out_stride, p.l_skip);
    if (p.l_skip == 4) message_block<4>(segments, p.num_segments, block, roots, p.scale, out);
    if (p.l_skip == 3) message_block<3>(segments, p.num_segments, block, roots, p.scale, out);
    if (p.l_skip == 2) message_block<2>(segments, p.num_segments, block, roots, p.scale, out);
    if (p.l_skip == 1) message_block<1>(segments, p.num_segments, block, roots, p.scale, out);
    if (p.l_skip == 0) message_block<0>(segments, p.num_segments, block, roots, p.scale, out);
}

template <u32 kLog>
WH_FN void message_ext_block(Words elements, u64 block, u32 coordinate, Words roots, u32 scale) {
    const Words words = elements + ((block << (kLog + 2)) + coordinate);
    NttWords x;
    for (u32 j = 0; j < 16; ++j) x.w[j] = j < (1u << kLog) ? words[4 * j] : 0;
    x = message_transform<kLog>(x, roots, scale);
    for (u32 j = 0; j < (1u << kLog); ++j) words[4 * j] = x.w[j];
}

// One thread a block and coordinate.
WH_KERNEL(message_ext_small, MessageExtParams, 256) {
    WH_THREAD(t);
    const u64 i = grid_index(t);
    if (i / 4 >= p.num_blocks) return;
    const Words elements = words_at(p.elements);
    const Words roots = words_at(p.roots);
    const u32 c = static_cast<u32>(i & 3);
    if (p.l_skip == 4) message_ext_block<4>(elements, i / 4, c, roots, p.scale);
    if (p.l_skip == 3) message_ext_block<3>(elements, i / 4, c, roots, p.scale);
    if (p.l_skip == 2) message_ext_block<2>(elements, i / 4, c, roots, p.scale);
    if (p.l_skip == 1) message_ext_block<1>(elements, i / 4, c, roots, p.scale);
}

// The transform of all blocks of a tile, bit-reversed within them, unscaled. For all threads of the group.
WH_FN void message_transform_tile(SharedWords tile, Thread t, Words roots, u32 l_skip) {
    for (u32 log_half = l_skip; log_half-- > 0;) {
        WH_BARRIER();
        const u32 distance = 1u << log_half;
        for (u32 i = t.tid; i < (1u << kMessageLogTile) / 2; i += t.size) {
            const u32 low = i & (distance - 1);
            const u32 at = 2 * (i - low) + low;
            const u32 a = tile[at];
            const u32 b = tile[at + distance];
            tile[at] = fp_add(a, b);
            tile[at + distance] = fp_mul(a + (kP - b), roots[distance + low]);
        }
    }
    for (u32 log_half = 0; log_half < l_skip; ++log_half) {
        WH_BARRIER();
        const u32 distance = 1u << log_half;
        for (u32 i = t.tid; i < (1u << kMessageLogTile) / 2; i += t.size) {
            const u32 low = i & (distance - 1);
            const u32 at = 2 * (i - low) + low;
            tile[at + distance] = fp_add(tile[at + distance], tile[at]);
        }
    }
    WH_BARRIER();
}
// Where the word that belongs at place i of its block is after that.
WH_FN u32 message_tile_place(u32 i, u32 l_skip) {
    const u32 low = i & ((1u << l_skip) - 1);
    return i - low + (reverse_word(low) >> (32 - l_skip));
}

WH_KERNEL(message_large, MessageParams, 256) {
    WH_SHARED(tile, 1u << kMessageLogTile);
    WH_THREAD(t);
    const Words segments = words_at(p.segments);
    const u32 first = t.group << (kMessageLogTile - p.l_skip);
    for (u32 i = t.tid; i < (1u << kMessageLogTile); i += t.size) {
        const u32 block = first + (i >> p.l_skip);
        const u32 z = i & ((1u << p.l_skip) - 1);
        u32 value = 0;
        if (block < p.num_blocks) {
            const Word4 segment = message_segment(segments, p.num_segments, block);
            const u32 log_height = segment.w[3];
            const u64 b = block - segment.w[2];
            if (log_height != kMessageUnused) {
                const u32 log_step = log_height < p.l_skip ? p.l_skip - log_height : 0;
                if ((z & ((1u << log_step) - 1)) == 0) {
                    value = message_source(segment)[(b << (p.l_skip - log_step)) + (z >> log_step)];
                }
            }
        }
        tile[i] = value;
    }
    message_transform_tile(tile, t, words_at(p.roots), p.l_skip);
    for (u32 i = t.tid; i < (1u << kMessageLogTile); i += t.size) {
        const u32 block = first + (i >> p.l_skip);
        const u32 z = i & ((1u << p.l_skip) - 1);
        if (block >= p.num_blocks) continue;
        const u64 at = message_place(block, p.log_column_blocks, p.out_stride, p.l_skip) + z;
        words_at(p.out)[at] = fp_mul(tile[message_tile_place(i, p.l_skip)], p.scale);
    }
}

// A tile holds the four coordinates of a block side by side.
WH_KERNEL(message_ext_large, MessageExtParams, 256) {
    WH_SHARED(tile, 1u << kMessageLogTile);
    WH_THREAD(t);
    const Words elements = words_at(p.elements);
    const u64 end = static_cast<u64>(p.num_blocks) << (p.l_skip + 2);
    const u32 log_half_block = p.l_skip + 2;
    const u64 first = static_cast<u64>(t.group) << kMessageLogTile;
    for (u32 i = t.tid; i < (1u << kMessageLogTile); i += t.size) {
        const u64 at = first + i;
        const u64 block = at >> log_half_block;
        const u32 z = static_cast<u32>(at) & ((1u << p.l_skip) - 1);
        const u32 c = static_cast<u32>(at >> p.l_skip) & 3;
        tile[i] = at < end ? elements[(((block << p.l_skip) + z) << 2) + c] : 0;
    }
    message_transform_tile(tile, t, words_at(p.roots), p.l_skip);
    for (u32 i = t.tid; i < (1u << kMessageLogTile); i += t.size) {
        const u64 at = first + i;
        const u64 block = at >> log_half_block;
        const u32 z = static_cast<u32>(at) & ((1u << p.l_skip) - 1);
        const u32 c = static_cast<u32>(at >> p.l_skip) & 3;
        if (at < end)
            elements[(((block << p.l_skip) + z) << 2) + c] = fp_mul(tile[message_tile_place(i, p.l_skip)], p.scale);
    }
}

#endif
