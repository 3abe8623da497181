// Trace columns that a caller has on the device.
#ifndef WHORL_KERNELS_TRACES_PARAMS_H
#define WHORL_KERNELS_TRACES_PARAMS_H

#include "kernels/types.h"

// Word `found[g]` tells whether threadgroup g has seen a word that is not below p, in its share of `count` words.
struct FindNonElementsParams {
    u64 words;
    u64 found;
    u64 count;
};

#define WH_TRACES_KERNELS(X) X(find_non_elements, FindNonElementsParams, 256, WH_BARRIERS, "rw-")

#endif
