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

/// A parsed text. It is destroyed without taking memory, which the library's own tree is not.
class JsonDocument {
public:
    JsonDocument() = default;
    JsonDocument(JsonDocument&& other) noexcept = default;
    JsonDocument& operator=(JsonDocument&& other) noexcept;
    JsonDocument(const JsonDocument&) = delete;
    JsonDocument& operator=(const JsonDocument&) = delete;
    ~JsonDocument();

    const Json& root() const { return root_; }
    Json& root() { return root_; }

private:
    Json root_;  // at most kMaxJsonDepth deep
};

/// Parses `text`; `where` names the document in messages, which go on with the path inside it, as in "task.json/airs/3".
/// Errors: kBadFormat for text that is not JSON (with line and column), values nested deeper than kMaxJsonDepth, a key that
/// an object has twice. The stage is `stage`.
Result<JsonDocument> parse_json(std::string_view text, std::string_view stage, std::string_view where);

}  // namespace whorl
