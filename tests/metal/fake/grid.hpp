// Runs the threadgroups of a kernel on the host's threads.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "kernel_table.hpp"

namespace fake_metal {

inline constexpr std::size_t kNumSlots = 31;

struct Grid {
    const KernelEntry* kernel = nullptr;
    std::array<const void*, kNumSlots> slots{};
    std::array<std::uint32_t, 3> groups{}, size{};
};

/// What stopped a kernel: an access, or else what `what` says.
struct KernelFailure {
    const std::byte* address = nullptr;
    bool is_write = false;
    std::string what;
};

/// The threads between two barriers of a group run in an order drawn from `seed`.
std::optional<KernelFailure> run_grid(const Grid& grid, std::uint64_t seed);

/// What a barrier of kernels calls.
void wait_at_barrier();

}  // namespace fake_metal
