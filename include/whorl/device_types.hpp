// What is said of a device whatever is computed on it: what it is, memory on it, and a plan of that.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace whorl {

/// A device as ProverOptions::device names it.
struct DeviceReport {
    std::string id;                  ///< "cpu", "sim", "cuda:0"
    std::string name;                ///< as its maker calls it
    std::uint64_t memory_bytes = 0;  ///< all there is
    std::uint64_t free_bytes = 0;    ///< 0 where the device does not tell
    std::string driver;              ///< empty where there is none
    std::string problem;             ///< why it cannot be used; empty where it can
};

/// Memory of a GPU that its owner keeps: what `words` points to as the GPU's kernels see it (for CUDA, from cudaMalloc or
/// cudaMallocManaged; on a device that shares the host's memory, that memory).
struct DeviceMemory {
    const void* words = nullptr;
    /// CUDA: the cudaStream_t whose work so far writes the words; null: the default stream. Null on other devices.
    void* stream = nullptr;
};

/// One buffer of a memory plan.
struct PlannedBuffer {
    std::string name;
    std::string stage;       ///< the span in which it is taken
    std::string last_stage;  ///< the span in which it is given back
    std::uint64_t bytes = 0;
    std::uint64_t offset = 0;    ///< in the arena
    std::uint32_t taken = 0;     ///< position among all takings and returns, from 1
    std::uint32_t returned = 0;  ///< likewise
};

/// Everything that one proof takes on a device; key and trace heights decide it. On the CPU there is no arena: its size is that
/// of the peak, and offsets are 0.
struct MemoryPlan {
    std::vector<PlannedBuffer> buffers;  ///< in the order of taking
    std::uint64_t arena_bytes = 0;       ///< what holds them all
    std::uint64_t block_bytes = 0;       ///< the arena is allocated in blocks of so many bytes, which no buffer crosses
    std::uint64_t peak_live_bytes = 0;   ///< the most that is in use at once: no arena can be smaller
    std::uint64_t upload_bytes = 0;      ///< parameters: a copy on either side where memory is not shared
    std::uint64_t mailbox_bytes = 0;     ///< results that the host reads
    std::uint64_t device_bytes = 0;      ///< all of it that lies in the device's own memory
};

}  // namespace whorl
