// Sums over a threadgroup, exact and so independent of the order.
#ifndef WHORL_KERNELS_REDUCE_H
#define WHORL_KERNELS_REDUCE_H

#include "kernels/field.h"

WH_FN Ext shared_ext(SharedWords words, u32 i) {
    const Ext out = {{words[4 * i], words[4 * i + 1], words[4 * i + 2], words[4 * i + 3]}};
    return out;
}
WH_FN void set_shared_ext(SharedWords words, u32 i, Ext value) {
    for (u32 c = 0; c < 4; ++c) words[4 * i + c] = value.c[c];
}

// The sum of `value` over the threads of the group, in thread 0. scratch: 4·size words; size is a power of two. Has
// barriers: all threads must call it, and scratch may be used again right after.
WH_FN Ext group_sum(SharedWords scratch, Thread t, Ext value) {
    set_shared_ext(scratch, t.tid, value);
    for (u32 count = t.size / 2; count > 0; count /= 2) {
        WH_BARRIER();
        if (t.tid < count) {
            value = ext_add(value, shared_ext(scratch, t.tid + count));
            set_shared_ext(scratch, t.tid, value);
        }
    }
    WH_BARRIER();
    return value;
}

#endif
