// All public calls, for tests that take memory or threads away from each.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <whorl/error.hpp>

namespace whorl::test {

/// How a call ended: nothing for success.
using Outcome = std::optional<ErrorCode>;

struct PublicCall {
    std::string name;
    std::function<Outcome()> run;
    /// At most so many failing allocations are tried, evenly spread over those that the call makes.
    unsigned num_probes = 40;
};

/// Their inputs are made by the first call, and kept.
const std::vector<PublicCall>& public_calls();

}  // namespace whorl::test
