// Values that more than one JSON file of whorl holds: how they are read, with their place in every message, and written.
#pragma once

#include <fmt/format.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <whorl/error.hpp>
#include <whorl/field.hpp>
#include <whorl/notes.hpp>
#include <whorl/params.hpp>

#include "text/json.hpp"
#include "text/json_writer.hpp"

namespace whorl {

/// Carries an Error out of nested reading.
struct JsonFault {
    Error error;
};

template <class... Args>
[[noreturn]] void json_fail(std::string_view stage, ErrorCode code, fmt::format_string<Args...> format,
                            Args&&... args) {
    throw JsonFault{
        {.code = code, .stage = std::string(stage), .message = fmt::format(format, std::forward<Args>(args)...)}};
}

/// A value inside a document that knows its place, for messages. Its calls throw JsonFault where the value is not what
/// they read.
class JsonPlace {
public:
    /// `stage` is that of the errors; its text must outlive the place.
    JsonPlace(const Json& json, std::string place, std::string_view stage)
        : json_(json), place_(std::move(place)), stage_(stage) {}

    const std::string& place() const { return place_; }
    bool is_null() const { return json_.is_null(); }
    bool has(const char* key) const { return json_.is_object() && json_.contains(key); }
    std::size_t size() const { return json_.size(); }

    JsonPlace at(const char* key) const;
    JsonPlace at(std::size_t index) const { return {json_[index], fmt::format("{}/{}", place_, index), stage_}; }
    const JsonPlace& array() const;
    /// An object, whatever its keys.
    const JsonPlace& object() const;
    /// An object that has no other keys than these.
    const JsonPlace& object(std::span<const std::string_view> keys) const;

    template <class T>
    T number(std::uint64_t max = std::numeric_limits<T>::max()) const {
        return static_cast<T>(whole_number(max));
    }
    Fp field_element() const { return Fp::from_canonical(number<std::uint32_t>(Fp::kModulus - 1)); }
    Digest digest() const;
    bool boolean() const;
    /// A number that is not below zero, with or without a point.
    double real_number() const;
    std::string text() const;
    /// The name of a file beside the document.
    std::filesystem::path file_in(const std::filesystem::path& folder) const;

    template <class... Args>
    [[noreturn]] void fail(fmt::format_string<Args...> format, Args&&... args) const {
        json_fail(stage_, ErrorCode::kBadFormat, format, std::forward<Args>(args)...);
    }

private:
    std::uint64_t whole_number(std::uint64_t max) const;

    const Json& json_;
    std::string place_;
    std::string_view stage_;
};

/// Parameters as the published crates write them (docs/formats.md).
SystemParams params_from_json(const JsonPlace& json);
/// The member "params" of an open object.
void write_params(JsonWriter& json, const SystemParams& params);
/// The members "file" and "line", where they are known, and "label", where there is one, of an open object.
void write_note(JsonWriter& json, const SourceNote& note);
/// An array of canonical numbers, as the member `name` of an open object.
void write_elements(JsonWriter& json, std::string_view name, std::span<const Fp> elements);

}  // namespace whorl
