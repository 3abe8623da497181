#include "backend/gpu/cuda/fill.hpp"

#include <algorithm>

namespace whorl::gpu::cuda {
namespace {

constexpr unsigned kThreads = 256;
constexpr std::uint64_t kMaxGroups = 4096;  // more only wait for their turn

__global__ void __launch_bounds__(kThreads) set_words(std::uint32_t* words, std::uint64_t count, std::uint32_t word) {
    const std::uint64_t stride = std::uint64_t{gridDim.x} * kThreads;
    for (std::uint64_t i = std::uint64_t{blockIdx.x} * kThreads + threadIdx.x; i < count; i += stride) words[i] = word;
}

}  // namespace

cudaError_t fill_words(cudaStream_t stream, Address words, std::uint64_t count, std::uint32_t word) {
    const std::uint64_t groups = std::min((count + kThreads - 1) / kThreads, kMaxGroups);
    set_words<<<static_cast<unsigned>(groups), kThreads, 0, stream>>>(reinterpret_cast<std::uint32_t*>(words), count,
                                                                      word);
    return cudaGetLastError();
}

}  // namespace whorl::gpu::cuda
