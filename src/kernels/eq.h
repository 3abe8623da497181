// Entries of eq tables. Functions that several kernel files use are best kept in headers like this one, without kernels:
// nvcc compiles files of kernels apart, and a kernel is defined once.
#ifndef WHORL_KERNELS_EQ_H
#define WHORL_KERNELS_EQ_H

#include "kernels/field.h"

// eq over the variables whose suffix tables are in the two heaps, the first (num_low + num_high − m) of them left out:
// entry i of a table of m variables.
WH_FN Ext eq_entry(Words low_heap, Words high_heap, u32 num_high, u32 m, u64 i) {
    if (m <= num_high) return load_ext(high_heap, (1ull << m) + i);
    const u32 low = m - num_high;
    return ext_mul(load_ext(low_heap, (1ull << low) + (i & ((1ull << low) - 1))),
                   load_ext(high_heap, (1ull << num_high) + (i >> low)));
}

#endif
