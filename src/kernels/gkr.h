// LogUp's fraction tree and the sumchecks down its layers (PROTOCOL.md section 12).
#ifndef WHORL_KERNELS_GKR_H
#define WHORL_KERNELS_GKR_H

#include "kernels/gkr_params.h"
#include "kernels/reduce.h"

// The fraction p/q.
struct GkrCell {
    Ext p;
    Ext q;
};
// Cell 2b + a: child a of the node with variable b.
struct GkrQuad {
    GkrCell cells[4];
};
// The two children of one node.
struct GkrNode {
    GkrCell cells[2];
};
struct GkrTerms {
    Ext at_1;
    Ext leading;
};
// What the children of a layer are read from. kGkrLeafPairs: the layer above the leaves, which is never stored; its cells
// are made from the leaves whenever they are read.
enum GkrSource { kGkrLeaves, kGkrLeafPairs, kGkrLayer, kGkrTable };

WH_FN GkrCell gkr_add(GkrCell a, GkrCell b) {
    const GkrCell out = {ext_add(ext_mul(a.p, b.q), ext_mul(b.p, a.q)), ext_mul(a.q, b.q)};
    return out;
}
// The cells above two quads.
WH_FN GkrQuad gkr_add_pairs(GkrQuad low, GkrQuad high) {
    const GkrQuad out = {{gkr_add(low.cells[0], low.cells[1]), gkr_add(low.cells[2], low.cells[3]),
                          gkr_add(high.cells[0], high.cells[1]), gkr_add(high.cells[2], high.cells[3])}};
    return out;
}

WH_FN GkrQuad gkr_leaf_quad(Words p, Words q, u64 i) {
    const Word4 numerators = load4(p, i);
    GkrQuad out;
    for (u32 c = 0; c < 4; ++c) {
        out.cells[c].p = ext_from(numerators.w[c]);
        out.cells[c].q = load_ext(q, 4 * i + c);
    }
    return out;
}
WH_FN GkrQuad gkr_stored_quad(Words p, Words q, u64 num_quads, u64 i) {
    GkrQuad out;
    for (u32 c = 0; c < 4; ++c) {
        out.cells[c].p = load_ext(p, c * num_quads + i);
        out.cells[c].q = load_ext(q, c * num_quads + i);
    }
    return out;
}
template <GkrSource kSource>
WH_FN GkrQuad gkr_quad(Words p, Words q, u64 num_quads, u64 i) {
    if (kSource == kGkrLeaves) return gkr_leaf_quad(p, q, i);
    if (kSource == kGkrLeafPairs) return gkr_add_pairs(gkr_leaf_quad(p, q, 2 * i), gkr_leaf_quad(p, q, 2 * i + 1));
    return gkr_stored_quad(p, q, num_quads, i);
}

WH_FN void gkr_store_cell(Words out, u64 num_cells, u64 i, GkrCell cell) {
    const u64 at = (i & 3) * (num_cells / 4) + (i >> 2);
    store_ext(out, at, cell.p);
    store_ext(out, num_cells + at, cell.q);
}
WH_FN void gkr_store_quad(Words out, u64 num_quads, u64 i, GkrQuad quad) {
    for (u32 c = 0; c < 4; ++c) gkr_store_cell(out, 4 * num_quads, 4 * i + c, quad.cells[c]);
}

WH_FN void gkr_build(WH_PARAMS(GkrBuildParams) p, u64 i, GkrQuad quad) {
    const GkrCell low = gkr_add(quad.cells[0], quad.cells[1]);
    const GkrCell high = gkr_add(quad.cells[2], quad.cells[3]);
    if (p.out_1 != 0) gkr_store_quad(words_at(p.out_1), p.count, i, quad);
    if (p.out_2 != 0) {
        gkr_store_cell(words_at(p.out_2), 2 * p.count, 2 * i, low);
        gkr_store_cell(words_at(p.out_2), 2 * p.count, 2 * i + 1, high);
    }
    if (p.out_3 != 0) gkr_store_cell(words_at(p.out_3), p.count, i, gkr_add(low, high));
}

// From p to P.
WH_FN GkrQuad gkr_with_lambda(GkrQuad quad, Ext lambda) {
    quad.cells[0].p = ext_add(quad.cells[0].p, ext_mul(quad.cells[0].q, lambda));
    quad.cells[2].p = ext_add(quad.cells[2].p, ext_mul(quad.cells[2].q, lambda));
    return quad;
}
WH_FN GkrCell gkr_line(GkrCell a, GkrCell b, Ext r) {
    const GkrCell out = {ext_line(a.p, b.p, r), ext_line(a.q, b.q, r)};
    return out;
}
WH_FN GkrNode gkr_fold_quad(GkrQuad quad, Ext r) {
    const GkrNode out = {{gkr_line(quad.cells[0], quad.cells[2], r), gkr_line(quad.cells[1], quad.cells[3], r)}};
    return out;
}
// P0·q1 + P1·q0 at X = 1, and its leading coefficient in X.
WH_FN GkrTerms gkr_terms(GkrQuad quad) {
    const GkrCell x0 = quad.cells[0];
    const GkrCell x1 = quad.cells[1];
    const GkrCell y0 = quad.cells[2];
    const GkrCell y1 = quad.cells[3];
    const GkrTerms out = {
        ext_add(ext_mul(y0.p, y1.q), ext_mul(y1.p, y0.q)),
        ext_add(ext_mul(ext_sub(y0.p, x0.p), ext_sub(y1.q, x1.q)), ext_mul(ext_sub(y1.p, x1.p), ext_sub(y0.q, x0.q)))};
    return out;
}

// Quad number k of the thread: neighbouring threads have neighbouring quads, and a group a range of them.
WH_FN u64 gkr_item(Thread t, u32 items, u32 k) {
    return (static_cast<u64>(t.group) * items + k) * t.size + t.tid;
}
// The variables of low_heap that are left where the table has 2^log_quads quads.
WH_FN u32 gkr_num_low(WH_PARAMS(GkrRoundParams) p) {
    return p.log_quads - min_word(p.log_quads, p.num_high);
}
WH_FN GkrTerms gkr_add_weighted(GkrTerms sum, GkrTerms terms, Ext weight) {
    const GkrTerms out = {ext_add(sum.at_1, ext_mul(terms.at_1, weight)),
                          ext_add(sum.leading, ext_mul(terms.leading, weight))};
    return out;
}
// `sum` lacks the weight of the high variables, which all items of a thread share.
WH_FN void gkr_store_sums(WH_PARAMS(GkrRoundParams) p, SharedWords scratch, Thread t, GkrTerms sum) {
    const u64 i = gkr_item(t, p.items, 0);
    if ((i >> p.log_quads) == 0) {
        const Ext high =
            load_ext(words_at(p.high_heap), (1ull << min_word(p.log_quads, p.num_high)) + (i >> gkr_num_low(p)));
        sum.at_1 = ext_mul(sum.at_1, high);
        sum.leading = ext_mul(sum.leading, high);
    }
    const Ext at_1 = group_sum(scratch, t, sum.at_1);
    const Ext leading = group_sum(scratch, t, sum.leading);
    if (t.tid == 0) {
        store_ext(words_at(p.sums), t.group, at_1);
        store_ext(words_at(p.sums), t.groups + t.group, leading);
    }
}

template <GkrSource kSource>
WH_FN void gkr_sum(WH_PARAMS(GkrRoundParams) p, SharedWords scratch, Thread t) {
    const Words from_p = words_at(p.p);
    const Words from_q = words_at(p.q);
    const Words low_heap = words_at(p.low_heap);
    const u64 num_quads = 1ull << p.log_quads;
    const u64 num_low = 1ull << gkr_num_low(p);
    GkrTerms sum = {ext_zero(), ext_zero()};
    for (u32 k = 0; k < p.items; ++k) {
        const u64 i = gkr_item(t, p.items, k);
        if (i >= num_quads) break;
        const GkrQuad quad = gkr_with_lambda(gkr_quad<kSource>(from_p, from_q, num_quads, i), WH_EXT(p.lambda));
        sum = gkr_add_weighted(sum, gkr_terms(quad), load_ext(low_heap, num_low + (i & (num_low - 1))));
    }
    gkr_store_sums(p, scratch, t, sum);
}

template <GkrSource kSource>
WH_FN void gkr_fold(WH_PARAMS(GkrRoundParams) p, SharedWords scratch, Thread t) {
    const Words from_p = words_at(p.p);
    const Words from_q = words_at(p.q);
    const Words out = words_at(p.out);
    const Words low_heap = words_at(p.low_heap);
    const u64 num_quads = 1ull << p.log_quads;
    const u64 num_low = 1ull << gkr_num_low(p);
    const Ext r = WH_EXT(p.r);
    GkrTerms sum = {ext_zero(), ext_zero()};
    for (u32 k = 0; k < p.items; ++k) {
        const u64 i = gkr_item(t, p.items, k);
        if (i >= num_quads) break;
        const GkrNode low = gkr_fold_quad(gkr_quad<kSource>(from_p, from_q, 2 * num_quads, 2 * i), r);
        const GkrNode high = gkr_fold_quad(gkr_quad<kSource>(from_p, from_q, 2 * num_quads, 2 * i + 1), r);
        GkrQuad folded = {{low.cells[0], low.cells[1], high.cells[0], high.cells[1]}};
        if (kSource != kGkrTable) folded = gkr_with_lambda(folded, WH_EXT(p.lambda));
        gkr_store_quad(out, num_quads, i, folded);
        sum = gkr_add_weighted(sum, gkr_terms(folded), load_ext(low_heap, num_low + (i & (num_low - 1))));
    }
    gkr_store_sums(p, scratch, t, sum);
}

WH_KERNEL(gkr_pad_leaves, GkrPadParams, 256) {
    WH_THREAD(t);
    const u64 i = grid_index(t);
    if (i >= p.count) return;
    words_at(p.p)[p.first + i] = 0;
    store_ext(words_at(p.q), p.first + i, WH_EXT(p.alpha));
}

WH_KERNEL(gkr_build_on_leaves, GkrBuildParams, 256) {
    WH_THREAD(t);
    const u64 i = grid_index(t);
    if (i >= p.count) return;
    gkr_build(p, i, gkr_quad<kGkrLeafPairs>(words_at(p.p), words_at(p.q), p.count, i));
}

WH_KERNEL(gkr_build_on_layer, GkrBuildParams, 256) {
    WH_THREAD(t);
    const u64 i = grid_index(t);
    if (i >= p.count) return;
    const Words from_p = words_at(p.p);
    const Words from_q = words_at(p.q);
    gkr_build(p, i,
              gkr_add_pairs(gkr_stored_quad(from_p, from_q, 2 * p.count, 2 * i),
                            gkr_stored_quad(from_p, from_q, 2 * p.count, 2 * i + 1)));
}

WH_KERNEL(gkr_sum_leaves, GkrRoundParams, 256) {
    WH_SHARED(scratch, 1024);
    WH_THREAD(t);
    gkr_sum<kGkrLeaves>(p, scratch, t);
}

WH_KERNEL(gkr_sum_leaf_pairs, GkrRoundParams, 256) {
    WH_SHARED(scratch, 1024);
    WH_THREAD(t);
    gkr_sum<kGkrLeafPairs>(p, scratch, t);
}

WH_KERNEL(gkr_sum_layer, GkrRoundParams, 256) {
    WH_SHARED(scratch, 1024);
    WH_THREAD(t);
    gkr_sum<kGkrLayer>(p, scratch, t);
}

WH_KERNEL(gkr_fold_leaves, GkrRoundParams, 256) {
    WH_SHARED(scratch, 1024);
    WH_THREAD(t);
    gkr_fold<kGkrLeaves>(p, scratch, t);
}

WH_KERNEL(gkr_fold_leaf_pairs, GkrRoundParams, 256) {
    WH_SHARED(scratch, 1024);
    WH_THREAD(t);
    gkr_fold<kGkrLeafPairs>(p, scratch, t);
}

WH_KERNEL(gkr_fold_layer, GkrRoundParams, 256) {
    WH_SHARED(scratch, 1024);
    WH_THREAD(t);
    gkr_fold<kGkrLayer>(p, scratch, t);
}

WH_KERNEL(gkr_fold_table, GkrRoundParams, 256) {
    WH_SHARED(scratch, 1024);
    WH_THREAD(t);
    gkr_fold<kGkrTable>(p, scratch, t);
}

#endif
