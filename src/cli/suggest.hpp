// The name that was meant.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace whorl::cli {

/// The one of `names` that `word` is a few slips of the pen away from: letters left out, added, changed or swapped with their
/// neighbour, one for every three letters. Empty where there is none.
std::string find_meant(std::string_view word, std::span<const std::string> names);

}  // namespace whorl::cli
