// Benchmarks on one instruction set at a time.
#pragma once

#include <benchmark/benchmark.h>

#include <string>

#include "field/instruction_sets.hpp"

namespace whorl::bench {

/// Registers `run(state)` as "name/INSTRUCTION SET" for each set that whorl is compiled for and this machine has, plain C++ left out.
template <class Run>
void register_on_targets(const std::string& name, const Run& run) {
    for (const std::string& set : usable_instruction_sets()) {
        if (set == "plain C++") continue;
        benchmark::RegisterBenchmark((name + "/" + set).c_str(), [run, set](benchmark::State& state) {
            use_instruction_set(set);
            run(state);
            use_best_instruction_set();
        });
    }
}

}  // namespace whorl::bench
