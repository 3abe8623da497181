// The transcript's duplex sponge (PROTOCOL.md section 4) in device memory: overwrite mode, rate 8. The host's counterpart
// is Transcript of whorl/transcript.hpp.
#ifndef WHORL_KERNELS_SPONGE_H
#define WHORL_KERNELS_SPONGE_H

#include "kernels/poseidon2.h"
#include "kernels/sponge_params.h"

WH_FN void sponge_permute(Words state) {
    Poseidon16 s;
    for (u32 w = 0; w < 16; ++w) s.w[w] = state[w];
    s = poseidon2_permute(s);
    for (u32 w = 0; w < 16; ++w) state[w] = s.w[w];
}

WH_KERNEL(sponge_duplex, SpongeDuplexParams, 1) {
    const Words state = words_at(p.state);
    const Words observed = words_at(p.observed);
    const Words sampled = words_at(p.sampled);
    u32 absorb_index = state[16];
    u32 squeeze_index = state[17];
    for (u32 i = 0; i < p.num_observed; ++i) {
        state[absorb_index++] = observed[i];
        if (absorb_index < 8) continue;
        sponge_permute(state);
        absorb_index = 0;
        squeeze_index = 8;
    }
    for (u32 i = 0; i < p.num_sampled; ++i) {
        if (absorb_index != 0 || squeeze_index == 0) {
            sponge_permute(state);
            absorb_index = 0;
            squeeze_index = 8;
        }
        sampled[i] = state[--squeeze_index];
    }
    state[16] = absorb_index;
    state[17] = squeeze_index;
}

#endif
