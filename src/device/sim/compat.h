// The dialect of kernels/compat.h for a host compiler, which runs kernels on the simulated device: included before the kernels.
#ifndef WHORL_DEVICE_SIM_COMPAT_H
#define WHORL_DEVICE_SIM_COMPAT_H

#include "device/sim/thread.hpp"
#include "kernels/types.h"

#define WH_FN static inline
#define WH_CONSTANT(T, name) static constexpr T name
#define WH_PARAMS(Params) const Params&
#define WH_KERNEL(name, Params, threads) \
    static void name([[maybe_unused]] const Params& p, [[maybe_unused]] const Thread& wh_thread)
#define WH_THREAD(t) const Thread& t = wh_thread
#define WH_SHARED(name, n) const SharedWords name = whorl::gpu::sim::shared_words(__COUNTER__, n)
#define WH_BARRIER() whorl::gpu::sim::barrier()
#define WH_BUFFER_BARRIER() whorl::gpu::sim::buffer_barrier()

typedef whorl::gpu::sim::Words Words;
typedef whorl::gpu::sim::SharedWords SharedWords;
WH_FN Words words_at(u64 address) {
    return whorl::gpu::sim::words_at(address);
}
WH_FN u32 mul_high(u32 a, u32 b) {
    return static_cast<u32>((static_cast<u64>(a) * b) >> 32);
}
WH_FN i32 mul_high_signed(i32 a, i32 b) {
    return static_cast<i32>((static_cast<long long>(a) * b) >> 32);
}
WH_FN u32 min_word(u32 a, u32 b) {
    return a < b ? a : b;
}
WH_FN u32 reverse_word(u32 x) {
    x = ((x >> 1) & 0x55555555u) | ((x & 0x55555555u) << 1);
    x = ((x >> 2) & 0x33333333u) | ((x & 0x33333333u) << 2);
    x = ((x >> 4) & 0x0F0F0F0Fu) | ((x & 0x0F0F0F0Fu) << 4);
    x = ((x >> 8) & 0x00FF00FFu) | ((x & 0x00FF00FFu) << 8);
    return (x >> 16) | (x << 16);
}
WH_FN void atomic_min_word(Words words, u64 i, u32 value) {
    whorl::gpu::sim::atomic_min(words, i, value);
}
WH_FN void atomic_add_word(Words words, u64 i, u32 value) {
    whorl::gpu::sim::atomic_add(words, i, value);
}

#endif
