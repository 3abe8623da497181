#include "field/instruction_sets.hpp"

#define WHORL_WITH_IFMA
#include "field/simd.hpp"

#include <hwy/targets.h>

#if HWY_ARCH_X86
#include <cpuid.h>
#endif

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace whorl {
namespace {

std::string name_of(std::int64_t target) {
    if (target == HWY_AVX3_DL) return "AVX-512 IFMA";
    if (target == HWY_AVX3) return "AVX-512";
    return target == HWY_EMU128 ? "plain C++" : hwy::TargetName(target);
}

// Whether 52-bit products pay. They take fewer instructions, most of them multiplications. AMD's Zen 5 (family 26) and later start four
// vector instructions in a cycle, of which two may be multiplications, and gain nothing from fewer additions; where two start, IFMA wins
// (docs/performance.md).
bool is_ifma_faster() {
#if HWY_ARCH_X86
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

class Sets {
public:
    Sets() : all_(hwy::SupportedTargets()) {
        // Better ones have lower bits.
        for (std::int64_t left = all_ & HWY_TARGETS; left != 0; left &= left - 1) targets_.push_back(left & -left);
        if (targets_.front() == HWY_AVX3_DL && !is_ifma_faster()) std::swap(targets_[0], targets_[1]);
        use_best();
    }
    // The one in use and those behind it.
    std::vector<std::string> names() const {
        std::vector<std::string> names;
        for (std::size_t i = in_use_; i < targets_.size(); ++i) names.push_back(name_of(targets_[i]));
        return names;
    }
    bool use(std::string_view name) {
        for (std::size_t i = in_use_; i < targets_.size(); ++i) {
            if (name_of(targets_[i]) != name) continue;
            set(i);
            hwy::SetSupportedTargetsForTest(all_ & ~(targets_[i] - 1));
            return true;
        }
        return false;
    }
    void use_best() {
        set(0);
        hwy::SetSupportedTargetsForTest(0);
    }
    bool uses_ifma() const { return uses_ifma_; }

private:
    void set(std::size_t i) {
        in_use_ = i;
        uses_ifma_ = targets_[i] == HWY_AVX3_DL;
    }

    std::int64_t all_;
    std::vector<std::int64_t> targets_;
    std::size_t in_use_ = 0;
    bool uses_ifma_ = false;
};

Sets& sets() {
    static Sets sets;
    return sets;
}

}  // namespace

std::vector<std::string> usable_instruction_sets() {
    return sets().names();
}

bool use_instruction_set(std::string_view name) {
    return sets().use(name);
}

void use_best_instruction_set() {
    sets().use_best();
}

bool uses_wide_products() {
    return sets().uses_ifma();
}

}  // namespace whorl
