// Large arrays whose pages are used again, since the system clears each page that it hands out.
#pragma once

#include <cstddef>

namespace whorl {

/// `num_bytes` with undefined contents, aligned to kHugePage (pages.hpp), in huge pages where the system grants them. While a
/// PagePoolUse lives, memory that was given back is handed out again, in parts and joined with its neighbours; where none of
/// it fits, as much of it goes back to the system as new memory is taken, so that the pool never holds more than were in use at
/// one time. Throws std::bad_alloc. Any thread may call.
void* take_pages(std::size_t num_bytes);

/// Gives back what take_pages(num_bytes) returned, on any thread.
void give_pages(void* address, std::size_t num_bytes) noexcept;

/// While one lives, memory that was given back is kept for the next take; when the last one ends, all of it goes back to the
/// system.
class PagePoolUse {
public:
    PagePoolUse() noexcept;
    ~PagePoolUse();
    PagePoolUse(const PagePoolUse&) = delete;
    PagePoolUse& operator=(const PagePoolUse&) = delete;
};

/// Bytes of whole huge pages.
struct PagePoolBytes {
    std::size_t idle = 0;  ///< kept, and nobody uses them
    std::size_t in_use = 0;
    std::size_t peak_in_use = 0;  ///< since the first of the PagePoolUses that live began, or the last of them
};
PagePoolBytes page_pool_bytes() noexcept;

}  // namespace whorl
