// Columns as a task's files hold them: little-endian u32, column after column.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include <whorl/error.hpp>
#include <whorl/trace.hpp>

#include "cli/session.hpp"

namespace whorl::cli {

std::vector<std::byte> matrix_bytes(const Matrix& matrix);

/// Reads a file of `width` columns; its size tells the height. Errors: those of reading; kBadFormat where the size is no
/// multiple of a row's or a value is not below p; kMachine (memory).
Result<Matrix> read_matrix(const Session& session, const std::string& path, std::size_t width);

}  // namespace whorl::cli
