// The dialect of compat.h for Metal's compiler.
#ifndef WHORL_KERNELS_COMPAT_METAL_H
#define WHORL_KERNELS_COMPAT_METAL_H

#include "kernels/types.h"

#if defined(__METAL_VERSION__)

#define WH_FN static inline
#define WH_CONSTANT(T, name) constant T name
#define WH_PARAMS(Params) constant Params&
#define WH_KERNEL(name, Params, threads)                                                      \
    [[max_total_threads_per_threadgroup(threads)]] kernel void name(                          \
        constant Params& p [[buffer(0)]], uint3 wh_group [[threadgroup_position_in_grid]],    \
        uint3 wh_groups [[threadgroups_per_grid]], uint3 wh_size [[threads_per_threadgroup]], \
        uint wh_tid [[thread_index_in_threadgroup]])
#define WH_THREAD(t) const Thread t = {wh_tid, wh_size.x, wh_group.x, wh_groups.x}
#define WH_SHARED(name, n) threadgroup u32 name[n]
#define WH_BARRIER() threadgroup_barrier(mem_flags::mem_threadgroup)
#define WH_BUFFER_BARRIER() threadgroup_barrier(mem_flags::mem_threadgroup | mem_flags::mem_device)

typedef device u32* Words;
typedef threadgroup u32* SharedWords;
WH_FN Words words_at(u64 address) {
    return reinterpret_cast<device u32*>(address);
}
WH_FN u32 mul_high(u32 a, u32 b) {
    return mulhi(a, b);
}
WH_FN i32 mul_high_signed(i32 a, i32 b) {
    return mulhi(a, b);
}
WH_FN u32 min_word(u32 a, u32 b) {
    return min(a, b);
}
WH_FN u32 reverse_word(u32 x) {
    return reverse_bits(x);
}
WH_FN void atomic_min_word(Words words, u64 i, u32 value) {
    atomic_fetch_min_explicit(reinterpret_cast<device atomic_uint*>(words + i), value, memory_order_relaxed);
}
WH_FN void atomic_add_word(Words words, u64 i, u32 value) {
    atomic_fetch_add_explicit(reinterpret_cast<device atomic_uint*>(words + i), value, memory_order_relaxed);
}

#endif

#endif
