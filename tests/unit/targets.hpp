// Runs a check on every instruction set that this machine and build have: AVX-512, AVX2, NEON, plain C++.
#pragma once

#include <gtest/gtest.h>

#define WHORL_WITH_IFMA
#include "field/simd.hpp"

#include <hwy/targets.h>

#include <cstdint>

namespace whorl::test {

/// The targets that the kernels are compiled for and this machine can run.
inline std::int64_t usable_targets() {
    return hwy::SupportedTargets() & HWY_TARGETS;
}

/// body() once with each target selected.
template <class Body>
void on_every_target(const Body& body) {
    int num_targets = 0;
    for (std::int64_t left = usable_targets(); left != 0; left &= left - 1) {
        const std::int64_t target = left & -left;
        SCOPED_TRACE(hwy::TargetName(target));
        hwy::SetSupportedTargetsForTest(usable_targets() & ~(target - 1));
        body();
        ++num_targets;
    }
    hwy::SetSupportedTargetsForTest(0);
    // Plain C++ is always there, beside what the machine has.
    EXPECT_GE(num_targets, 1);
}

}  // namespace whorl::test
