// Statements as JSON files (docs/formats.md), for `whorl verify --expect` and `--statement-out`.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <whorl/error.hpp>
#include <whorl/statement.hpp>

#include "engine/files.hpp"
#include "text/json_writer.hpp"

namespace whorl {

inline constexpr ReadLimit kStatementLimit{.max_bytes = std::uint64_t{1} << 24, .content = "a statement"};

/// The statement of a file with this text; what it leaves out is as in a new Statement. A field that the format does not have
/// is an error, so that no part is left out by a wrong name. `where` names the file in messages.
/// Errors: kBadFormat, with the place in the file; kMachine (memory).
Result<Statement> parse_statement(std::string_view text, std::string_view where) noexcept;

/// Writes the object of such a file. Precondition: no height of 2^64 and more.
void write_statement(JsonWriter& json, const Statement& statement);
/// The text of a file that reads back as `statement`. Errors: kInvalidArgument for a height of 2^64 and more; kMachine
/// (memory).
Result<std::string> statement_text(const Statement& statement) noexcept;

}  // namespace whorl
