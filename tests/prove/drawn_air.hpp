// AIRs drawn at random, with traces that satisfy them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <whorl/air.hpp>
#include <whorl/trace.hpp>

#include "unit/random.hpp"

namespace whorl::test {

/// What fixes a drawn AIR. Expressions are drawn again from `seed` whenever they are needed, once over symbols and once over the
/// values of a row, so that both are the same.
struct DrawnShape {
    std::uint64_t seed = 0;
    unsigned log_height = 0;
    std::uint32_t common_width = 0;  ///< 0: all columns are cached
    std::vector<std::uint32_t> cached_widths;
    std::uint32_t preprocessed_width = 0;
    std::uint32_t num_public_values = 0;
    bool reads_next_row = false;
    std::uint32_t max_degree = 1;
    std::uint32_t num_constraints = 0;   ///< at most the width of the last part; each fixes one of its columns
    std::uint32_t num_interactions = 0;  ///< pairs of a message and its opposite, on this row or the next
    std::uint32_t max_message = 1;
    std::vector<std::uint16_t> buses;
};

/// All that an expression may be made of.
template <class E>
struct DrawnInputs {
    std::vector<E> columns;  ///< degree 1
    std::vector<E> values;   ///< degree 0
};

/// A sum of a few products, of at most `max_degree` factors each.
template <class E>
E draw_expression(Random& random, const DrawnInputs<E>& inputs, std::uint32_t max_degree) {
    E sum(random.fp());
    const std::uint32_t num_terms = 1 + random.below(3);
    for (std::uint32_t term = 0; term < num_terms; ++term) {
        // The limit is met often.
        const std::uint32_t degree = random.below(2) == 0 ? max_degree : random.below(max_degree + 1);
        E product(random.fp());
        for (std::uint32_t i = 0; i < degree && !inputs.columns.empty(); ++i) {
            product = product * inputs.columns[random.below(static_cast<std::uint32_t>(inputs.columns.size()))];
        }
        if (!inputs.values.empty() && random.below(3) == 0) {
            product = product * inputs.values[random.below(static_cast<std::uint32_t>(inputs.values.size()))];
        }
        sum = random.below(4) == 0 ? sum - product : sum + product;
    }
    return sum;
}

class DrawnAir {
public:
    explicit DrawnAir(DrawnShape shape) : shape_(std::move(shape)) {}

    std::string name() const { return "DrawnAir"; }
    std::uint32_t width() const { return shape_.common_width; }
    std::vector<std::uint32_t> cached_main_widths() const { return shape_.cached_widths; }
    std::uint32_t num_public_values() const { return shape_.num_public_values; }
    std::optional<Matrix> preprocessed() const {
        if (shape_.preprocessed_width == 0) return std::nullopt;
        Random random(shape_.seed + 1);
        return random_matrix(random, shape_.preprocessed_width);
    }

    template <class Builder>
    void eval(Builder& builder) const {
        using Expr = typename Builder::Expr;
        const auto parts = [&](bool is_next) {
            std::vector<std::vector<Expr>> out;
            const auto add = [&](const auto& window) {
                const auto& row = is_next ? window.next : window.local;
                out.emplace_back(row.begin(), row.end());
            };
            add(builder.preprocessed());
            for (std::size_t c = 0; c < shape_.cached_widths.size(); ++c) add(builder.cached_main(c));
            add(builder.main());
            return out;
        };
        DrawnInputs<Expr> here, rotated;
        for (std::uint32_t i = 0; i < shape_.num_public_values; ++i) here.values.push_back(builder.public_values()[i]);
        const auto local = parts(false);
        const auto next = shape_.reads_next_row ? parts(true) : local;
        const std::vector<Expr> selectors{builder.is_first_row(), builder.is_last_row(), builder.is_transition()};
        here.columns = inputs_of(local, next, selectors);
        for (std::uint32_t i = 0; i < shape_.num_constraints; ++i) {
            Random random(shape_.seed + 100 + i);
            builder.assert_eq(target(local, i), draw_expression(random, here, shape_.max_degree));
        }
        // Messages read one row alone: sent as they are on this row, and taken back from the next row or from this one.
        here.columns = message_inputs(local);
        rotated = {message_inputs(next), here.values};
        for (std::uint32_t i = 0; i < shape_.num_interactions; ++i) {
            Random random(shape_.seed + 1000 + i);
            const std::uint16_t bus = shape_.buses[random.below(static_cast<std::uint32_t>(shape_.buses.size()))];
            const std::uint32_t length =
                random.below(2) == 0 ? shape_.max_message : 1 + random.below(shape_.max_message);
            const bool has_constant_count = random.below(3) == 0;
            const std::uint64_t seed = random.next();
            const auto push = [&](const DrawnInputs<Expr>& inputs, bool is_taken) {
                Random of_message(seed);
                std::vector<Expr> message;
                for (std::uint32_t f = 0; f < length; ++f) {
                    const std::uint32_t degree = of_message.below(4) == 0 ? shape_.max_degree : 1;
                    message.push_back(draw_expression(of_message, inputs, degree));
                }
                const Expr count = draw_expression(of_message, has_constant_count ? DrawnInputs<Expr>{} : inputs,
                                                   has_constant_count ? 0 : shape_.max_degree);
                builder.push_interaction(bus, std::move(message), is_taken ? Expr(-Fp::one()) * count : count, 1);
            };
            push(here, false);
            push(random.below(2) == 0 ? rotated : here, true);
        }
    }

    AirTrace trace(std::uint32_t air_id) const {
        Random random(shape_.seed + 2);
        AirTrace trace;
        trace.air_id = air_id;
        trace.common_main = random_matrix(random, shape_.common_width);
        for (const std::uint32_t width : shape_.cached_widths)
            trace.cached_mains.emplace_back(random_matrix(random, width));
        trace.preprocessed = preprocessed();
        trace.public_values = random.fps(shape_.num_public_values);
        fill_targets(trace);
        return trace;
    }

private:
    std::size_t height() const { return std::size_t{1} << shape_.log_height; }

    Matrix random_matrix(Random& random, std::uint32_t width) const {
        return Matrix(random.fps(width * height()), width, height());
    }

    // Constraint i fixes column i of the last part that has columns.
    template <class E>
    const E& target(const std::vector<std::vector<E>>& parts, std::uint32_t i) const {
        return (shape_.common_width != 0 ? parts.back() : parts[parts.size() - 2])[i];
    }

    // What constraints read: every column that no constraint fixes, on both rows, and the selectors.
    template <class E>
    std::vector<E> inputs_of(const std::vector<std::vector<E>>& local, const std::vector<std::vector<E>>& next,
                             const std::vector<E>& selectors) const {
        std::vector<E> out = selectors;
        const std::size_t last = shape_.common_width != 0 ? local.size() - 1 : local.size() - 2;
        for (const auto* parts : {&local, &next}) {
            for (std::size_t p = 0; p < parts->size(); ++p) {
                const std::size_t first = p == last ? shape_.num_constraints : 0;
                for (std::size_t c = first; c < (*parts)[p].size(); ++c) out.push_back((*parts)[p][c]);
            }
        }
        return out;
    }
    template <class E>
    static std::vector<E> message_inputs(const std::vector<std::vector<E>>& parts) {
        std::vector<E> out;
        for (const auto& part : parts) out.insert(out.end(), part.begin(), part.end());
        return out;
    }

    void fill_targets(AirTrace& trace) const {
        const auto parts_at = [&](std::size_t row) {
            std::vector<std::vector<Fp>> parts;
            const auto add = [&](const Matrix& matrix) {
                std::vector<Fp>& values = parts.emplace_back();
                for (std::size_t c = 0; c < matrix.width(); ++c) values.push_back(matrix.at(row % height(), c));
            };
            add(trace.preprocessed ? trace.preprocessed->matrix() : Matrix());
            for (const Matrix& matrix : trace.cached_mains) add(matrix);
            add(trace.common_main);
            return parts;
        };
        Matrix& fixed = shape_.common_width != 0 ? trace.common_main : *trace.cached_mains.back().columns();
        for (std::size_t row = 0; row < height(); ++row) {
            const auto local = parts_at(row);
            const auto next = shape_.reads_next_row ? parts_at(row + 1) : local;
            const auto bit = [](bool is_set) { return is_set ? Fp::one() : Fp::zero(); };
            const bool is_last = row + 1 == height();
            const DrawnInputs<Fp> inputs{inputs_of(local, next, {bit(row == 0), bit(is_last), bit(!is_last)}),
                                         trace.public_values};
            for (std::uint32_t i = 0; i < shape_.num_constraints; ++i) {
                Random random(shape_.seed + 100 + i);
                fixed.at(row, i) = draw_expression(random, inputs, shape_.max_degree);
            }
        }
    }

    DrawnShape shape_;
};

}  // namespace whorl::test
