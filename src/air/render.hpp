// Expressions of a key for people to read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <whorl/key.hpp>

namespace whorl {

/// "main[3]", "next cached0[1]", "preprocessed[0]", "public[2]".
std::string variable_name(const AirVerifyingKey& air, const Variable& variable);

/// A number between −p/2 and p/2.
std::string signed_value(Fp value);

/// Node `root` as a formula of at most about `max_length` characters; what does not fit becomes "…".
std::string render_expression(const AirVerifyingKey& air, std::uint32_t root, std::size_t max_length = 400);

/// The variables that node `root` depends on, in node order.
std::vector<Variable> variables_of(const AirVerifyingKey& air, std::uint32_t root);

}  // namespace whorl
