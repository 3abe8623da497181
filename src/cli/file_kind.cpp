#include "cli/file_kind.hpp"

#include <fmt/format.h>

#include <algorithm>

#include <whorl/key.hpp>
#include <whorl/proof.hpp>

#include "text/json.hpp"
#include "text/printable.hpp"

namespace whorl::cli {
namespace {

std::string_view kind_of_json(const Json& json) {
    if (!json.is_object()) return "JSON";
    if (json.contains("num_airs") || json.contains("vk_pre_hash")) return "task.json";
    if (json.contains("kind") && json.contains("prove_ms")) return "results of whorl bench";
    if (json.contains("format")) return "a statement";
    return "JSON";
}

bool is_text(std::string_view text) {
    const std::string_view start = text.substr(0, 256);
    return std::ranges::all_of(start,
                               [](char c) { return c == '\n' || c == '\r' || c == '\t' || (c >= ' ' && c <= '~'); });
}

}  // namespace

std::string_view look_at_kind(std::span<const std::byte> bytes) {
    constexpr std::size_t kMaxTextBytes = std::size_t{1} << 24;  // no JSON file of whorl is longer
    if (bytes.empty()) return "an empty file";
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    if (bytes.size() <= kMaxTextBytes && (text.starts_with('{') || text.starts_with('['))) {
        // Results of whorl bench are a document a line.
        for (const std::string_view part : {text, text.substr(0, text.find('\n'))}) {
            if (const auto parsed = parse_json(part, "", ""); parsed) return kind_of_json(parsed->root());
        }
    }
    if (decode_verifying_key(bytes)) return "a verifying key";
    if (decode_proof(bytes)) return "a proof";
    return is_text(text) ? "text" : std::string_view();
}

Error with_kind(Error error, std::span<const std::byte> bytes, std::string_view expected) {
    if (error.code != ErrorCode::kBadFormat) return error;
    const std::string_view kind = look_at_kind(bytes);
    if (kind.empty() || kind == expected) return error;
    error.message += fmt::format("; expected {}, this is {}", expected, kind);
    return error;
}

}  // namespace whorl::cli
