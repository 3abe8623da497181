// Benchmarks on one instruction set at a time.
#pragma once

#include <benchmark/benchmark.h>

#define WHORL_WITH_IFMA
#include "field/simd.hpp"

#include <hwy/targets.h>

#include <cstdint>
#include <string>

namespace whorl::bench {

/// Registers `run(state)` as "name/TARGET" for each instruction set that whorl is compiled for and this machine has, plain
/// C++ (EMU128) left out.
template <class Run>
void register_on_targets(const std::string& name, const Run& run) {
    for (std::int64_t left = hwy::SupportedTargets() & HWY_TARGETS & ~HWY_EMU128; left != 0; left &= left - 1) {
        const std::int64_t target = left & -left;
        benchmark::RegisterBenchmark((name + "/" + hwy::TargetName(target)).c_str(),
                                     [run, target](benchmark::State& state) {
                                         hwy::SetSupportedTargetsForTest(hwy::SupportedTargets() & ~(target - 1));
                                         run(state);
                                         hwy::SetSupportedTargetsForTest(0);
                                     });
    }
}

}  // namespace whorl::bench
