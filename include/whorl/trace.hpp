// Execution traces: what a prover takes in.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include <whorl/error.hpp>
#include <whorl/field.hpp>

namespace whorl {

/// A column-major matrix: column c is `height` consecutive elements.
///
/// Constructors do not throw. A matrix whose values do not fill width · height elements, or that there is no memory for, is
/// not valid: it has width and height 0, and every call that takes one says what is wrong with it. Where a size comes
/// from outside, create() says so at once.
class Matrix {
public:
    /// No column and no row.
    Matrix() = default;
    /// All elements 0.
    Matrix(std::size_t width, std::size_t height) noexcept;
    /// `values` holds width · height elements, column after column.
    Matrix(std::vector<Fp> values, std::size_t width, std::size_t height) noexcept;

    /// Errors: kMachine (not enough memory).
    static Result<Matrix> create(std::size_t width, std::size_t height) noexcept;
    /// Errors: kInvalidArgument (another number of values than width · height).
    static Result<Matrix> create(std::vector<Fp> values, std::size_t width, std::size_t height) noexcept;
    /// The matrix with these rows, `Matrix::from_rows({{a, b}, {c, d}})`, or with these columns. No row: no column.
    /// Errors: kInvalidArgument (rows, or columns, of different lengths), kMachine (not enough memory).
    static Result<Matrix> from_rows(const std::vector<std::vector<Fp>>& rows) noexcept;
    static Result<Matrix> from_columns(const std::vector<std::vector<Fp>>& columns) noexcept;

    Matrix(const Matrix&) = default;
    Matrix& operator=(const Matrix&) = default;
    /// A matrix that was moved from has no column and no row.
    Matrix(Matrix&& other) noexcept { swap(other); }
    Matrix& operator=(Matrix&& other) noexcept {
        Matrix(std::move(other)).swap(*this);
        return *this;
    }
    ~Matrix() = default;

    bool is_valid() const { return problem_ == Problem::kNone; }
    /// What is wrong with a matrix that is not valid, as the end of "the matrix …".
    std::string_view problem() const;

    std::size_t width() const { return width_; }
    std::size_t height() const { return height_; }
    /// log2(height); the height of a valid trace is a power of two. 0 without rows.
    unsigned log_height() const { return height_ == 0 ? 0 : static_cast<unsigned>(std::bit_width(height_)) - 1; }
    /// Of the next four, what lies outside the matrix ends the program with a message: a mistake of the calling code.
    std::span<Fp> column(std::size_t c) { return {values_.data() + offset_of(c), height_}; }
    std::span<const Fp> column(std::size_t c) const { return {values_.data() + offset_of(c), height_}; }
    Fp& at(std::size_t row, std::size_t c) { return values_[offset_of(row, c)]; }
    Fp at(std::size_t row, std::size_t c) const { return values_[offset_of(row, c)]; }
    std::span<Fp> values() { return values_; }
    std::span<const Fp> values() const { return values_; }

private:
    enum class Problem : std::uint8_t { kNone, kValueCount, kNoMemory };

    std::size_t offset_of(std::size_t c) const {
        if (c >= width_) end_outside(0, c);
        return c * height_;
    }
    std::size_t offset_of(std::size_t row, std::size_t c) const {
        if (c >= width_ || row >= height_) end_outside(row, c);
        return c * height_ + row;
    }
    [[noreturn]] void end_outside(std::size_t row, std::size_t c) const noexcept;
    void swap(Matrix& other) noexcept {
        std::swap(values_, other.values_);
        std::swap(width_, other.width_);
        std::swap(height_, other.height_);
        std::swap(problem_, other.problem_);
    }

    std::vector<Fp> values_;
    std::size_t width_ = 0;
    std::size_t height_ = 0;
    Problem problem_ = Problem::kNone;
};

/// One AIR's trace: all parts have the same power-of-two height. An AIR without a trace is simply not listed.
struct AirTrace {
    std::uint32_t air_id = 0;  ///< index of the AIR in the key
    Matrix common_main;        ///< width 0 (with the right height) where all columns are cached
    std::vector<Matrix> cached_mains = {};
    std::optional<Matrix> preprocessed = {};  ///< the columns committed to in the key (ProvingKey::preprocessed)
    std::vector<Fp> public_values = {};

    std::size_t height() const { return common_main.height(); }
};

}  // namespace whorl
