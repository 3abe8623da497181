// Matrix of whorl/trace.hpp: what is not safe to make is not made.
#include <whorl/trace.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <new>
#include <stdexcept>

#include "machine/guard.hpp"
#include "machine/pages.hpp"

namespace whorl {
namespace {

// width · height, or the largest number there is where that is more.
std::size_t num_elements(std::size_t width, std::size_t height) {
    constexpr std::size_t kMax = std::numeric_limits<std::size_t>::max();
    return height != 0 && width > kMax / height ? kMax : width * height;
}

// Whether the elements can be at `place`. Errors: kInvalidArgument.
Result<void> check_place(const void* place, std::size_t width, std::size_t height) {
    const std::size_t n = num_elements(width, height);
    if (place == nullptr && n != 0) {
        return Error{ErrorCode::kInvalidArgument, "matrix",
                     fmt::format("expected {} columns of {} elements, found a null pointer", width, height)};
    }
    if (n > std::numeric_limits<std::size_t>::max() / sizeof(Fp)) {
        return Error{ErrorCode::kInvalidArgument, "matrix",
                     fmt::format("{} columns of {} elements are more than can be addressed", width, height)};
    }
    if (reinterpret_cast<std::uintptr_t>(place) % sizeof(Fp) != 0) {
        return Error{ErrorCode::kInvalidArgument, "matrix",
                     fmt::format("expected an address that {} divides, found {}", sizeof(Fp), place)};
    }
    return {};
}

// The common length of `lines`, which are all "row" or all "column". Errors: kInvalidArgument.
Result<std::size_t> common_length(const std::vector<std::vector<Fp>>& lines, std::string_view what,
                                  std::string_view elements) {
    const std::size_t length = lines.empty() ? 0 : lines.front().size();
    for (std::size_t i = 0; i < lines.size(); ++i) {
        if (lines[i].size() == length) continue;
        return Error{
            ErrorCode::kInvalidArgument, "matrix",
            fmt::format("{} {} has {} {}, expected {} as in {} 0", what, i, lines[i].size(), elements, length, what)};
    }
    return length;
}

}  // namespace

Matrix::Matrix(std::size_t width, std::size_t height) noexcept {
    try {
        const std::size_t n = num_elements(width, height);
        values_.reserve(n);
        advise_huge_pages(values_.data(), n * sizeof(Fp));
        values_.resize(n);
        data_ = values_.data();
        width_ = width;
        height_ = height;
    } catch (...) {  // std::bad_alloc, std::length_error
        problem_ = Problem::kNoMemory;
    }
}

Matrix::Matrix(std::vector<Fp> values, std::size_t width, std::size_t height) noexcept {
    if (values.size() != num_elements(width, height)) {
        problem_ = Problem::kValueCount;
        return;
    }
    values_ = std::move(values);
    data_ = values_.data();
    width_ = width;
    height_ = height;
}

Result<Matrix> Matrix::create(std::size_t width, std::size_t height) noexcept {
    return guarded("matrix", [&]() -> Result<Matrix> {
        Matrix matrix(width, height);
        if (matrix.is_valid()) return matrix;
        return Error{ErrorCode::kMachine, "matrix",
                     fmt::format("not enough memory for {} columns of {} elements", width, height)};
    });
}

Result<Matrix> Matrix::create(std::vector<Fp> values, std::size_t width, std::size_t height) noexcept {
    return guarded("matrix", [&]() -> Result<Matrix> {
        const std::size_t found = values.size();
        Matrix matrix(std::move(values), width, height);
        if (matrix.is_valid()) return matrix;
        return Error{
            ErrorCode::kInvalidArgument, "matrix",
            fmt::format("expected the values of {} columns of {} elements, found {} value(s)", width, height, found)};
    });
}

Result<Matrix> Matrix::borrow(const Fp* values, std::size_t width, std::size_t height) noexcept {
    return guarded("matrix", [&]() -> Result<Matrix> {
        if (auto ok = check_place(values, width, height); !ok) return std::move(ok).error();
        Matrix matrix;
        matrix.data_ = const_cast<Fp*>(values);  // read alone, says the contract
        matrix.width_ = width;
        matrix.height_ = height;
        return matrix;
    });
}

Result<Matrix> Matrix::on_device(const DeviceMemory& memory, std::size_t width, std::size_t height) noexcept {
    return guarded("matrix", [&]() -> Result<Matrix> {
        if (auto ok = check_place(memory.words, width, height); !ok) return std::move(ok).error();
        Matrix matrix;
        matrix.height_ = height;
        if (height == 0) {
            matrix.width_ = width;  // no element, so nowhere
            return matrix;
        }
        matrix.device_memory_ = memory;
        matrix.device_width_ = width;
        return matrix;
    });
}

Result<Matrix> Matrix::from_rows(const std::vector<std::vector<Fp>>& rows) noexcept {
    return guarded("matrix", [&]() -> Result<Matrix> {
        const Result<std::size_t> width = common_length(rows, "row", "columns");
        if (!width) return width.error();
        Result<Matrix> matrix = create(*width, rows.size());
        if (!matrix) return matrix;
        for (std::size_t c = 0; c < *width; ++c) {
            const std::span<Fp> column = matrix->column(c);
            for (std::size_t row = 0; row < rows.size(); ++row) column[row] = rows[row][c];
        }
        return matrix;
    });
}

Result<Matrix> Matrix::from_columns(const std::vector<std::vector<Fp>>& columns) noexcept {
    return guarded("matrix", [&]() -> Result<Matrix> {
        const Result<std::size_t> height = common_length(columns, "column", "rows");
        if (!height) return height.error();
        Result<Matrix> matrix = create(columns.size(), *height);
        if (!matrix) return matrix;
        for (std::size_t c = 0; c < columns.size(); ++c) std::ranges::copy(columns[c], matrix->column(c).begin());
        return matrix;
    });
}

Matrix::Matrix(const Matrix& other)
    : values_(other.values_),
      data_(other.values_.empty() ? other.data_ : values_.data()),
      device_memory_(other.device_memory_),
      width_(other.width_),
      device_width_(other.device_width_),
      height_(other.height_),
      problem_(other.problem_) {}

void Matrix::end_outside(std::size_t row, std::size_t c) const noexcept {
    if (is_on_device()) {
        std::fprintf(stderr, "whorl: row %zu of column %zu was asked for of a Matrix in a device's memory\n", row, c);
        std::abort();
    }
    std::fprintf(stderr, "whorl: row %zu of column %zu was asked for of a Matrix of %zu column(s) and %zu row(s)\n",
                 row, c, width_, height_);
    std::abort();
}

std::string_view Matrix::problem() const {
    switch (problem_) {
        case Problem::kValueCount:
            return "was made from a number of values other than width · height";
        case Problem::kNoMemory:
            return "was made without enough memory for its values";
        case Problem::kNone:
            break;
    }
    return {};
}

}  // namespace whorl
