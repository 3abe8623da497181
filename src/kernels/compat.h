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

// Each is empty for other compilers; the device that runs kernels on the host has such a file of its own, included first.
#include "kernels/compat_cuda.h"
#include "kernels/compat_metal.h"

#ifndef WH_KERNEL
#error "no dialect for this compiler: a host compiler includes device/sim/compat.h before kernels"
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
