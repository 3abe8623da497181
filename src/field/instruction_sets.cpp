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

// Calls visit(target) for each usable one, best first: better ones have lower bits.
template <class Visit>
void for_each_target(const Visit& visit) {
    for (std::int64_t left = HWY_SUPPORTED_TARGETS & HWY_TARGETS; left != 0; left &= left - 1) visit(left & -left);
}

}  // namespace

std::vector<std::string> usable_instruction_sets() {
    std::vector<std::string> names;
    for_each_target([&](std::int64_t target) { names.push_back(name_of(target)); });
    return names;
}

bool use_instruction_set(std::string_view name) {
    std::int64_t found = 0;
    for_each_target([&](std::int64_t target) {
        if (name_of(target) == name) found = target;
    });
    if (found != 0) hwy::SetSupportedTargetsForTest(hwy::SupportedTargets() & ~(found - 1));
    return found != 0;
}

void use_best_instruction_set() {
    hwy::SetSupportedTargetsForTest(0);
}

}  // namespace whorl
