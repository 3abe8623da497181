// The dialect of compat.h for nvcc.
#ifndef WHORL_KERNELS_COMPAT_CUDA_H
#define WHORL_KERNELS_COMPAT_CUDA_H

#include "kernels/types.h"

#if defined(__CUDACC__)

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

#endif

#endif
