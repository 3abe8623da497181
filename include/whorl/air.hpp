// Writing AIRs: an AIR is a C++ type whose templated eval(Builder&) states its constraints and interactions once, for
// whatever the builder makes of them (PROTOCOL.md section 6). keygen() runs it on expressions and yields the keys.
//
//     struct Squares {
//         std::string name() const { return "Squares"; }
//         std::uint32_t width() const { return 2; }                      // common main columns
//         template <class Builder>
//         void eval(Builder& builder) const {
//             const auto& main = builder.main();
//             builder.assert_eq(main.local[1], main.local[0] * main.local[0]);
//             builder.when_transition().assert_one(main.next[0] - main.local[0]);
//         }
//     };
//
// Besides name(), width() and eval() an AIR may have, each with a default:
//     std::vector<std::uint32_t> cached_main_widths() const;   columns of each cached part; none
//     std::optional<Matrix> preprocessed() const;              columns fixed in the key; none
//     std::uint32_t num_public_values() const;                 0
//     bool is_required() const;                                whether every proof has its trace; false
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <whorl/error.hpp>
#include <whorl/field.hpp>
#include <whorl/key.hpp>
#include <whorl/trace.hpp>

namespace whorl {

/// An expression over the variables of an AIR: a shared, immutable node, so that copies are cheap. Nothing is
/// simplified here: degrees are those of the expression as written (PROTOCOL.md 6.2).
class Expr {
public:
    using Op = SymbolicNode::Op;
    struct Node;

    /// The constant 0.
    Expr() : Expr(Fp::zero()) {}
    Expr(Fp constant);
    static Expr variable(const Variable& variable);
    static Expr is_first_row();
    static Expr is_last_row();
    static Expr is_transition();

    const Node& node() const { return *node_; }
    /// Trace columns and row selectors count 1, sums take the maximum, products add up.
    std::uint32_t degree() const;

    friend Expr operator+(const Expr& a, const Expr& b) { return binary(Op::kAdd, a, b); }
    friend Expr operator-(const Expr& a, const Expr& b) { return binary(Op::kSub, a, b); }
    friend Expr operator*(const Expr& a, const Expr& b) { return binary(Op::kMul, a, b); }
    Expr operator-() const;
    Expr& operator+=(const Expr& b) { return *this = *this + b; }
    Expr& operator-=(const Expr& b) { return *this = *this - b; }
    Expr& operator*=(const Expr& b) { return *this = *this * b; }

private:
    explicit Expr(std::shared_ptr<const Node> node) : node_(std::move(node)) {}
    static Expr binary(Op op, const Expr& a, const Expr& b);

    std::shared_ptr<const Node> node_;
};

struct Expr::Node {
    Op op = Op::kConstant;
    std::uint32_t degree = 0;
    Fp constant;                                ///< kConstant
    Variable variable;                          ///< kVariable
    mutable std::shared_ptr<const Node> left;   ///< inner nodes; mutable for the destructor only
    mutable std::shared_ptr<const Node> right;  ///< kAdd, kSub, kMul

    Node() = default;
    Node(const Node&) = delete;
    Node& operator=(const Node&) = delete;
    ~Node();  // iterative, since a sum of a million terms must not exhaust the stack; takes no memory
};

/// The columns of one part of a trace on one row. Reading a column that the part does not have gives 0 and makes
/// keygen fail with the part's name, the column and the width.
template <class E>
class Row {
public:
    struct Fault {
        std::string part;
        std::size_t index = 0;
        std::size_t width = 0;
    };

    Row() = default;
    Row(std::vector<E> values, std::string part, std::shared_ptr<std::optional<Fault>> fault)
        : values_(std::move(values)), part_(std::move(part)), fault_(std::move(fault)) {}

    const E& operator[](std::size_t index) const {
        if (index < values_.size()) return values_[index];
        if (fault_ && !fault_->has_value()) *fault_ = Fault{part_, index, values_.size()};
        return zero_;
    }
    std::size_t size() const { return values_.size(); }
    auto begin() const { return values_.begin(); }
    auto end() const { return values_.end(); }

private:
    std::vector<E> values_;
    std::string part_;
    std::shared_ptr<std::optional<Fault>> fault_;
    E zero_{};
};

/// The current and the next row of one part; the row after the last is the first.
template <class E>
struct Window {
    Row<E> local;
    Row<E> next;
};

template <class Builder>
class ConditionalBuilder;

/// The assertions every builder has, in terms of `Derived::assert_zero`, `is_first_row`, `is_last_row` and
/// `is_transition`. `E` is the builder's expression: anything with + - * and a constructor from Fp.
template <class Derived, class E>
class AirBuilder {
public:
    using Expr = E;

    static E constant(std::uint32_t value) { return E(Fp::from_canonical(value)); }
    static E zero() { return E(Fp::zero()); }
    static E one() { return E(Fp::one()); }

    void assert_eq(const E& x, const E& y) { self().assert_zero(x - y); }
    void assert_one(const E& x) { self().assert_zero(x - one()); }
    void assert_bool(const E& x) { self().assert_zero(x * (x - one())); }

    /// A ConditionalBuilder whose assertions hold where `condition` is not zero: each x becomes condition · x. Nests:
    /// the outer condition ends up on the left. Must not outlive this builder.
    auto when(E condition) {
        if constexpr (requires { self().and_when(condition); }) {
            return self().and_when(std::move(condition));
        } else {
            return ConditionalBuilder<Derived>(self(), {std::move(condition)});
        }
    }
    auto when_ne(const E& x, const E& y) { return when(x - y); }
    auto when_first_row() { return when(self().is_first_row()); }
    auto when_last_row() { return when(self().is_last_row()); }
    auto when_transition() { return when(self().is_transition()); }

protected:
    AirBuilder() = default;
    AirBuilder(const AirBuilder&) = default;
    AirBuilder& operator=(const AirBuilder&) = default;
    ~AirBuilder() = default;

private:
    Derived& self() { return static_cast<Derived&>(*this); }
};

/// What when(…) returns: the assertions of `Builder` under one or more conditions.
template <class Builder>
class ConditionalBuilder : public AirBuilder<ConditionalBuilder<Builder>, typename Builder::Expr> {
public:
    using Expr = typename Builder::Expr;

    ConditionalBuilder(Builder& builder, std::vector<Expr> conditions)
        : builder_(&builder), conditions_(std::move(conditions)) {}

    ConditionalBuilder and_when(Expr condition) const {
        ConditionalBuilder nested = *this;
        nested.conditions_.push_back(std::move(condition));
        return nested;
    }
    Expr is_first_row() const { return builder_->is_first_row(); }
    Expr is_last_row() const { return builder_->is_last_row(); }
    Expr is_transition() const { return builder_->is_transition(); }
    void assert_zero(Expr x) {
        for (auto condition = conditions_.rbegin(); condition != conditions_.rend(); ++condition) x = *condition * x;
        builder_->assert_zero(x);
    }

private:
    Builder* builder_;
    std::vector<Expr> conditions_;  // outermost first
};

/// A message on a bus. `count` copies are added (a field element: a negative count removes); over all AIRs and rows
/// the counts of each message on each bus must add up to 0. `count_weight` bounds trace heights (PROTOCOL.md 6.3, 6.6).
template <class E>
struct Interaction {
    std::uint16_t bus_index = 0;
    std::vector<E> message;
    E count;
    std::uint32_t count_weight = 0;
};

/// The queries sent to the bus are among the keys added to it. Callers constrain `enabled` to be boolean.
struct LookupBus {
    std::uint16_t index = 0;

    template <class Builder>
    void lookup_key(Builder& builder, std::vector<typename Builder::Expr> query,
                    const typename Builder::Expr& enabled) const {
        builder.push_interaction(index, std::move(query), enabled, 1);
    }
    template <class Builder>
    void add_key_with_lookups(Builder& builder, std::vector<typename Builder::Expr> key,
                              const typename Builder::Expr& num_lookups) const {
        builder.push_interaction(index, std::move(key), -num_lookups, 0);
    }
};

/// What is sent is what is received, as multisets. Callers constrain `enabled` to be boolean.
struct PermutationBus {
    std::uint16_t index = 0;

    template <class Builder>
    void send(Builder& builder, std::vector<typename Builder::Expr> message,
              const typename Builder::Expr& enabled) const {
        builder.push_interaction(index, std::move(message), enabled, 1);
    }
    template <class Builder>
    void receive(Builder& builder, std::vector<typename Builder::Expr> message,
                 const typename Builder::Expr& enabled) const {
        builder.push_interaction(index, std::move(message), -enabled, 1);
    }
    /// Sends where `direction` is 1, receives where it is −1.
    template <class Builder>
    void interact(Builder& builder, std::vector<typename Builder::Expr> message,
                  const typename Builder::Expr& direction) const {
        builder.push_interaction(index, std::move(message), direction, 1);
    }
};

/// The builder of keygen: records constraints and interactions as expressions.
class SymbolicBuilder : public AirBuilder<SymbolicBuilder, Expr> {
public:
    SymbolicBuilder(const TraceWidths& widths, std::uint32_t num_public_values);

    const Window<Expr>& main() const { return common_main_; }
    std::size_t num_cached_mains() const { return cached_mains_.size(); }
    /// An unknown part reads as one without columns.
    const Window<Expr>& cached_main(std::size_t part) const;
    const Window<Expr>& preprocessed() const { return preprocessed_; }
    const Row<Expr>& public_values() const { return public_values_; }

    Expr is_first_row() const { return is_first_row_; }
    Expr is_last_row() const { return is_last_row_; }
    Expr is_transition() const { return is_transition_; }

    void assert_zero(const Expr& x) { constraints_.push_back(x); }
    void push_interaction(std::uint16_t bus_index, std::vector<Expr> message, Expr count, std::uint32_t count_weight) {
        interactions_.push_back({bus_index, std::move(message), std::move(count), count_weight});
    }

    const std::vector<Expr>& constraints() const { return constraints_; }
    const std::vector<Interaction<Expr>>& interactions() const { return interactions_; }
    /// The first column read that does not exist.
    const std::optional<Row<Expr>::Fault>& fault() const { return *fault_; }

private:
    Window<Expr> window(Variable::Entry entry, std::uint32_t part_index, std::uint32_t width,
                        const std::string& part) const;

    std::shared_ptr<std::optional<Row<Expr>::Fault>> fault_;
    Window<Expr> common_main_;
    std::vector<Window<Expr>> cached_mains_;
    Window<Expr> no_part_;
    Window<Expr> preprocessed_;
    Row<Expr> public_values_;
    Expr is_first_row_, is_last_row_, is_transition_;
    std::vector<Expr> constraints_;
    std::vector<Interaction<Expr>> interactions_;
};

/// Any AIR, its type forgotten: what keygen takes a list of.
class AnyAir {
public:
    template <class Air>
        requires requires(const Air& air, SymbolicBuilder& builder) {
            air.name();
            air.width();
            air.eval(builder);
        }
    AnyAir(Air air) : name(air.name()), common_main_width(air.width()) {
        if constexpr (requires { air.cached_main_widths(); }) cached_main_widths = air.cached_main_widths();
        if constexpr (requires { air.preprocessed(); }) preprocessed = air.preprocessed();
        if constexpr (requires { air.num_public_values(); }) num_public_values = air.num_public_values();
        if constexpr (requires { air.is_required(); }) is_required = air.is_required();
        eval = [air = std::move(air)](SymbolicBuilder& builder) { air.eval(builder); };
    }

    std::string name;  ///< for messages and tables only: not part of the key
    std::uint32_t common_main_width = 0;
    std::vector<std::uint32_t> cached_main_widths;
    std::optional<Matrix> preprocessed;
    std::uint32_t num_public_values = 0;
    bool is_required = false;
    std::function<void(SymbolicBuilder&)> eval;
};

/// What a prover starts from; `vk` alone is what a verifier needs. Lists have one entry per AIR of the key.
struct ProvingKey {
    VerifyingKey vk;
    std::vector<std::string> air_names;
    std::vector<std::optional<Matrix>> preprocessed;  ///< goes into AirTrace::preprocessed
};

/// The keys of `airs` in their order (PROTOCOL.md 6.4 to 6.7).
/// Errors, each naming the AIR (kInvalidArgument): parameters that check_params rejects, no AIR at all, no main column,
/// a column that does not exist, neither constraint nor interaction, an empty or too long message, a degree above
/// params.max_constraint_degree, preprocessed columns of a height that is no power of two or does not fit. kMachine (memory).
/// What an AIR's eval() throws becomes an error with its text.
Result<ProvingKey> keygen(const SystemParams& params, std::span<const AnyAir> airs) noexcept;

}  // namespace whorl
