// A kernel without faults, into which seeded_errors.py puts one at a time.
#include "kernels/reduce.h"

// out = the group's sum of scale·in[i] over i < count.
struct SampleParams {
    u64 in;   // extension elements
    u64 out;  // an extension element for each group
    ExtParam scale;
    u32 count;
    u32 pad;
};

#define WH_ALL_KERNELS(X) X(sample_sum, SampleParams, 256, WH_BARRIERS)

struct SampleWords {
    u32 w[4];
};
WH_CONSTANT(u32, kSampleTable[2]) = {1u, 2u};

WH_FN u32 sample_pick(SampleWords words, u32 i) {
    return words.w[i & 3] + kSampleTable[i & 1];
}
WH_FN Ext sample_scale(WH_PARAMS(SampleParams) p, Ext x) {
    return ext_mul(x, WH_EXT(p.scale));
}

WH_KERNEL(sample_sum, SampleParams, 256) {
    WH_SHARED(scratch, 1024);
    WH_THREAD(t);
    const Words in = words_at(p.in);
    Ext sum = ext_zero();
    for (u64 i = grid_index(t); i < p.count; i += grid_size(t)) sum = ext_add(sum, sample_scale(p, load_ext(in, i)));
    sum = group_sum(scratch, t, sum);
    const SampleWords words = {{sum.c[0], sum.c[1], sum.c[2], sum.c[3]}};
    sum.c[0] = fp_add(sum.c[0], sample_pick(words, t.tid));
    if (t.tid == 0) store_ext(words_at(p.out), t.group, sum);
}
