// What a fuzzer does when a claim does not hold.
#pragma once

#include <cstdio>
#include <string>

namespace whorl::fuzz {

/// Stops at a claim that does not hold, which libFuzzer records as a finding.
inline void require(bool holds, const std::string& claim) {
    if (holds) return;
    std::fprintf(stderr, "not so: %s\n", claim.c_str());
    __builtin_trap();
}

}  // namespace whorl::fuzz
