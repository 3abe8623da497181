// Which instruction sets the vector kernels are compiled for; the best one that the machine has is chosen at run time.
// Include this before any Highway header.
#pragma once

// AVX-512, AVX2, NEON, and EMU128, four lanes in plain C++, which every machine can run. The rest is left out for the
// sake of build time. The same in all files: inline functions of Highway's depend on it.
#define HWY_DISABLED_TARGETS (HWY_SSSE3 | HWY_SSE4 | HWY_AVX3_DL | HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128)
// Highway avoids EMU128 under GCC < 12.3 for a miscompiled 16-bit operation that we do not use, and its replacement,
// HWY_SCALAR, lacks the operations that we do; tests/unit runs every kernel on every target.
#define HWY_BROKEN_EMU128 0

namespace whorl {

/// Vector kernels may read and write whole vectors: arrays given to them have room for a multiple of this many elements.
inline constexpr unsigned kLaneAlignment = 16;

/// n rounded up to whole vectors.
constexpr unsigned long long padded_size(unsigned long long n) {
    return (n + kLaneAlignment - 1) / kLaneAlignment * kLaneAlignment;
}

}  // namespace whorl
