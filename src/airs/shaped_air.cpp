#include "airs/shaped_air.hpp"

#include <algorithm>
#include <span>
#include <utility>

#include "airs/zeros.hpp"
#include "threads/parallel.hpp"

namespace whorl {
namespace {

constexpr std::uint32_t kLeastColumnsWithCounter = 8;

// SplitMix64 (Steele, Lea, Flood 2014): the value at any place without those before it.
Fp random_element(std::uint64_t seed, std::uint64_t column, std::uint64_t index) {
    std::uint64_t x = seed + (column << 40) + index * 0x9e3779b97f4a7c15U;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9U;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebU;
    return Fp::from_canonical(static_cast<std::uint32_t>((x ^ (x >> 31)) % Fp::kModulus));
}

}  // namespace

ShapedAir::ShapedAir(const AirShape& shape)
    : shape_(shape),
      interactions_(shape.interactions.begin(), shape.interactions.end()),
      num_columns_(shape.common_main_width + shape.cached_width),
      has_counter_(shape.num_constraints > 0 && shape.common_main_width >= kLeastColumnsWithCounter),
      first_product_(has_counter_ ? 2 : 1) {
    // A product takes three free columns of its own or of others.
    const std::uint32_t num_paired = num_columns_ - first_product_;
    const std::uint32_t num_common = shape.common_main_width - std::min(shape.common_main_width, first_product_);
    const std::uint32_t num_wanted = shape.num_constraints - (has_counter_ ? 1 : 0);
    has_products_ = num_paired >= 4;
    num_products_ = std::min(num_wanted, has_products_ ? std::max(1U, std::min(num_common, num_paired / 2)) : 1U);
    if (num_common == 0) num_products_ = 0;
}

ShapedAir::Factors ShapedAir::factors_of(std::uint32_t index) const {
    const std::uint32_t first_free = first_product_ + num_products_, num_free = num_columns_ - first_free;
    const auto free_column = [&](std::uint32_t i) { return first_free + i % num_free; };
    return {free_column(index), free_column(index + 1), free_column(7 * index + 2)};
}

AirTrace ShapedAir::trace(std::uint32_t air_id, unsigned log_height, std::uint64_t seed) const {
    const std::size_t height = std::size_t{1} << log_height;
    AirTrace trace;
    trace.air_id = air_id;
    trace.common_main = zeros(shape_.common_main_width, height);
    Matrix cached = shape_.cached_width == 0 ? Matrix() : zeros(shape_.cached_width, height);
    const auto column = [&](std::uint32_t i) {
        return i < shape_.common_main_width ? trace.common_main.column(i) : cached.column(i - shape_.common_main_width);
    };
    // A lone row has nothing to cancel against: its count stays 0.
    if (height > 1) {
        for (std::size_t row = 0; row < height; ++row) column(kCount)[row] = row % 2 == 0 ? Fp::one() : -Fp::one();
    }
    if (has_counter_) {
        Fp value = random_element(seed, kCounter, 0);
        for (Fp& cell : column(kCounter)) cell = std::exchange(value, value + Fp::one());
    }
    for_each_index(first_product_, num_columns_, [&](std::uint32_t i) {
        const bool is_bit = !has_products_ && i < first_product_ + num_products_;
        std::span<Fp> cells = column(i);
        for (std::size_t row = 0; row < height; ++row) {
            if (row % 2 == 1) {
                cells[row] = cells[row - 1];
                continue;
            }
            const Fp value = random_element(seed, i, row);
            cells[row] = is_bit ? Fp::from_canonical(value.canonical() % 2) : value;
        }
    });
    if (has_products_) {
        for_each_index(0U, num_products_, [&](std::uint32_t i) {
            const Factors factors = factors_of(i);
            const std::span<Fp> left = column(factors.left), right = column(factors.right);
            const std::span<Fp> summand = column(factors.summand), product = column(first_product_ + i);
            for (std::size_t row = 0; row < height; ++row) product[row] = left[row] * right[row] + summand[row];
        });
    }
    if (shape_.cached_width > 0) trace.cached_mains.emplace_back(std::move(cached));
    return trace;
}

}  // namespace whorl
