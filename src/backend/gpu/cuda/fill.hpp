// What cudaMemset cannot do.
#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>

#include "backend/gpu/runtime.hpp"

namespace whorl::gpu::cuda {

/// Sets `count` words of device memory, in the order of the stream.
cudaError_t fill_words(cudaStream_t stream, Address words, std::uint64_t count, std::uint32_t word);

}  // namespace whorl::gpu::cuda
