// One kernel text for three compilers: Metal's, nvcc, and a host C++20 compiler (the simulated device).
//
// The subset: no standard headers, virtuals, recursion, lambdas, exceptions, 64-bit shuffles, type `long long`, or names
// that Metal reserves (constant, half, thread, …); kernels are thin and not templated. A kernel takes one structure of u32
// and u64 fields; its buffers are 64-bit device addresses in there, which words_at() turns into pointers to 32-bit words.
// Everything a device holds is words: field elements in Montgomery form, extension elements as four words in a row.
//
//   WH_KERNEL(name, Params, threads) { WH_THREAD(t); … p.field … }   `threads` is the size of a threadgroup
//   WH_SHARED(name, n)     n words of threadgroup memory (at most 8192 in a kernel), declared at the top of a kernel
//   WH_BARRIER()           for all threads of a threadgroup; the kernel must be listed with WH_BARRIERS. It orders threadgroup
//                          memory alone: what a thread writes to a buffer, others read in a later stage
//   WH_BUFFER_BARRIER()    the same, and orders what the group's threads do to buffers, for kernels that work in place
//   WH_FN, WH_CONSTANT     a device function, a constant at namespace scope
//   WH_PARAMS(Params)      the type as which a device function takes the kernel's parameters
#ifndef WHORL_KERNELS_COMPAT_H
#define WHORL_KERNELS_COMPAT_H

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

#elif defined(__CUDACC__)

#define WH_FN static __device__ __forceinline__
#define WH_CONSTANT(T, name) static __device__ constexpr T name
#define WH_PARAMS(Params) const Params&
#define WH_KERNEL(name, Params, threads) \
    extern "C" __global__ void __launch_bounds__(threads) name(const __grid_constant__ Params p)
#define WH_THREAD(t) const Thread t = {threadIdx.x, blockDim.x, blockIdx.x, gridDim.x}
#define WH_SHARED(name, n) __shared__ __align__(16) u32 name[n]
#define WH_BARRIER() __syncthreads()
#define WH_BUFFER_BARRIER() __syncthreads()

typedef u32* Words;
typedef u32* SharedWords;
WH_FN Words words_at(u64 address) {
    return reinterpret_cast<u32*>(address);
}
WH_FN u32 mul_high(u32 a, u32 b) {
    return __umulhi(a, b);
}
WH_FN i32 mul_high_signed(i32 a, i32 b) {
    return __mulhi(a, b);
}
WH_FN u32 min_word(u32 a, u32 b) {
    return min(a, b);
}
WH_FN u32 reverse_word(u32 x) {
    return __brev(x);
}
WH_FN void atomic_min_word(Words words, u64 i, u32 value) {
    atomicMin(words + i, value);
}
WH_FN void atomic_add_word(Words words, u64 i, u32 value) {
    atomicAdd(words + i, value);
}

#else

#include "backend/gpu/sim/thread.hpp"

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

// The thread's number in the whole grid.
WH_FN u64 grid_index(Thread t) {
    return static_cast<u64>(t.group) * t.size + t.tid;
}
WH_FN u64 grid_size(Thread t) {
    return static_cast<u64>(t.groups) * t.size;
}

// Four words at once: one 128-bit access where the device has them. Precondition: the address is a multiple of 16.
struct Word4 {
    u32 w[4];
};
WH_FN Word4 load4(Words words, u64 i) {
#if defined(__METAL_VERSION__)
    const uint4 v = reinterpret_cast<device uint4*>(words)[i];
    const Word4 out = {{v.x, v.y, v.z, v.w}};
    return out;
#elif defined(__CUDACC__)
    const uint4 v = reinterpret_cast<const uint4*>(words)[i];
    const Word4 out = {{v.x, v.y, v.z, v.w}};
    return out;
#else
    return {{words[4 * i], words[4 * i + 1], words[4 * i + 2], words[4 * i + 3]}};
#endif
}
WH_FN void store4(Words words, u64 i, Word4 v) {
#if defined(__METAL_VERSION__)
    reinterpret_cast<device uint4*>(words)[i] = uint4(v.w[0], v.w[1], v.w[2], v.w[3]);
#elif defined(__CUDACC__)
    reinterpret_cast<uint4*>(words)[i] = make_uint4(v.w[0], v.w[1], v.w[2], v.w[3]);
#else
    for (u32 c = 0; c < 4; ++c) words[4 * i + c] = v.w[c];
#endif
}

#endif
