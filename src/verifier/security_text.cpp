#include "verifier/security_text.hpp"

#include <fmt/format.h>

#include <cmath>

namespace whorl {

std::string bits_text(double bits) {
    if (std::isinf(bits)) return bits > 0 ? "-" : "none";
    return fmt::format("{:.2f}", std::floor(bits * 100) / 100);
}

}  // namespace whorl
