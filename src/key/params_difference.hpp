// Where two sets of parameters differ, for messages.
#pragma once

#include <optional>
#include <string>

#include <whorl/params.hpp>

namespace whorl {

/// A parameter and its values; all empty where parameters differ that find_difference does not know yet.
struct ParamsDifference {
    std::string name;  ///< "whir.k"
    std::string first;
    std::string second;
};

/// The first parameter in which they differ; nothing where they are equal.
std::optional<ParamsDifference> find_difference(const SystemParams& first, const SystemParams& second);

}  // namespace whorl
