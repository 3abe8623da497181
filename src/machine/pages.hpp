// Large arrays in huge pages.
#pragma once

#include <cstddef>

namespace whorl {

inline constexpr std::size_t kHugePage = std::size_t{2} << 20;

/// Asks the system to serve [address, address + num_bytes), which nobody has touched yet, in huge pages, as far as whole ones lie in it: a proof
/// reads and writes gigabytes, and spends a third of its time on pages of 4 KiB (faults, and look-ups that miss). To no effect
/// where the system does not offer it, or grants them anyway.
void advise_huge_pages(void* address, std::size_t num_bytes) noexcept;

}  // namespace whorl
