#include "cli/help.hpp"

namespace whorl::cli {
namespace {

// Columns, not bytes: a character of UTF-8 has one byte that does not continue another.
std::size_t num_columns(std::string_view text) {
    return static_cast<std::size_t>(
        std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U; }));
}

// The last space at which `line` can end within the limit; npos where its first word is too long already.
std::size_t last_break(std::string_view line, std::size_t indent) {
    std::size_t end = std::string_view::npos;
    for (std::size_t space = line.find(' ', indent); space != std::string_view::npos;
         space = line.find(' ', space + 1)) {
        if (num_columns(line.substr(0, space)) > kMaxHelpColumns) break;
        end = space;
    }
    return end;
}

}  // namespace

std::string wrap_help(std::string_view text) {
    std::string wrapped;
    while (!text.empty()) {
        std::string line(text.substr(0, text.find('\n')));
        text.remove_prefix(std::min(line.size() + 1, text.size()));
        const std::size_t own_indent = std::min(line.find_first_not_of(' '), line.size());
        const bool is_option = line.starts_with("  -");
        const std::size_t indent = is_option ? kHelpColumn : own_indent;
        for (std::size_t start = own_indent; num_columns(line) > kMaxHelpColumns; start = indent) {
            const std::size_t end = last_break(line, start);
            if (end == std::string::npos) break;
            wrapped += line.substr(0, end) + '\n';
            line = std::string(indent, ' ') + line.substr(end + 1);
            // The rest goes on with the next line of its paragraph.
            if (own_indent > 0 || num_columns(line) > kMaxHelpColumns || text.empty()) continue;
            if (text.front() == ' ' || text.front() == '\n') continue;
            const std::size_t next_end = std::min(text.find('\n'), text.size());
            line += ' ' + std::string(text.substr(0, next_end));
            text.remove_prefix(std::min(next_end + 1, text.size()));
        }
        wrapped += line + '\n';
    }
    return wrapped;
}

}  // namespace whorl::cli
