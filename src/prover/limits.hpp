// What the backends are made for.
#pragma once

#include <cstdint>

namespace whorl {

/// The largest skip domain is 2^kMaxLSkip points: provers hold whole skip domains in cache or in threadgroup memory, and work on
/// polynomials in Z term by term.
inline constexpr std::uint32_t kMaxLSkip = 10;

}  // namespace whorl
