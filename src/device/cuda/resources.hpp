// What the CUDA runtime hands out, owned; and its errors as exceptions.
#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <type_traits>

namespace whorl::gpu::cuda {

/// Throws DeviceError "doing what: the driver's words (the error's name)" unless `error` is cudaSuccess.
void check(cudaError_t error, const char* doing, const char* what = "");

struct Release {
    void operator()(cudaStream_t stream) const { cudaStreamDestroy(stream); }
    void operator()(cudaEvent_t event) const { cudaEventDestroy(event); }
    void operator()(std::byte* pinned) const { cudaFreeHost(pinned); }
};
using Stream = std::unique_ptr<std::remove_pointer_t<cudaStream_t>, Release>;
using Event = std::unique_ptr<std::remove_pointer_t<cudaEvent_t>, Release>;
/// Page-locked host memory.
using Pinned = std::unique_ptr<std::byte, Release>;

/// A stream that waits for no other.
Stream make_stream();
/// An event that tells no time.
Event make_event();
Pinned make_pinned(std::uint64_t bytes);

}  // namespace whorl::gpu::cuda
