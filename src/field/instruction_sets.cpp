#include "field/instruction_sets.hpp"

#include "field/simd.hpp"
#include "field/wide_products.hpp"

#include <hwy/targets.h>

#include <cstddef>
#include <cstdint>

namespace whorl {
namespace {

struct Set {
    std::string name;
    std::int64_t target = 0;  ///< Highway's
    bool uses_wide_products = false;
};

class Sets {
public:
    Sets() : all_(hwy::SupportedTargets()) {
        // Better ones have lower bits.
        for (std::int64_t left = all_ & HWY_TARGETS; left != 0; left &= left - 1) {
            const std::int64_t target = left & -left;
            if (target == HWY_AVX3) {
                sets_.push_back({"AVX-512", target});
                const Set wide{"AVX-512 IFMA", target, true};
                if (has_ifma()) sets_.insert(is_ifma_faster() ? sets_.begin() : sets_.end(), wide);
            } else {
                sets_.push_back({target == HWY_EMU128 ? "plain C++" : hwy::TargetName(target), target});
            }
        }
        use_best();
    }
    // The one in use and those behind it.
    std::vector<std::string> names() const {
        std::vector<std::string> names;
        for (std::size_t i = in_use_; i < sets_.size(); ++i) names.push_back(sets_[i].name);
        return names;
    }
    bool use(std::string_view name) {
        for (std::size_t i = in_use_; i < sets_.size(); ++i) {
            if (sets_[i].name != name) continue;
            set(i);
            hwy::SetSupportedTargetsForTest(all_ & ~(sets_[i].target - 1));
            return true;
        }
        return false;
    }
    void use_best() {
        set(0);
        hwy::SetSupportedTargetsForTest(0);
    }

private:
    void set(std::size_t i) {
        in_use_ = i;
        uses_wide_products() = sets_[i].uses_wide_products;
    }

    std::int64_t all_;
    std::vector<Set> sets_;
    std::size_t in_use_ = 0;
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

}  // namespace whorl
