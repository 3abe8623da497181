#include "text/json_writer.hpp"

#include <fmt/format.h>

#include <iterator>
#include <nlohmann/json.hpp>

namespace whorl {

void JsonWriter::open(char bracket) {
    text_ += bracket;
    has_items_.push_back(false);
}

void JsonWriter::close(char bracket) {
    const bool has_items = has_items_.back();
    has_items_.pop_back();
    if (has_items) new_line();
    text_ += bracket;
}

void JsonWriter::item() {
    if (has_items_.back()) text_ += is_one_line_ ? ", " : ",";
    has_items_.back() = true;
    new_line();
}

void JsonWriter::key(std::string_view name) {
    item();
    value(name);
    text_ += ": ";
}

// Single values are the library's: escapes, and the shortest text of a double.
void JsonWriter::value(std::string_view text) {
    text_ += nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

void JsonWriter::value(double number) {
    text_ += nlohmann::json(number).dump();
}

void JsonWriter::integer(std::int64_t number) {
    fmt::format_to(std::back_inserter(text_), "{}", number);
}

void JsonWriter::natural(std::uint64_t number) {
    fmt::format_to(std::back_inserter(text_), "{}", number);
}

void JsonWriter::new_line() {
    if (is_one_line_) return;
    text_ += '\n';
    text_.append(indent_ * has_items_.size(), ' ');
}

}  // namespace whorl
