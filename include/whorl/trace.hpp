// Execution traces: what a prover takes in.
#pragma once

#include <bit>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include <whorl/field.hpp>

namespace whorl {

/// A column-major matrix: column c is `height` consecutive elements.
class Matrix {
public:
    Matrix() = default;
    Matrix(std::size_t width, std::size_t height) : values_(width * height), width_(width), height_(height) {}
    /// `values` holds width · height elements, column after column.
    Matrix(std::vector<Fp> values, std::size_t width, std::size_t height)
        : values_(std::move(values)), width_(width), height_(height) {
        assert(values_.size() == width_ * height_);
    }

    std::size_t width() const { return width_; }
    std::size_t height() const { return height_; }
    /// log2(height); the height of a valid trace is a power of two.
    unsigned log_height() const { return static_cast<unsigned>(std::bit_width(height_)) - 1; }
    std::span<Fp> column(std::size_t c) { return {values_.data() + c * height_, height_}; }
    std::span<const Fp> column(std::size_t c) const { return {values_.data() + c * height_, height_}; }
    Fp& at(std::size_t row, std::size_t c) { return values_[c * height_ + row]; }
    Fp at(std::size_t row, std::size_t c) const { return values_[c * height_ + row]; }
    std::span<Fp> values() { return values_; }
    std::span<const Fp> values() const { return values_; }

private:
    std::vector<Fp> values_;
    std::size_t width_ = 0;
    std::size_t height_ = 0;
};

/// One AIR's trace: all parts have the same power-of-two height. An AIR without a trace is simply not listed.
struct AirTrace {
    std::uint32_t air_id = 0;  ///< index of the AIR in the key
    Matrix common_main;        ///< width 0 (with the right height) where all columns are cached
    std::vector<Matrix> cached_mains;
    std::optional<Matrix> preprocessed;  ///< the columns committed to in the key
    std::vector<Fp> public_values;

    std::size_t height() const { return common_main.height(); }
};

}  // namespace whorl
