// The transcript's duplex sponge (PROTOCOL.md section 4) in device memory.
#ifndef WHORL_KERNELS_SPONGE_PARAMS_H
#define WHORL_KERNELS_SPONGE_PARAMS_H

#include "kernels/types.h"

// What a sponge holds, all zero at the start.
struct SpongeState {
    u32 words[16];
    u32 absorb_index;   // where the next observed word goes
    u32 squeeze_index;  // words left to sample
};

// Observes num_observed words, then samples num_sampled. One thread.
struct SpongeDuplexParams {
    u64 state;  // SpongeState
    u64 observed;
    u64 sampled;
    u32 num_observed;
    u32 num_sampled;
};

#define WH_SPONGE_KERNELS(X) X(sponge_duplex, SpongeDuplexParams, 1, WH_NO_BARRIERS, "xrw")

#endif
