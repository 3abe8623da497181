// How bits of security are shown.
#pragma once

#include <string>

namespace whorl {

/// `bits` as "102.72", rounded down: a bound that is missed by little never reads as reached. "-" where nothing can go wrong,
/// "none" where nothing holds.
std::string bits_text(double bits);

}  // namespace whorl
