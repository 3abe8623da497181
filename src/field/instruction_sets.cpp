#include "field/instruction_sets.hpp"

#define WHORL_WITH_IFMA
#include "field/simd.hpp"

#include <hwy/targets.h>

#include <cstdint>

namespace whorl {
namespace {

std::string name_of(std::int64_t target) {
    if (target == HWY_AVX3_DL) return "AVX-512 IFMA";
    if (target == HWY_AVX3) return "AVX-512";
    return target == HWY_EMU128 ? "plain C++" : hwy::TargetName(target);
}

}  // namespace

std::vector<std::string> usable_instruction_sets() {
    std::vector<std::string> names;
    // Better targets have lower bits.
    for (std::int64_t left = HWY_SUPPORTED_TARGETS & HWY_TARGETS; left != 0; left &= left - 1) {
        names.push_back(name_of(left & -left));
    }
    return names;
}

}  // namespace whorl
