// Why a proof is rejected, for a person.
#pragma once

#include <string>

#include <whorl/verify.hpp>

namespace whorl::cli {

/// One line: stage, place, expected and found, as far as they are known.
inline std::string describe(const VerifyError& error) {
    std::string text = error.stage;
    if (!error.place.empty()) text += ": " + error.place;
    if (!error.expected.empty()) text += ": expected " + error.expected;
    if (!error.found.empty()) text += (error.expected.empty() ? ": found " : ", found ") + error.found;
    return text;
}

}  // namespace whorl::cli
