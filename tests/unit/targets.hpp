// Runs a check on every instruction set that this machine and build have: AVX-512, AVX2, NEON, plain C++.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "field/instruction_sets.hpp"

namespace whorl::test {

/// body() once with each instruction set in use.
template <class Body>
void on_every_target(const Body& body) {
    for (const std::string& name : usable_instruction_sets()) {
        SCOPED_TRACE(name);
        ASSERT_TRUE(use_instruction_set(name));
        body();
        use_best_instruction_set();
    }
}

}  // namespace whorl::test
