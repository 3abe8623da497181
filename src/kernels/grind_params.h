// The transcript's proof of work (PROTOCOL.md section 4).
#ifndef WHORL_KERNELS_GRIND_PARAMS_H
#define WHORL_KERNELS_GRIND_PARAMS_H

#include "kernels/types.h"

enum GrindConstants : u32 { kNoWitness = 0xFFFFFFFFu };

// The smallest witness in [first, first + count) into word `found`, which is kNoWitness before; or the word `found_before`
// if that holds one already.
struct GrindParams {
    u64 found_before;
    u64 found;
    u32 state[16];
    u32 absorb_index;
    u32 mask;  // bits of the sample that a witness makes zero
    u32 first;
    u32 count;
};

#define WH_GRIND_KERNELS(X) X(grind, GrindParams, 256, WH_NO_BARRIERS, "rx")

#endif
