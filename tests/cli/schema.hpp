// The part of JSON Schema that docs/task.schema.json and docs/notes.schema.json use.
#pragma once

#include <algorithm>
#include <cstddef>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include <nlohmann/json.hpp>

namespace whorl::test {

/// Whether a document is as a schema says. Throws for a keyword that it does not know, so that no rule is passed over.
class Schema {
public:
    using Json = nlohmann::json;

    explicit Schema(Json root) : root_(std::move(root)) {}
    bool accepts(const Json& document) const { return accepts(root_, document); }

private:
    bool accepts(const Json& schema, const Json& value) const {
        for (const auto& [keyword, rule] : schema.items()) {
            if (!holds(keyword, rule, schema, value)) return false;
        }
        return true;
    }
    bool holds(const std::string& keyword, const Json& rule, const Json& schema, const Json& value) const {
        if (keyword == "$schema" || keyword == "title" || keyword == "description" || keyword == "$defs") return true;
        if (keyword == "$ref") return accepts(root_.at(Json::json_pointer(rule.get<std::string>().substr(1))), value);
        if (keyword == "type") return has_type(rule.get<std::string>(), value);
        if (keyword == "const") return value == rule;
        if (keyword == "enum") return std::find(rule.begin(), rule.end(), value) != rule.end();
        if (keyword == "not") return !accepts(rule, value);
        if (keyword == "oneOf") {
            return std::count_if(rule.begin(), rule.end(), [&](const Json& one) { return accepts(one, value); }) == 1;
        }
        if (keyword == "minimum") return !value.is_number() || value >= rule;
        if (keyword == "maximum") return !value.is_number() || value <= rule;
        if (keyword == "minItems") return !value.is_array() || value.size() >= rule.get<std::size_t>();
        if (keyword == "maxItems") return !value.is_array() || value.size() <= rule.get<std::size_t>();
        if (keyword == "items") {
            return !value.is_array() ||
                   std::all_of(value.begin(), value.end(), [&](const Json& item) { return accepts(rule, item); });
        }
        if (keyword == "required") {
            return !value.is_object() || std::all_of(rule.begin(), rule.end(), [&](const Json& key) {
                return value.contains(key.get<std::string>());
            });
        }
        if (keyword == "properties") return properties_hold(rule, value);
        if (keyword == "pattern") {
            if (rule.get<std::string>() != kFilePattern)
                throw std::runtime_error("another pattern than " + std::string(kFilePattern));
            if (!value.is_string()) return true;
            const auto text = value.get<std::string>();
            return !text.empty() && text.find_first_of(std::string_view("/\0", 2)) == std::string::npos;
        }
        throw std::runtime_error("unknown keyword " + keyword + " in " + schema.dump());
    }
    bool properties_hold(const Json& properties, const Json& value) const {
        if (!value.is_object()) return true;
        for (const auto& [name, schema] : properties.items()) {
            const auto at = value.find(name);
            if (at != value.end() && !accepts(schema, *at)) return false;
        }
        return true;
    }
    static bool has_type(const std::string& type, const Json& value) {
        if (type == "object") return value.is_object();
        if (type == "array") return value.is_array();
        if (type == "string") return value.is_string();
        if (type == "integer") return value.is_number_integer();
        if (type == "null") return value.is_null();
        throw std::runtime_error("unknown type " + type);
    }

    static constexpr std::string_view kFilePattern = R"(^[^/\u0000]+$)";
    Json root_;
};

}  // namespace whorl::test
