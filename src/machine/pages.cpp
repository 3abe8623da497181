#include "machine/pages.hpp"

#include <sys/mman.h>

#include <cstdint>

namespace whorl {

void advise_huge_pages([[maybe_unused]] void* address, [[maybe_unused]] std::size_t num_bytes) noexcept {
#ifdef MADV_HUGEPAGE
    const auto begin = reinterpret_cast<std::uintptr_t>(address);
    const std::uintptr_t first = (begin + kHugePage - 1) / kHugePage * kHugePage;
    const std::uintptr_t last = (begin + num_bytes) / kHugePage * kHugePage;
    // NOLINTNEXTLINE(performance-no-int-to-ptr): the next page boundary is an address
    if (first < last) ::madvise(reinterpret_cast<void*>(first), last - first, MADV_HUGEPAGE);
#endif
}

}  // namespace whorl
