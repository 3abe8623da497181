// The transcript's proof of work (PROTOCOL.md section 4).
#ifndef WHORL_KERNELS_GRIND_H
#define WHORL_KERNELS_GRIND_H

#include "kernels/grind_params.h"
#include "kernels/poseidon2.h"

WH_KERNEL(grind, GrindParams, 256) {
    WH_THREAD(t);
    const u64 i = grid_index(t);
    if (i >= p.count) return;
    const Words found = words_at(p.found);
    const u32 found_before = words_at(p.found_before)[0];
    if (found_before != kNoWitness) {
        if (i == 0) found[0] = found_before;
        return;
    }
    const u32 candidate = p.first + static_cast<u32>(i);
    const u32 word = fp_from_canonical(candidate);
    Poseidon16 s;
    for (u32 w = 0; w < 16; ++w) s.w[w] = w == p.absorb_index ? word : p.state[w];
    s = poseidon2_permute(s);
    if ((fp_canonical(s.w[7]) & p.mask) == 0) atomic_min_word(found, 0, candidate);
}

#endif
