// A small proving task drawn from bytes: parameters anywhere in what keys may say, AIRs and traces that satisfy them.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <whorl/air.hpp>
#include <whorl/params.hpp>
#include <whorl/trace.hpp>

namespace whorl::fuzz {

/// Choices read from bytes; all of them 0 after the last byte, so that every input draws something.
class Choices {
public:
    explicit Choices(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}

    std::uint32_t below(std::uint32_t limit) {
        if (bytes_.empty()) return 0;
        const std::uint8_t byte = bytes_.front();
        bytes_ = bytes_.subspan(1);
        return byte % limit;
    }
    std::uint32_t between(std::uint32_t least, std::uint32_t most) { return least + below(most - least + 1); }
    bool flip() { return below(2) == 1; }

private:
    std::span<const std::uint8_t> bytes_;
};

/// An AIR whose last columns are expressions of the others, and whose messages are sent and received by itself.
class DrawnAir {
public:
    DrawnAir(Choices& choices, std::uint32_t max_degree, std::uint32_t max_message_length, std::size_t height,
             std::mt19937& random);

    std::string name() const { return "DrawnAir"; }
    std::uint32_t width() const { return part_widths_.back(); }
    std::vector<std::uint32_t> cached_main_widths() const { return {part_widths_.begin(), part_widths_.end() - 1}; }
    std::optional<Matrix> preprocessed() const { return preprocessed_; }
    std::uint32_t num_public_values() const { return num_public_values_; }
    bool is_required() const { return is_required_; }

    template <class Builder>
    void eval(Builder& builder) const {
        const auto leaf = [&](const Node& node) { return symbolic_leaf(builder, node); };
        using E = typename Builder::Expr;
        for (const Derived& derived : derived_) {
            const E value = evaluate<E>(derived.value, leaf);
            builder.assert_eq(symbolic_leaf(builder, {Op::kLocal, derived.column, 0, {}}), value);
        }
        for (const Message& message : messages_) {
            std::vector<E> fields;
            for (const std::uint32_t field : message.fields) fields.push_back(evaluate<E>(field, leaf));
            const E count = evaluate<E>(message.count, leaf);
            builder.push_interaction(message.bus, fields, count, 1);
            builder.push_interaction(message.bus, fields, -count, 1);
        }
    }

    /// A trace that satisfies the AIR.
    AirTrace trace(std::uint32_t air_id, std::size_t height, std::mt19937& random) const;

private:
    enum class Op {
        kConstant,
        kLocal,
        kNext,
        kPreprocessed,
        kPublic,
        kFirst,
        kLast,
        kTransition,
        kAdd,
        kSub,
        kMul,
        kNeg
    };
    struct Node {
        Op op = Op::kConstant;
        std::uint32_t left = 0;  ///< of leaves: the column or public value
        std::uint32_t right = 0;
        Fp constant;
    };
    struct Derived {
        std::uint32_t column = 0;
        std::uint32_t value = 0;  ///< a node
    };
    struct Message {
        std::uint16_t bus = 0;
        std::vector<std::uint32_t> fields;  ///< nodes
        std::uint32_t count = 0;            ///< a node
    };
    struct Place {
        std::uint32_t part = 0;
        std::uint32_t column = 0;
    };

    std::uint32_t add(Node node) {
        nodes_.push_back(node);
        return static_cast<std::uint32_t>(nodes_.size() - 1);
    }
    std::uint32_t draw_leaf(Choices& choices, std::uint32_t degree, std::uint32_t num_columns);
    std::uint32_t draw_node(Choices& choices, std::uint32_t degree, std::uint32_t size, std::uint32_t num_columns);

    // Recursion as deep as draw_node went, a few levels.
    template <class T, class Leaf>
    T evaluate(std::uint32_t id, const Leaf& leaf) const {
        const Node& node = nodes_[id];
        switch (node.op) {
            case Op::kAdd:
                return evaluate<T>(node.left, leaf) + evaluate<T>(node.right, leaf);
            case Op::kSub:
                return evaluate<T>(node.left, leaf) - evaluate<T>(node.right, leaf);
            case Op::kMul:
                return evaluate<T>(node.left, leaf) * evaluate<T>(node.right, leaf);
            case Op::kNeg:
                return -evaluate<T>(node.left, leaf);
            default:
                return leaf(node);
        }
    }

    template <class Builder>
    typename Builder::Expr symbolic_leaf(const Builder& builder, const Node& node) const {
        using E = typename Builder::Expr;
        switch (node.op) {
            case Op::kLocal:
            case Op::kNext: {
                const Place place = places_[node.left];
                const bool is_common = place.part + 1 == part_widths_.size();
                const auto& window = is_common ? builder.main() : builder.cached_main(place.part);
                return (node.op == Op::kLocal ? window.local : window.next)[place.column];
            }
            case Op::kPreprocessed:
                return builder.preprocessed().local[node.left];
            case Op::kPublic:
                return builder.public_values()[node.left];
            case Op::kFirst:
                return builder.is_first_row();
            case Op::kLast:
                return builder.is_last_row();
            case Op::kTransition:
                return builder.is_transition();
            default:
                return E(node.constant);
        }
    }

    std::vector<Node> nodes_;
    std::vector<Place> places_;
    std::vector<std::uint32_t> part_widths_;  ///< cached parts, then the common main
    std::uint32_t num_free_ = 1;              ///< columns that may hold anything; the derived ones follow
    std::uint32_t num_public_values_ = 0;
    bool is_required_ = false;
    std::optional<Matrix> preprocessed_;
    std::vector<Derived> derived_;
    std::vector<Message> messages_;
};

inline Fp draw_value(std::mt19937& random) {
    return Fp::from_canonical(static_cast<std::uint32_t>(random() % Fp::kModulus));
}

inline std::uint32_t DrawnAir::draw_leaf(Choices& choices, std::uint32_t degree, std::uint32_t num_columns) {
    const std::uint32_t num_preprocessed =
        preprocessed_ ? static_cast<std::uint32_t>(preprocessed_->width()) : std::uint32_t{0};
    switch (degree == 0 ? choices.between(5, 6) : choices.below(7)) {
        case 0:
            return add({Op::kNext, choices.below(num_free_), 0, {}});
        case 1:
            if (num_preprocessed > 0) return add({Op::kPreprocessed, choices.below(num_preprocessed), 0, {}});
            break;
        case 2:
            return add({std::array{Op::kFirst, Op::kLast, Op::kTransition}[choices.below(3)], 0, 0, {}});
        case 5:
            if (num_public_values_ > 0) return add({Op::kPublic, choices.below(num_public_values_), 0, {}});
            break;
        default:
            break;
    }
    if (degree > 0) return add({Op::kLocal, choices.below(num_columns), 0, {}});
    const std::uint32_t constants[] = {0, 1, 2, Fp::kModulus - 1, 1234567};
    return add({Op::kConstant, 0, 0, Fp::from_canonical(constants[choices.below(5)])});
}

inline std::uint32_t DrawnAir::draw_node(Choices& choices, std::uint32_t degree, std::uint32_t size,
                                         std::uint32_t num_columns) {
    if (size <= 1) return draw_leaf(choices, degree, num_columns);
    const Op op = std::array{Op::kAdd, Op::kSub, Op::kMul, Op::kMul, Op::kNeg}[choices.below(5)];
    if (op == Op::kNeg) return add({op, draw_node(choices, degree, size - 1, num_columns), 0, {}});
    const std::uint32_t left_size = choices.between(1, size - 1);
    const std::uint32_t left_degree = op == Op::kMul ? choices.between(0, degree) : degree;
    const std::uint32_t right_degree = op == Op::kMul ? degree - left_degree : degree;
    const std::uint32_t left = draw_node(choices, left_degree, left_size, num_columns);
    const std::uint32_t right = draw_node(choices, right_degree, size - left_size, num_columns);
    return add({op, left, right, {}});
}

inline DrawnAir::DrawnAir(Choices& choices, std::uint32_t max_degree, std::uint32_t max_message_length,
                          std::size_t height, std::mt19937& random) {
    num_free_ = choices.between(1, 5);
    num_public_values_ = choices.below(3);
    is_required_ = choices.below(4) == 0;
    if (const std::uint32_t width = choices.below(4); width < 3 && width > 0) {
        preprocessed_.emplace(width, height);
        for (Fp& x : preprocessed_->values()) x = draw_value(random);
    }
    const std::uint32_t num_derived = choices.below(4);
    const std::uint32_t num_columns = num_free_ + num_derived;
    part_widths_.resize(1 + std::min(choices.below(5), num_columns - 1));
    for (std::uint32_t column = 0; column < num_columns; ++column) {
        const std::uint32_t part = column % static_cast<std::uint32_t>(part_widths_.size());
        places_.push_back({part, part_widths_[part]++});
    }
    for (std::uint32_t column = num_free_; column < num_columns; ++column) {
        derived_.push_back({column, draw_node(choices, max_degree, choices.between(1, 12), column)});
    }
    const std::uint16_t buses[] = {0, 1, 255, 256, 32767, 32768, 65534, 65535};
    const std::uint32_t num_messages = choices.between(num_derived == 0 ? 1 : 0, 3);  // a key takes no AIR without any
    for (std::uint32_t i = 0; i < num_messages; ++i) {
        Message message{buses[choices.below(8)], {}, 0};
        const std::uint32_t length = choices.below(4) == 0 ? max_message_length : choices.between(1, 3);
        for (std::uint32_t f = 0; f < std::min(length, max_message_length); ++f) {
            message.fields.push_back(draw_node(choices, max_degree, choices.between(1, 4), num_columns));
        }
        message.count = draw_node(choices, max_degree, choices.between(1, 4), num_columns);
        messages_.push_back(std::move(message));
    }
}

inline AirTrace DrawnAir::trace(std::uint32_t air_id, std::size_t height, std::mt19937& random) const {
    Matrix all(places_.size(), height);
    AirTrace trace;
    trace.air_id = air_id;
    trace.preprocessed = preprocessed_;
    for (std::uint32_t i = 0; i < num_public_values_; ++i) trace.public_values.push_back(draw_value(random));
    for (std::uint32_t c = 0; c < num_free_; ++c) {
        for (Fp& x : all.column(c)) x = random() % 4 == 0 ? Fp::zero() : draw_value(random);
    }
    for (const Derived& derived : derived_) {
        for (std::size_t row = 0; row < height; ++row) {
            all.at(row, derived.column) = evaluate<Fp>(derived.value, [&](const Node& node) -> Fp {
                switch (node.op) {
                    case Op::kLocal:
                        return all.at(row, node.left);
                    case Op::kNext:
                        return all.at((row + 1) % height, node.left);
                    case Op::kPreprocessed:
                        return preprocessed_->at(row, node.left);
                    case Op::kPublic:
                        return trace.public_values[node.left];
                    case Op::kFirst:
                        return row == 0 ? Fp::one() : Fp::zero();
                    case Op::kLast:
                        return row + 1 == height ? Fp::one() : Fp::zero();
                    case Op::kTransition:
                        return row + 1 == height ? Fp::zero() : Fp::one();
                    default:
                        return node.constant;
                }
            });
        }
    }
    std::vector<Matrix> parts;
    for (const std::uint32_t width : part_widths_) parts.emplace_back(width, height);
    for (std::size_t c = 0; c < places_.size(); ++c) {
        std::ranges::copy(all.column(c), parts[places_[c].part].column(places_[c].column).begin());
    }
    trace.common_main = std::move(parts.back());
    parts.pop_back();
    trace.cached_mains.assign(parts.begin(), parts.end());
    return trace;
}

struct DrawnTask {
    SystemParams params;
    std::vector<AnyAir> airs;
    std::vector<AirTrace> traces;
};

/// What a finding says of its task.
inline std::string describe(const DrawnTask& task) {
    const SystemParams& p = task.params;
    std::string text = "l_skip " + std::to_string(p.l_skip) + ", n_stack " + std::to_string(p.n_stack) + ", degree " +
                       std::to_string(p.max_constraint_degree) + ", " + std::to_string(task.airs.size()) +
                       " AIRs, traces";
    for (const AirTrace& trace : task.traces) {
        text += " " + std::to_string(trace.air_id) + ":2^" + std::to_string(trace.common_main.log_height());
    }
    return text;
}

/// Small heights: a proof on the simulated GPU under sanitizers takes a good part of a second.
inline DrawnTask draw_task(Choices& choices) {
    DrawnTask task;
    SystemParams& params = task.params;
    params.l_skip = choices.below(4) == 0 ? choices.below(11) : choices.below(5);
    const std::uint32_t log_stacked_height = std::max(params.l_skip + choices.below(4), 1U);
    params.n_stack = log_stacked_height - params.l_skip;
    // Room for the two columns that a preprocessed part may have.
    params.w_stack = choices.below(8) == 0 ? choices.between(2, 8) : 1024;
    params.log_blowup = choices.below(4);
    params.whir.k = choices.between(1, std::min(log_stacked_height, 5U));
    const std::uint32_t num_rounds = choices.between(1, log_stacked_height / params.whir.k);
    for (std::uint32_t i = 0; i < num_rounds; ++i) params.whir.num_queries.push_back(choices.between(1, 4));
    params.whir.mu_pow_bits = choices.below(4);
    params.whir.query_phase_pow_bits = choices.below(4);
    params.whir.folding_pow_bits = choices.below(4);
    params.whir.proximity = UniqueDecoding{};
    const std::uint32_t log_max_message_length = choices.between(1, 4);
    params.logup = {1U << 30, log_max_message_length, choices.below(4)};
    params.max_constraint_degree = choices.between(1, 9);

    std::uint32_t seed = 0;
    for (int i = 0; i < 4; ++i) seed = seed << 8 | choices.below(256);
    std::mt19937 random(seed);
    const std::uint32_t num_airs = choices.between(1, 3);
    for (std::uint32_t air_id = 0; air_id < num_airs; ++air_id) {
        const std::uint32_t tallest = std::min(log_stacked_height, 7U);
        const std::size_t height = std::size_t{1} << (choices.flip() ? tallest : choices.below(tallest + 1));
        const DrawnAir air(choices, params.max_constraint_degree, (1U << log_max_message_length) - 1, height, random);
        if (air_id == 0 || air.is_required() || choices.below(5) != 0) {
            task.traces.push_back(air.trace(air_id, height, random));
        }
        task.airs.emplace_back(air);
    }
    return task;
}

}  // namespace whorl::fuzz
