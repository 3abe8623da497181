// Whether kernels with a form for 52-bit products (AVX-512 IFMA) use it, on processors that have them. A header alone, so that
// hash/batch.cpp needs no other file of this room.
#pragma once

#include <atomic>
#ifdef __x86_64__
#include <cpuid.h>
#endif

namespace whorl {

/// Whether this processor multiplies 52-bit words.
inline bool has_ifma() {
#ifdef __x86_64__
    __builtin_cpu_init();
    return __builtin_cpu_supports("avx512ifma") != 0;
#else
    return false;
#endif
}

/// Whether 52-bit products pay. They take fewer instructions, most of them multiplications. AMD's Zen 5 (family 26) and later start four
/// vector instructions in a cycle, of which two may be multiplications, and gain nothing from fewer additions; where two start, IFMA
/// wins (docs/performance.md).
inline bool is_ifma_faster() {
#ifdef __x86_64__
    unsigned a = 0, b = 0, c = 0, d = 0;
    const bool is_amd = __get_cpuid(0, &a, &b, &c, &d) != 0 && b == signature_AMD_ebx && c == signature_AMD_ecx &&
                        d == signature_AMD_edx;
    if (!is_amd || __get_cpuid(1, &a, &b, &c, &d) == 0) return true;
    const unsigned family = (a >> 8 & 15) + (a >> 20 & 255);
    return family < 26;
#else
    return true;
#endif
}

/// What is in use: 52-bit products where they are there and pay, until use_instruction_set() says otherwise.
inline std::atomic<bool>& uses_wide_products() {
    static std::atomic<bool> uses{has_ifma() && is_ifma_faster()};
    return uses;
}

}  // namespace whorl
