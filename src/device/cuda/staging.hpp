// Large copies from ordinary host memory to the device.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "device/cuda/resources.hpp"
#include "device/runtime.hpp"

namespace whorl::gpu::cuda {

/// Page-locked memory in slots: host threads fill one while the device fetches the others. Destroy it when the stream is idle.
class Staging {
public:
    explicit Staging(cudaStream_t stream);

    /// Copies in the order of the stream; `host` has been read when it returns. Errors: DeviceError.
    void upload(Address destination, const std::byte* host, std::uint64_t bytes);

private:
    // On the way at once: what the bus brings in under a millisecond, so a core that is late does not hold it up.
    static constexpr std::uint64_t kSlotBytes = std::uint64_t{16} << 20;
    static constexpr std::size_t kNumSlots = 3;

    void next_slot();

    cudaStream_t stream_;
    Pinned memory_;
    std::array<Event, kNumSlots> fetched_;  // behind the last copy out of each slot
    std::size_t slot_ = 0;
    std::uint64_t filled_ = 0;  // bytes of the slot
};

}  // namespace whorl::gpu::cuda
