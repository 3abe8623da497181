// What a compiled Metal library tells the fake runtime: its kernels. msl_compile.py writes the table into each library.
#pragma once

#include <cstdint>

namespace fake_metal {

/// A threadgroup in its grid; ../msl_compile.py reads it as nine words.
struct GroupPosition {
    std::uint32_t group[3];   ///< which one
    std::uint32_t groups[3];  ///< of how many
    std::uint32_t size[3];    ///< its threads
};

/// Runs `count` threads of a threadgroup from thread `first` on, one after another. `slots` are buffer arguments.
using RunFunction = void(const void* const* slots, const GroupPosition* position, std::uint32_t first,
                         std::uint32_t count);

struct KernelEntry {
    const char* name;
    RunFunction* run;
    /// Overwrites the calling host thread's threadgroup memory, as if another kernel had used it.
    void (*poison_threadgroup_memory)();
    std::uint32_t slots;  ///< a bit for each buffer that must be bound
    std::uint32_t max_threads;
    std::uint32_t threadgroup_bytes;
    bool has_barriers;
};

/// The names of the library's two symbols: an array of KernelEntry that ends with a null name, and what a barrier calls.
inline constexpr const char* kKernelTableSymbol = "fake_metal_kernels";
inline constexpr const char* kBarrierSymbol = "fake_metal_on_barrier";
using BarrierFunction = void (*)();

inline constexpr unsigned char kPoison = 0xA5;  // words of it are no field elements

}  // namespace fake_metal
