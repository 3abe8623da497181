// Statements as JSON files (docs/formats.md), for `whorl verify --expect` and `--statement-out`.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include <whorl/error.hpp>
#include <whorl/statement.hpp>

namespace whorl {

/// Reads a statement; what the file leaves out is as in a new Statement. A field that the format does not have is an error, so
/// that no part is left out by a wrong name.
/// Errors: kIo; kBadFormat, with the place in the file; kMachine (memory).
Result<Statement> read_statement(const std::filesystem::path& path) noexcept;

/// The text of a file that reads back as `statement`. Errors: kInvalidArgument for a height of 2^64 and more; kMachine
/// (memory).
Result<std::string> statement_text(const Statement& statement) noexcept;

}  // namespace whorl
