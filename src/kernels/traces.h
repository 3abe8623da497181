// Trace columns that a caller has on the device.
#ifndef WHORL_KERNELS_TRACES_H
#define WHORL_KERNELS_TRACES_H

#include "kernels/reduce.h"
#include "kernels/traces_params.h"

WH_KERNEL(find_non_elements, FindNonElementsParams, 256) {
    WH_SHARED(scratch, 1024);
    WH_THREAD(t);
    const Words words = words_at(p.words);
    const u64 step = static_cast<u64>(t.groups) * t.size;
    u32 is_found = 0;
    for (u64 i = grid_index(t); i < p.count; i += step) is_found |= words[i] >= kP ? 1u : 0u;
    // A sum of at most 256 ones does not wrap.
    const Ext sum = group_sum(scratch, t, ext_words(is_found, 0, 0, 0));
    if (t.tid == 0) words_at(p.found)[t.group] = sum.c[0];
}

#endif
