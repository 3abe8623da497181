#include "airs/small.hpp"

#include <array>
#include <utility>

#include "airs/zeros.hpp"

namespace whorl {
namespace {

Fp fp(std::size_t value) {
    return Fp::from_canonical(static_cast<std::uint32_t>(value));
}

Matrix selector_column(const std::vector<bool>& selectors) {
    Matrix column = zeros(1, selectors.size());
    for (std::size_t row = 0; row < selectors.size(); ++row)
        column.at(row, 0) = selectors[row] ? Fp::one() : Fp::zero();
    return column;
}

}  // namespace

std::optional<Matrix> FibonacciSelectorAir::preprocessed() const {
    return selector_column(selectors);
}
std::optional<Matrix> PreprocessedCachedAir::preprocessed() const {
    return selector_column(selectors);
}

AirTrace fibonacci_trace(std::uint32_t air_id, std::uint32_t a, std::uint32_t b, std::size_t height) {
    AirTrace trace = fibonacci_selector_trace(air_id, a, b, std::vector<bool>(height, true));
    trace.preprocessed.reset();
    return trace;
}

AirTrace fibonacci_selector_trace(std::uint32_t air_id, std::uint32_t a, std::uint32_t b,
                                  const std::vector<bool>& selectors) {
    AirTrace trace;
    trace.air_id = air_id;
    trace.common_main = zeros(2, selectors.size());
    trace.preprocessed = selector_column(selectors);
    Fp left = fp(a), right = fp(b);
    for (std::size_t row = 0; row < selectors.size(); ++row) {
        trace.common_main.at(row, 0) = left;
        trace.common_main.at(row, 1) = right;
        if (row + 1 < selectors.size() && selectors[row]) left = std::exchange(right, left + right);
    }
    trace.public_values = {fp(a), fp(b), right};
    return trace;
}

AirTrace dummy_interaction_trace(std::uint32_t air_id, const DummyInteractionAir& air,
                                 std::span<const std::uint32_t> counts,
                                 std::span<const std::vector<std::uint32_t>> fields) {
    AirTrace trace;
    trace.air_id = air_id;
    trace.common_main = zeros(air.width(), counts.size());
    if (air.has_cached_fields) trace.cached_mains.emplace_back(zeros(air.num_fields, counts.size()));
    for (std::size_t row = 0; row < counts.size(); ++row) {
        trace.common_main.at(row, 0) = fp(counts[row]);
        for (std::size_t i = 0; i < air.num_fields; ++i) {
            Fp& cell =
                air.has_cached_fields ? trace.cached_mains[0].columns()->at(row, i) : trace.common_main.at(row, 1 + i);
            cell = fp(fields[row][i]);
        }
    }
    return trace;
}

AirTrace self_interaction_trace(std::uint32_t air_id, std::uint32_t width, unsigned log_height) {
    AirTrace trace;
    trace.air_id = air_id;
    trace.common_main = zeros(width, std::size_t{1} << log_height);
    for (std::size_t c = 0; c < width; ++c) {
        std::size_t value = c;
        for (Fp& cell : trace.common_main.column(c)) {
            cell = fp(value);
            if (++value == width) value = 0;
        }
    }
    return trace;
}

AirTrace preprocessed_cached_trace(std::uint32_t air_id, const PreprocessedCachedAir& air) {
    AirTrace trace;
    trace.air_id = air_id;
    const std::size_t height = air.selectors.size();
    trace.common_main = zeros(1, height);
    trace.cached_mains.assign(air.num_cached_parts, zeros(1, height));
    trace.preprocessed = selector_column(air.selectors);
    for (std::size_t row = 0; row < height; ++row) {
        trace.common_main.at(row, 0) = fp(row);
        for (std::size_t part = 0; part < air.num_cached_parts; ++part) {
            trace.cached_mains[part].columns()->at(row, 0) = fp(row + (air.selectors[row] ? part + 1 : 0));
        }
    }
    return trace;
}

}  // namespace whorl
