// JSON from outside: parsed without recursion, with bounds on depth and size, and each key of an object once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>

#include <whorl/error.hpp>

namespace whorl {

/// Objects are balanced trees: reading n keys takes n · log n steps.
using Json = nlohmann::json;

/// Objects and arrays inside each other; no document that whorl reads has more than 6.
inline constexpr std::size_t kMaxJsonDepth = 16;

/// Parses `text`; `where` names the document in messages, which go on with the path inside it, as in "task.json/airs/3".
/// Errors: kBadFormat for text that is not JSON (with line and column), values nested deeper than kMaxJsonDepth, a key that
/// an object has twice. The stage is `stage`.
Result<Json> parse_json(std::string_view text, std::string_view stage, std::string_view where);

}  // namespace whorl
