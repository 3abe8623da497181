#include "device/cuda/resources.hpp"

#include <fmt/format.h>

#include <string>

#include "device/memory_error.hpp"

namespace whorl::gpu::cuda {

void check(cudaError_t error, const char* doing, const char* what) {
    if (error == cudaSuccess) return;
    cudaGetLastError();  // or whoever calls CUDA next on this thread would find it
    const std::string message = fmt::format("{}{}{}: {} ({})", doing, *what != 0 ? " " : "", what,
                                            cudaGetErrorString(error), cudaGetErrorName(error));
    if (error == cudaErrorMemoryAllocation) throw DeviceMemoryError(message);
    throw DeviceError(message);
}

Stream make_stream() {
    cudaStream_t stream = nullptr;
    check(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "making a stream");
    return Stream(stream);
}

Event make_event() {
    cudaEvent_t event = nullptr;
    check(cudaEventCreateWithFlags(&event, cudaEventDisableTiming), "making an event");
    return Event(event);
}

Pinned make_pinned(std::uint64_t bytes) {
    void* memory = nullptr;
    check(cudaHostAlloc(&memory, bytes, cudaHostAllocPortable | cudaHostAllocMapped), "taking page-locked memory");
    return Pinned(static_cast<std::byte*>(memory));
}

}  // namespace whorl::gpu::cuda
