#include "text/printable.hpp"

#include <fmt/format.h>

#include <cstddef>
#include <cstdint>
#include <iterator>

namespace whorl {
namespace {

struct CodePoint {
    std::uint32_t value = 0;
    std::size_t num_bytes = 0;  ///< 0: not UTF-8
};

// The first character of `text`, by the table of well-formed sequences in the Unicode standard.
CodePoint first_code_point(std::string_view text) {
    const auto byte = [&](std::size_t i) { return static_cast<std::uint32_t>(static_cast<unsigned char>(text[i])); };
    const std::uint32_t lead = byte(0);
    if (lead < 0x80) return {lead, 1};
    const std::size_t num_bytes = lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0;
    if (num_bytes == 0 || text.size() < num_bytes) return {};
    std::uint32_t value = lead & (0x7fU >> num_bytes);
    for (std::size_t i = 1; i < num_bytes; ++i) {
        if ((byte(i) & 0xc0U) != 0x80U) return {};
        value = (value << 6) | (byte(i) & 0x3fU);
    }
    const bool is_overlong = (num_bytes == 3 && value < 0x800) || (num_bytes == 4 && value < 0x10000);
    const bool is_surrogate = value >= 0xd800 && value < 0xe000;
    if (is_overlong || is_surrogate || value > 0x10ffff) return {};
    return {value, num_bytes};
}

// C0 and C1 controls, marks without width, line separators and what reverses the direction of text.
bool is_hidden(std::uint32_t c) {
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
           (c >= 0x2060 && c <= 0x206f) || c == 0xfeff;
}

std::string escape(std::string_view text, bool keeps_newlines) {
    std::string escaped;
    escaped.reserve(text.size());
    while (!text.empty()) {
        const CodePoint c = first_code_point(text);
        const std::string_view bytes = text.substr(0, c.num_bytes == 0 ? 1 : c.num_bytes);
        text.remove_prefix(bytes.size());
        if (c.num_bytes != 0 && (!is_hidden(c.value) || (c.value == '\n' && keeps_newlines))) {
            escaped += bytes;
            continue;
        }
        for (const char byte : bytes) {
            fmt::format_to(std::back_inserter(escaped), "\\x{:02x}", static_cast<unsigned char>(byte));
        }
    }
    return escaped;
}

}  // namespace

std::string printable(std::string_view text) {
    return escape(text, /*keeps_newlines=*/false);
}

std::vector<std::string> printable_names(std::span<const std::string> names) {
    std::vector<std::string> out;
    out.reserve(names.size());
    for (const std::string& name : names) out.push_back(printable(name));
    return out;
}

std::string printable_lines(std::string_view text) {
    return escape(text, /*keeps_newlines=*/true);
}

}  // namespace whorl
