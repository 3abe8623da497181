// Execution traces: what a prover takes in.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <whorl/device_types.hpp>
#include <whorl/error.hpp>
#include <whorl/field.hpp>
#include <whorl/params.hpp>

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

    /// The width · height elements at `values`, column after column, where they are. They must stay, unchanged, while the matrix or
    /// a copy of it is used: copies are of the place. Only read it: what changes an element changes it there.
    /// Errors: kInvalidArgument (null with elements to come, not a multiple of 4 bytes).
    static Result<Matrix> borrow(const Fp* values, std::size_t width, std::size_t height) noexcept;
    /// The width · height elements (Montgomery words) at memory.words, column after column, where they are, for provers on
    /// that GPU: they are neither copied nor brought over. A proof waits on the device for the work that memory.stream has
    /// been given by the time of the call, and has read everything when the call returns. They must stay, unchanged,
    /// meanwhile. Elements are not to be had on the host: values() is empty, column() and at() end the program.
    /// Errors: kInvalidArgument (null with elements to come, not a multiple of 4 bytes).
    static Result<Matrix> on_device(const DeviceMemory& memory, std::size_t width, std::size_t height) noexcept;

    Matrix(const Matrix& other);
    Matrix& operator=(const Matrix& other) {
        Matrix(other).swap(*this);
        return *this;
    }
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

    std::size_t width() const { return width_ + device_width_; }
    std::size_t height() const { return height_; }
    /// log2(height); the height of a valid trace is a power of two. 0 without rows.
    unsigned log_height() const { return height_ == 0 ? 0 : static_cast<unsigned>(std::bit_width(height_)) - 1; }
    /// Of the next four, what lies outside the matrix ends the program with a message: a mistake of the calling code.
    std::span<Fp> column(std::size_t c) { return {data_ + offset_of(c), height_}; }
    std::span<const Fp> column(std::size_t c) const { return {data_ + offset_of(c), height_}; }
    Fp& at(std::size_t row, std::size_t c) { return data_[offset_of(row, c)]; }
    Fp at(std::size_t row, std::size_t c) const { return data_[offset_of(row, c)]; }
    std::span<Fp> values() { return {data_, width_ * height_}; }
    std::span<const Fp> values() const { return {data_, width_ * height_}; }
    /// Whether the elements are in a device's memory, and where.
    bool is_on_device() const { return device_width_ != 0; }
    const DeviceMemory& device_memory() const { return device_memory_; }

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
        std::swap(data_, other.data_);
        std::swap(device_memory_, other.device_memory_);
        std::swap(width_, other.width_);
        std::swap(device_width_, other.device_width_);
        std::swap(height_, other.height_);
        std::swap(problem_, other.problem_);
    }

    std::vector<Fp> values_;  // empty where they are borrowed
    Fp* data_ = nullptr;
    DeviceMemory device_memory_;
    std::size_t width_ = 0;         // of the columns on the host: what accessors are held to
    std::size_t device_width_ = 0;  // of those on a device; one of the two is 0
    std::size_t height_ = 0;
    Problem problem_ = Problem::kNone;
};

/// Columns with the commitment to them (PROTOCOL.md sections 9 and 10), made once by Prover::commit and used by any number of
/// proofs, as a cached or preprocessed part. Copies share all of it and nothing changes it, so that threads, provers and
/// devices may use it at the same time; it lives as long as one copy does.
class CommittedMatrix {
public:
    struct State;

    /// None: is_valid() is false, the matrix has no column and the commitment is 0.
    CommittedMatrix() = default;
    explicit CommittedMatrix(std::shared_ptr<State> state) : state_(std::move(state)) {}

    bool is_valid() const { return state_ != nullptr; }
    const Matrix& matrix() const;
    /// Those that the commitment was made with. Proofs of keys with another l_skip, n_stack, log_blowup or whir.k refuse it.
    const SystemParams& params() const;
    const Digest& commit() const;
    std::uint32_t stacking_width() const;
    State* state() const { return state_.get(); }

private:
    std::shared_ptr<State> state_;
};

/// A part of a trace with a commitment of its own: columns, which every proof commits to, or columns that are committed.
class TracePart {
public:
    TracePart() = default;
    TracePart(Matrix matrix) : columns_(std::move(matrix)) {}
    TracePart(CommittedMatrix committed) : columns_(std::move(committed)) {}

    const Matrix& matrix() const {
        const CommittedMatrix* committed = this->committed();
        return committed != nullptr ? committed->matrix() : *std::get_if<Matrix>(&columns_);
    }
    /// The columns, to change them; null for committed ones.
    Matrix* columns() { return std::get_if<Matrix>(&columns_); }
    /// Null for columns without commitment.
    const CommittedMatrix* committed() const { return std::get_if<CommittedMatrix>(&columns_); }

    // As those of matrix().
    operator const Matrix&() const { return matrix(); }
    std::size_t width() const { return matrix().width(); }
    std::size_t height() const { return matrix().height(); }
    std::span<const Fp> column(std::size_t c) const { return matrix().column(c); }
    Fp at(std::size_t row, std::size_t c) const { return matrix().at(row, c); }
    std::span<const Fp> values() const { return matrix().values(); }

private:
    std::variant<Matrix, CommittedMatrix> columns_;
};

/// One AIR's trace: all parts have the same power-of-two height. An AIR without a trace is simply not listed.
struct AirTrace {
    std::uint32_t air_id = 0;  ///< index of the AIR in the key
    Matrix common_main;        ///< width 0 (with the right height) where all columns are cached
    std::vector<TracePart> cached_mains = {};
    /// The columns committed to in the key (ProvingKey::preprocessed). A prover that was made with a ProvingKey has them.
    std::optional<TracePart> preprocessed = {};
    std::vector<Fp> public_values = {};

    std::size_t height() const { return common_main.height(); }
};

}  // namespace whorl
