// Aligned tables and numbers for people.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <whorl/field.hpp>

#include "machine/memory.hpp"
#include "verifier/security_text.hpp"

namespace whorl::cli {

enum class Align : std::uint8_t { kLeft, kRight };

/// Rows of ASCII cells; every row must have as many as there are columns.
class Table {
public:
    struct Column {
        std::string title;
        Align align = Align::kRight;
    };

    explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}
    void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
    /// The title line (unless all titles are empty) and the rows, each indented by two and ended by a newline.
    std::string text() const;

private:
    std::vector<Column> columns_;
    std::vector<std::vector<std::string>> rows_;
};

/// 859137 -> "859,137".
std::string grouped(std::uint64_t number);
/// 64 hexadecimal digits, 8 an element.
std::string digest_text(const Digest& digest);
using whorl::human_bytes;

}  // namespace whorl::cli
