// The small AIRs of the test vectors: those of the reference's test fixtures, whose shapes the keys pin down. Each
// comes with the trace its fixture fills in.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <whorl/air.hpp>
#include <whorl/trace.hpp>

namespace whorl {

/// (a, b) → (b, a + b); public values: the first row and the last right value.
struct FibonacciAir {
    std::string name() const { return "FibonacciAir"; }
    std::uint32_t width() const { return 2; }
    std::uint32_t num_public_values() const { return 3; }

    template <class Builder>
    void eval(Builder& builder) const {
        const auto& [local, next] = builder.main();
        const auto& pis = builder.public_values();
        builder.when_first_row().assert_eq(local[0], pis[0]);
        builder.when_first_row().assert_eq(local[1], pis[1]);
        builder.when_transition().assert_eq(local[1], next[0]);
        builder.when_transition().assert_eq(local[0] + local[1], next[1]);
        builder.when_last_row().assert_eq(local[1], pis[2]);
    }
};
/// Trace and public values from first row (a, b); `height` a power of two.
AirTrace fibonacci_trace(std::uint32_t air_id, std::uint32_t a, std::uint32_t b, std::size_t height);

/// A Fibonacci step where the preprocessed selector is 1, a copy of the row where it is 0.
struct FibonacciSelectorAir {
    std::vector<bool> selectors;

    std::string name() const { return "FibonacciSelectorAir"; }
    std::uint32_t width() const { return 2; }
    std::uint32_t num_public_values() const { return 3; }
    std::optional<Matrix> preprocessed() const;

    template <class Builder>
    void eval(Builder& builder) const {
        const auto& [local, next] = builder.main();
        const auto& pis = builder.public_values();
        const auto& selector = builder.preprocessed().local[0];
        builder.when_first_row().assert_eq(local[0], pis[0]);
        builder.when_first_row().assert_eq(local[1], pis[1]);
        builder.when_transition().when(selector).assert_eq(local[1], next[0]);
        builder.when_transition().when_ne(selector, builder.one()).assert_eq(local[0], next[0]);
        builder.when_transition().when(selector).assert_eq(local[0] + local[1], next[1]);
        builder.when_transition().when_ne(selector, builder.one()).assert_eq(local[1], next[1]);
        builder.when_last_row().assert_eq(local[1], pis[2]);
    }
};
AirTrace fibonacci_selector_trace(std::uint32_t air_id, std::uint32_t a, std::uint32_t b,
                                  const std::vector<bool>& selectors);

/// Columns count | fields…: sends or receives the fields `count` times. With `has_cached_fields` the fields are a cached
/// part and the count is the common main.
struct DummyInteractionAir {
    std::uint32_t num_fields = 1;
    bool is_send = true;
    std::uint16_t bus_index = 0;
    bool has_cached_fields = false;

    std::string name() const { return "DummyInteractionAir"; }
    std::uint32_t width() const { return has_cached_fields ? 1 : 1 + num_fields; }
    std::vector<std::uint32_t> cached_main_widths() const {
        return has_cached_fields ? std::vector<std::uint32_t>{num_fields} : std::vector<std::uint32_t>{};
    }

    template <class Builder>
    void eval(Builder& builder) const {
        using Expr = typename Builder::Expr;
        const auto& count = builder.main().local[0];
        std::vector<Expr> fields;
        for (std::uint32_t i = 0; i < num_fields; ++i) {
            fields.push_back(has_cached_fields ? builder.cached_main(0).local[i] : builder.main().local[1 + i]);
        }
        const Expr sent = is_send ? count : Expr(-Fp::one()) * count;
        builder.push_interaction(bus_index, fields, sent, 0);
    }
};
/// One row per count; fields[row][field].
AirTrace dummy_interaction_trace(std::uint32_t air_id, const DummyInteractionAir& air,
                                 std::span<const std::uint32_t> counts,
                                 std::span<const std::vector<std::uint32_t>> fields);

/// Sends each row and receives the next one, with constant and computed counts; balanced on its cyclic trace.
struct SelfInteractionAir {
    std::uint32_t num_columns = 1;
    std::uint16_t bus_index = 0;

    std::string name() const { return "SelfInteractionAir"; }
    std::uint32_t width() const { return num_columns; }

    template <class Builder>
    void eval(Builder& builder) const {
        using Expr = typename Builder::Expr;
        std::vector<Expr> local(builder.main().local.begin(), builder.main().local.end());
        std::vector<Expr> next(builder.main().next.begin(), builder.main().next.end());
        // Both counts sum the current row: the columns of a row are a permutation of those of the next.
        Expr sum = builder.zero();
        for (const Expr& x : local) sum = sum + x;

        builder.push_interaction(bus_index, local, builder.one(), 1);
        builder.push_interaction(bus_index, next, Expr(-Fp::one()), 1);
        builder.push_interaction(bus_index, local, sum, 1);
        builder.push_interaction(bus_index, next, -sum, 1);
        builder.push_interaction(bus_index, local, local[0], 1);
        builder.push_interaction(bus_index, next, -next[0], 1);
        const std::vector<Expr> local_reversed(local.rbegin(), local.rend());
        const std::vector<Expr> next_reversed(next.rbegin(), next.rend());
        builder.push_interaction(bus_index, local_reversed, sum, 1);
        builder.push_interaction(bus_index, next_reversed, -sum, 1);
    }
};
/// Row r, column c holds (r + c) mod width.
AirTrace self_interaction_trace(std::uint32_t air_id, std::uint32_t width, unsigned log_height);

/// A counter in the common main; cached part k adds the preprocessed selector k + 1 times.
struct PreprocessedCachedAir {
    std::vector<bool> selectors;
    std::uint32_t num_cached_parts = 1;

    std::string name() const { return "PreprocessedCachedAir"; }
    std::uint32_t width() const { return 1; }
    std::vector<std::uint32_t> cached_main_widths() const { return std::vector<std::uint32_t>(num_cached_parts, 1); }
    std::optional<Matrix> preprocessed() const;

    template <class Builder>
    void eval(Builder& builder) const {
        using Expr = typename Builder::Expr;
        const auto& selector = builder.preprocessed();
        Expr local = builder.main().local[0];
        Expr next = builder.main().next[0];
        builder.assert_bool(selector.local[0]);
        builder.when_first_row().assert_zero(local);
        builder.when_transition().assert_one(next - local);
        for (std::uint32_t part = 0; part < num_cached_parts; ++part) {
            const auto& cached = builder.cached_main(part);
            builder.assert_eq(local + selector.local[0], cached.local[0]);
            builder.when_transition().assert_eq(next + selector.next[0], cached.next[0]);
            local = cached.local[0];
            next = cached.next[0];
        }
    }
};
AirTrace preprocessed_cached_trace(std::uint32_t air_id, const PreprocessedCachedAir& air);

}  // namespace whorl
