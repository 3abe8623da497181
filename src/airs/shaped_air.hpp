// AIRs of a given shape, with traces that satisfy them: what a prover's work depends on is as in the AIR that the shape is
// of, what the columns mean is not.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <whorl/air.hpp>
#include <whorl/trace.hpp>

#include "airs/block_shapes.hpp"

namespace whorl {

/// Columns in this order, the common main's first, then those of the cached part:
///   count      1, −1, 1, …: the counts of all interactions, so that the messages of two rows cancel
///   counter    goes up by 1 from row to row; where there are constraints and columns enough
///   products   each the product of two free columns plus a third
///   free       random field elements
/// Products and free columns, which messages are made of, have the same value in rows 2r and 2r + 1. Where an AIR has too few
/// columns for a product, the place of a product is taken by a bit.
class ShapedAir {
public:
    /// Keeps the shape's interactions. Preconditions: a column, two of the common main where there are constraints, whose degree is 2
    /// at least; as many columns as the message of an interaction takes are not asked for, they are taken again.
    explicit ShapedAir(const AirShape& shape);

    std::string name() const { return std::string(shape_.name); }
    std::uint32_t width() const { return shape_.common_main_width; }
    std::vector<std::uint32_t> cached_main_widths() const {
        return shape_.cached_width == 0 ? std::vector<std::uint32_t>{} : std::vector{shape_.cached_width};
    }

    template <class Builder>
    void eval(Builder& builder) const {
        using Expr = typename Builder::Expr;
        std::vector<Expr> columns(builder.main().local.begin(), builder.main().local.end());
        if (shape_.cached_width > 0) {
            const auto& cached = builder.cached_main(0).local;
            columns.insert(columns.end(), cached.begin(), cached.end());
        }
        std::uint32_t first = 0;
        if (has_counter_) {
            builder.when_transition().assert_one(builder.main().next[kCounter] - columns[kCounter]);
            first = 1;
        }
        for (std::uint32_t i = first; i < shape_.num_constraints; ++i) {
            const std::uint32_t index = i % num_products_, round = i / num_products_;
            const Expr& product = columns[first_product_ + index];
            Expr fault = product * (product - Expr(Fp::one()));
            if (has_products_) {
                const Factors factors = factors_of(index);
                fault = product - (columns[factors.left] * columns[factors.right] + columns[factors.summand]);
            }
            // Of the first round every second one is unconditional.
            const std::uint32_t num_conditions = round == 0 && index % 2 == 1 ? 0 : shape_.max_degree - 2;
            for (std::uint32_t k = 0; k < num_conditions; ++k) {
                fault = columns[paired_column(index + round + k)] * fault;
            }
            builder.assert_zero(round == 0 ? fault : Expr(Fp::from_integer(round + 1)) * fault);
        }
        std::uint32_t position = 0;
        for (const InteractionRun& run : interactions_) {
            for (std::uint32_t i = 0; i < run.count; ++i, ++position) {
                std::vector<Expr> message;
                for (std::uint32_t field = 0; field < run.message_length; ++field) {
                    Expr value = columns[paired_column(position + field)];
                    // Limbs put together, as in half of all fields of real messages.
                    if (field % 2 == 1)
                        value = value + Expr(Fp::from_integer(256)) * columns[paired_column(3 * position + field)];
                    message.push_back(std::move(value));
                }
                const Expr count = position % 2 == 0 ? columns[kCount] : -columns[kCount];
                builder.push_interaction(run.bus_index, std::move(message), count, run.count_weight);
            }
        }
    }

    /// Its trace of 2^log_height rows. The same seed gives the same trace.
    AirTrace trace(std::uint32_t air_id, unsigned log_height, std::uint64_t seed) const;

private:
    static constexpr std::uint32_t kCount = 0;
    static constexpr std::uint32_t kCounter = 1;

    struct Factors {
        std::uint32_t left, right, summand;
    };
    /// Of product `index`: columns.
    Factors factors_of(std::uint32_t index) const;
    /// A column whose values come in pairs, for any i.
    std::uint32_t paired_column(std::uint32_t i) const { return first_product_ + i % (num_columns_ - first_product_); }

    AirShape shape_;  // its interactions: below
    std::vector<InteractionRun> interactions_;
    std::uint32_t num_columns_;
    bool has_counter_;
    bool has_products_ = false;  ///< or bits
    std::uint32_t first_product_;
    std::uint32_t num_products_;  ///< or bits
};

}  // namespace whorl
