#include "text/json.hpp"

#include <fmt/format.h>

#include <utility>
#include <vector>

#include "text/printable.hpp"

namespace whorl {
namespace {

// No more of a text than tells the place.
std::string shortened(std::string_view text) {
    constexpr std::size_t kMaxBytes = 160;
    return printable(text.substr(0, kMaxBytes)) + (text.size() > kMaxBytes ? "…" : "");
}

// The library's message without its tag.
std::string syntax_message(std::string_view what) {
    if (const std::size_t tag = what.find("] "); what.starts_with('[') && tag != std::string_view::npos) {
        what.remove_prefix(tag + 2);
    }
    constexpr std::string_view kNoise = "parse error at ";
    if (what.starts_with(kNoise)) what.remove_prefix(kNoise.size());
    return shortened(what);
}

// Leaves nothing inside `node`, from the leaves up: an empty array or object is destroyed without a stack of the library's.
void dismantle(Json& node) noexcept {
    if (!node.is_structured()) return;
    for (Json& child : node) dismantle(child);
    node.clear();
}

/// Receives the events of the library's parser, which keeps no stack of calls, and builds the tree.
class TreeBuilder {
public:
    // NOLINTBEGIN(readability-identifier-naming): the library asks for these names
    using number_integer_t = Json::number_integer_t;
    using number_unsigned_t = Json::number_unsigned_t;
    using number_float_t = Json::number_float_t;
    using string_t = Json::string_t;
    using binary_t = Json::binary_t;
    // NOLINTEND(readability-identifier-naming)

    explicit TreeBuilder(std::string_view where) : where_(where) {}

    bool null() { return add(nullptr); }
    bool boolean(bool value) { return add(value); }
    bool number_integer(number_integer_t value) { return add(value); }
    bool number_unsigned(number_unsigned_t value) { return add(value); }
    bool number_float(number_float_t value, const string_t& /*text*/) { return add(value); }
    bool string(string_t& value) { return add(std::move(value)); }
    bool binary(binary_t& value) { return add(std::move(value)); }
    bool start_object(std::size_t /*size*/) { return open(Json::object()); }
    bool start_array(std::size_t /*size*/) { return open(Json::array()); }
    bool end_object() { return close(); }
    bool end_array() { return close(); }
    bool key(string_t& name) {
        Frame& frame = frames_.back();
        if (frame.node->contains(name)) {
            frame.key = nullptr;
            problem_ = fmt::format("{} has \"{}\" twice", place(), shortened(name));
            return false;
        }
        frame.key = &(*frame.node)[name];
        frame.name = std::move(name);
        return true;
    }
    bool parse_error(std::size_t /*position*/, const std::string& /*token*/, const nlohmann::detail::exception& error) {
        problem_ = fmt::format("{} is not JSON: {}", where_, syntax_message(error.what()));
        return false;
    }

    const std::string& problem() const { return problem_; }
    JsonDocument take() { return std::move(document_); }

private:
    struct Frame {
        Json* node = nullptr;
        Json* key = nullptr;  ///< objects: the value that comes next
        string_t name;        ///< of that value
    };

    Json* put(Json value) {
        if (frames_.empty()) {
            document_.root() = std::move(value);
            return &document_.root();
        }
        Frame& frame = frames_.back();
        if (frame.node->is_array()) {
            frame.node->push_back(std::move(value));
            return &frame.node->back();
        }
        *frame.key = std::move(value);
        return frame.key;
    }
    bool add(Json value) {
        put(std::move(value));
        return true;
    }
    bool open(Json value) {
        if (frames_.size() == kMaxJsonDepth) {
            problem_ = fmt::format("{} is nested deeper than {} levels", place(), kMaxJsonDepth);
            return false;
        }
        frames_.push_back({.node = put(std::move(value)), .key = nullptr, .name = {}});
        return true;
    }
    bool close() {
        frames_.pop_back();
        return true;
    }
    // Of the innermost open object, or of the element of the innermost array that comes next.
    std::string place() const {
        std::string text(where_);
        for (const Frame& frame : frames_) {
            if (frame.node->is_array()) {
                const bool is_innermost = &frame == &frames_.back();
                text += fmt::format("/{}", is_innermost ? frame.node->size() : frame.node->size() - 1);
            } else if (frame.key != nullptr) {
                text += fmt::format("/{}", shortened(frame.name));
            }
        }
        return text;
    }

    std::string_view where_;
    JsonDocument document_;
    std::vector<Frame> frames_;
    std::string problem_;
};

}  // namespace

JsonDocument& JsonDocument::operator=(JsonDocument&& other) noexcept {
    std::swap(root_, other.root_);
    return *this;
}

JsonDocument::~JsonDocument() {
    dismantle(root_);
}

Result<JsonDocument> parse_json(std::string_view text, std::string_view stage, std::string_view where) {
    // The library takes NUL for the end of its input.
    if (const std::size_t at = text.find('\0'); at != std::string_view::npos) {
        return Error{.code = ErrorCode::kBadFormat,
                     .stage = std::string(stage),
                     .message = fmt::format("{} is not JSON: byte {} is NUL", where, at)};
    }
    TreeBuilder builder(where);
    if (Json::sax_parse(text.begin(), text.end(), &builder)) return builder.take();
    return Error{.code = ErrorCode::kBadFormat, .stage = std::string(stage), .message = builder.problem()};
}

}  // namespace whorl
