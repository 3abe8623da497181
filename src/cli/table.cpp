#include "cli/table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>

namespace whorl::cli {

std::string Table::text() const {
    std::vector<std::size_t> widths;
    bool has_titles = false;
    for (const Column& column : columns_) {
        widths.push_back(column.title.size());
        has_titles = has_titles || !column.title.empty();
    }
    for (const auto& row : rows_) {
        for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
    }

    std::string text;
    const auto add_line = [&](const auto& cell_of) {
        std::string line;
        for (std::size_t i = 0; i < columns_.size(); ++i) {
            line += columns_[i].align == Align::kLeft ? fmt::format("  {:<{}}", cell_of(i), widths[i])
                                                      : fmt::format("  {:>{}}", cell_of(i), widths[i]);
        }
        line.erase(line.find_last_not_of(' ') + 1);
        text += line + '\n';
    };
    if (has_titles) add_line([&](std::size_t i) { return columns_[i].title; });
    for (const auto& row : rows_) add_line([&](std::size_t i) { return row[i]; });
    return text;
}

std::string grouped(std::uint64_t number) {
    const std::string digits = fmt::to_string(number);
    std::string text;
    for (std::size_t i = 0; i < digits.size(); ++i) {
        if (i > 0 && (digits.size() - i) % 3 == 0) text += ',';
        text += digits[i];
    }
    return text;
}

std::string digest_text(const Digest& digest) {
    std::string text;
    for (const Fp x : digest) text += fmt::format("{:08x}", x.canonical());
    return text;
}

}  // namespace whorl::cli
