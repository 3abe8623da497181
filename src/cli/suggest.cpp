#include "cli/suggest.hpp"

#include <algorithm>
#include <cstddef>
#include <vector>

namespace whorl::cli {
namespace {

// Damerau and Levenshtein's distance, each place in one slip at most.
std::size_t num_slips(std::string_view a, std::string_view b) {
    std::vector<std::vector<std::size_t>> slips(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
    for (std::size_t i = 0; i <= a.size(); ++i) slips[i][0] = i;
    for (std::size_t j = 0; j <= b.size(); ++j) slips[0][j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t changed = slips[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
            slips[i][j] = std::min({slips[i - 1][j] + 1, slips[i][j - 1] + 1, changed});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                slips[i][j] = std::min(slips[i][j], slips[i - 2][j - 2] + 1);
            }
        }
    }
    return slips[a.size()][b.size()];
}

}  // namespace

std::string find_meant(std::string_view word, std::span<const std::string> names) {
    constexpr std::size_t kMaxLength = 64;  // no name is longer
    constexpr std::size_t kLettersPerSlip = 3;
    if (word.size() > kMaxLength) return {};
    std::string meant;
    std::size_t fewest = word.size() / kLettersPerSlip + 1;
    for (const std::string& name : names) {
        if (const std::size_t slips = num_slips(word, name); slips < fewest) {
            fewest = slips;
            meant = name;
        }
    }
    return meant;
}

}  // namespace whorl::cli
