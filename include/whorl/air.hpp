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
//     std::vector<std::string> column_names() const;           of the common main, for messages; none (see WHORL_COLUMNS)
// One of these with another type, or without const, does not compile, nor do likely misspellings (air_checks.hpp). An AIR that
// derives from AirBase and says `override` has all of its members checked.
//
// Messages name the line of each assertion and interaction, and the label that it may be given as its last argument:
//     builder.assert_bool(is_real, "is_real is a bit");
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <source_location>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <whorl/air_checks.hpp>
#include <whorl/error.hpp>
#include <whorl/field.hpp>
#include <whorl/key.hpp>
#include <whorl/notes.hpp>
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
    /// A whole number, taken mod p, so that `local[1] + 1` and `assert_eq(x, 5)` compile. bool is none: a condition of C++ is
    /// rarely meant as a constant of the AIR.
    template <std::integral T>
        requires(!std::same_as<T, bool>)
    Expr(T constant) : Expr(Fp::from_integer(constant)) {}
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

/// The line of an assertion or of a bus call, and a label if it has one: their last argument, which callers leave out or
/// give as a text.
class Note {
public:
    explicit Note(std::source_location place) : file_(place.file_name()), line_(place.line()) {}
    template <std::convertible_to<std::string_view> Label>
    Note(const Label& label, std::source_location place = std::source_location::current())
        : label_(std::string_view(label)), file_(place.file_name()), line_(place.line()) {}
    /// A line of an AIR that is not written in C++. The text at `file` must outlive the note.
    Note(std::string_view label, const char* file, std::uint32_t line) : label_(label), file_(file), line_(line) {}

    const std::string& label() const { return label_; }
    const char* file() const { return file_; }
    std::uint32_t line() const { return line_; }

private:
    std::string label_;
    const char* file_;
    std::uint32_t line_;
};

/// A column of a Row, and the line that reads it.
struct ColumnIndex {
    std::size_t value;
    std::source_location place;

    ColumnIndex(std::size_t column, std::source_location where = std::source_location::current())
        : value(column), place(where) {}
};

/// What the rows of one part of a trace tell their builder.
struct PartReads {
    /// A read that the part cannot serve.
    struct Fault {
        std::size_t index = 0;   ///< the column; with a struct of columns, how many that has
        bool is_struct = false;  ///< a struct of columns of another width than the part
        std::source_location place;
    };
    static constexpr std::size_t kMaxFaults = 16;

    std::string part;  ///< "the common main"
    std::size_t width = 0;
    std::vector<Fault> faults;       ///< the first kMaxFaults
    std::vector<std::string> names;  ///< from WHORL_COLUMNS; may be empty

    void add_fault(const Fault& fault) {
        if (faults.size() < kMaxFaults) faults.push_back(fault);
    }
};

namespace detail {

/// How many columns the list of names of WHORL_COLUMNS stands for: "a, b[2][3]" for 7. 0 where an extent is no number.
constexpr std::size_t count_columns(std::string_view list) {
    std::size_t count = 0, extent = 1;
    for (std::size_t i = 0; i <= list.size(); ++i) {
        if (i == list.size() || list[i] == ',') {
            count += std::exchange(extent, 1);
        } else if (list[i] == '[') {
            std::size_t number = 0;
            for (++i; i < list.size() && list[i] != ']'; ++i) {
                if (list[i] == ' ') continue;
                if (list[i] < '0' || list[i] > '9') return 0;
                number = 10 * number + static_cast<std::size_t>(list[i] - '0');
            }
            extent *= number;
        }
    }
    return count;
}

/// "a", "b[0][0]", "b[0][1]", … of such a list.
std::vector<std::string> column_names(std::string_view list);

}  // namespace detail

/// Columns in a struct of columns: a template over the type of a column, all members of that type, or arrays or structs of it.
template <template <class> class Columns>
inline constexpr std::uint32_t kNumColumns = sizeof(Columns<Fp>) / sizeof(Fp);

namespace detail {

/// Of a size and an alignment that no other member has.
struct alignas(16) ColumnProbe {
    unsigned char bytes[48];
};
template <template <class> class Columns>
inline constexpr bool kHasColumnsAlone = sizeof(Columns<ColumnProbe>) / sizeof(ColumnProbe) == kNumColumns<Columns> &&
                                         sizeof(Columns<Fp>) == kNumColumns<Columns> * sizeof(Fp);

}  // namespace detail

/// A struct of columns that messages name the columns by:
///
///     WHORL_COLUMNS(AdderColumns, a, b, sum, carries[4]);   // at namespace scope; extents are written as numbers
///     const auto [local, next] = whorl::columns<AdderColumns>(builder.main());
///     builder.assert_eq(local.sum, local.a + local.b);
#define WHORL_COLUMNS(Name, ...)                                         \
    template <class Column>                                              \
    struct Name {                                                        \
        Column __VA_ARGS__;                                              \
        static constexpr ::std::string_view kColumnNames = #__VA_ARGS__; \
    }

/// The columns of one part of a trace on one row. Reading a column that the part does not have gives 0 and makes
/// keygen fail with the line, the part, the column and the width.
template <class E>
class Row {
public:
    Row() = default;
    Row(std::vector<E> values, std::shared_ptr<PartReads> reads)
        : values_(std::move(values)), reads_(std::move(reads)) {}

    const E& operator[](ColumnIndex index) const {
        if (index.value < values_.size()) return values_[index.value];
        if (reads_) reads_->add_fault({.index = index.value, .place = index.place});
        return zero_;
    }
    std::size_t size() const { return values_.size(); }
    auto begin() const { return values_.begin(); }
    auto end() const { return values_.end(); }

    /// For columns(): that the row is read as `count` columns of these names (a list of WHORL_COLUMNS, or empty).
    void read_as(std::size_t count, std::string_view names, std::source_location place) const {
        if (!reads_) return;
        if (count != values_.size()) {
            reads_->add_fault({.index = count, .is_struct = true, .place = place});
        } else if (reads_->names.empty() && !names.empty()) {
            reads_->names = detail::column_names(names);
        }
    }

private:
    std::vector<E> values_;
    std::shared_ptr<PartReads> reads_;
    E zero_{};
};

/// The current and the next row of one part; the row after the last is the first.
template <class E>
struct Window {
    Row<E> local;
    Row<E> next;
};

/// A row, or a list of values of another builder, as a struct of columns, member by member. Of another width it makes keygen
/// fail with the line and both widths.
template <template <class> class Columns, class AnyRow>
    requires requires(const AnyRow& row) {
        row.size();
        row[0];
    }
auto columns(const AnyRow& row, std::source_location place = std::source_location::current()) {
    using E = std::remove_cvref_t<decltype(row[0])>;
    constexpr std::size_t kCount = kNumColumns<Columns>;
    static_assert(detail::kHasColumnsAlone<Columns>, "all members of a struct of columns are columns");
    std::string_view names;
    if constexpr (requires { Columns<Fp>::kColumnNames; }) {
        static_assert(detail::count_columns(Columns<Fp>::kColumnNames) == kCount,
                      "the extents of arrays in WHORL_COLUMNS must be written as numbers");
        names = Columns<Fp>::kColumnNames;
    }
    if constexpr (requires { row.read_as(kCount, names, place); }) row.read_as(kCount, names, place);
    const auto value = [&row](std::size_t i) { return i < row.size() ? E(row[i]) : E(Fp::zero()); };
#ifdef __clang__
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wmissing-braces"  // the members of nested structs are initialised in one list
#endif
    return [&]<std::size_t... i>(std::index_sequence<i...>) {
        return Columns<E>{value(i)...};
    }(std::make_index_sequence<kCount>());
#ifdef __clang__
#pragma clang diagnostic pop
#endif
}

/// Both rows of a window as structs of columns.
template <class S>
struct ColumnsWindow {
    S local;
    S next;
};
template <template <class> class Columns, class AnyWindow>
    requires requires(const AnyWindow& window) {
        window.local;
        window.next;
    }
auto columns(const AnyWindow& window, std::source_location place = std::source_location::current()) {
    auto local = columns<Columns>(window.local, place);
    return ColumnsWindow<decltype(local)>{std::move(local), columns<Columns>(window.next, place)};
}

/// The matrix whose rows are these structs of columns, so that a trace is filled by names:
///
///     std::vector<AdderColumns<Fp>> rows;
///     rows.push_back({.a = a, .b = b, .sum = a + b});
///     Result<Matrix> main = whorl::matrix_of<AdderColumns>(rows);
///
/// No row: no column. Errors: kMachine (not enough memory).
template <template <class> class Columns>
Result<Matrix> matrix_of(std::span<const Columns<Fp>> rows) noexcept {
    static_assert(detail::kHasColumnsAlone<Columns>, "all members of a struct of columns are columns");
    Result<Matrix> matrix = Matrix::create(rows.empty() ? 0 : kNumColumns<Columns>, rows.size());
    if (!matrix) return matrix;
    for (std::size_t row = 0; row < rows.size(); ++row) {
        const auto cells = std::bit_cast<std::array<Fp, kNumColumns<Columns>>>(rows[row]);
        for (std::size_t c = 0; c < cells.size(); ++c) matrix->at(row, c) = cells[c];
    }
    return matrix;
}
template <template <class> class Columns>
Result<Matrix> matrix_of(const std::vector<Columns<Fp>>& rows) noexcept {
    return matrix_of<Columns>(std::span<const Columns<Fp>>(rows));
}

template <class Builder>
class ConditionalBuilder;

namespace detail {

// Builders may leave the note out.
template <class Builder, class E>
void assert_zero(Builder& builder, E x, const Note& note) {
    if constexpr (requires { builder.assert_zero(x, note); }) {
        builder.assert_zero(std::move(x), note);
    } else {
        builder.assert_zero(std::move(x));
    }
}

}  // namespace detail

/// The assertions every builder has, in terms of `Derived::assert_zero`, `is_first_row`, `is_last_row` and
/// `is_transition`. `E` is the builder's expression: anything with + - * and a constructor from Fp (and what else of Expr the
/// AIRs use: whole numbers, say). `assert_zero` may take a Note after the expression.
template <class Derived, class E>
class AirBuilder {
public:
    using Expr = E;

    static E constant(std::uint32_t value) { return E(Fp::from_canonical(value)); }
    static E zero() { return E(Fp::zero()); }
    static E one() { return E(Fp::one()); }

    void assert_eq(const E& x, const E& y, const Note& note = Note(std::source_location::current())) {
        detail::assert_zero(self(), E(x - y), note);
    }
    void assert_one(const E& x, const Note& note = Note(std::source_location::current())) {
        detail::assert_zero(self(), E(x - one()), note);
    }
    void assert_bool(const E& x, const Note& note = Note(std::source_location::current())) {
        detail::assert_zero(self(), E(x * (x - one())), note);
    }

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
    void assert_zero(Expr x, const Note& note = Note(std::source_location::current())) {
        for (auto condition = conditions_.rbegin(); condition != conditions_.rend(); ++condition) x = *condition * x;
        detail::assert_zero(*builder_, std::move(x), note);
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

namespace detail {

// Builders may leave out the note, and the names of buses.
template <class Builder>
void push_on_bus(Builder& builder, std::uint16_t index, std::string_view name,
                 std::vector<typename Builder::Expr> message, const typename Builder::Expr& count,
                 std::uint32_t count_weight, const Note& note) {
    if constexpr (requires { builder.name_bus(index, name, note); }) {
        if (!name.empty()) builder.name_bus(index, name, note);
    } else if constexpr (requires { builder.name_bus(index, name); }) {
        if (!name.empty()) builder.name_bus(index, name);
    }
    if constexpr (requires { builder.push_interaction(index, message, count, count_weight, note); }) {
        builder.push_interaction(index, std::move(message), count, count_weight, note);
    } else {
        builder.push_interaction(index, std::move(message), count, count_weight);
    }
}

}  // namespace detail

/// The queries sent to the bus are among the keys added to it. Callers constrain `enabled` to be boolean.
struct LookupBus {
    std::uint16_t index = 0;
    std::string_view name = {};  ///< for messages; all AIRs give a bus one name, or none

    template <class Builder>
    void lookup_key(Builder& builder, std::vector<typename Builder::Expr> query, const typename Builder::Expr& enabled,
                    const Note& note = Note(std::source_location::current())) const {
        detail::push_on_bus(builder, index, name, std::move(query), enabled, 1, note);
    }
    template <class Builder>
    void add_key_with_lookups(Builder& builder, std::vector<typename Builder::Expr> key,
                              const typename Builder::Expr& num_lookups,
                              const Note& note = Note(std::source_location::current())) const {
        detail::push_on_bus(builder, index, name, std::move(key), -num_lookups, 0, note);
    }
};

/// What is sent is what is received, as multisets. Callers constrain `enabled` to be boolean.
struct PermutationBus {
    std::uint16_t index = 0;
    std::string_view name = {};  ///< as LookupBus::name

    template <class Builder>
    void send(Builder& builder, std::vector<typename Builder::Expr> message, const typename Builder::Expr& enabled,
              const Note& note = Note(std::source_location::current())) const {
        detail::push_on_bus(builder, index, name, std::move(message), enabled, 1, note);
    }
    template <class Builder>
    void receive(Builder& builder, std::vector<typename Builder::Expr> message, const typename Builder::Expr& enabled,
                 const Note& note = Note(std::source_location::current())) const {
        detail::push_on_bus(builder, index, name, std::move(message), -enabled, 1, note);
    }
    /// Sends where `direction` is 1, receives where it is −1.
    template <class Builder>
    void interact(Builder& builder, std::vector<typename Builder::Expr> message,
                  const typename Builder::Expr& direction,
                  const Note& note = Note(std::source_location::current())) const {
        detail::push_on_bus(builder, index, name, std::move(message), direction, 1, note);
    }
};

using BusNames = std::map<std::uint16_t, std::map<std::string, Note, std::less<>>>;

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

    void assert_zero(Expr x, Note note = Note(std::source_location::current())) {
        constraints_.push_back(std::move(x));
        constraint_notes_.push_back(std::move(note));
    }
    void push_interaction(std::uint16_t bus_index, std::vector<Expr> message, Expr count, std::uint32_t count_weight,
                          Note note = Note(std::source_location::current())) {
        interactions_.push_back({bus_index, std::move(message), std::move(count), count_weight});
        interaction_notes_.push_back(std::move(note));
    }
    /// The name of a bus in messages; buses with a name of their own say it themselves.
    void name_bus(std::uint16_t bus_index, std::string_view name,
                  const Note& note = Note(std::source_location::current())) {
        bus_names_[bus_index].try_emplace(std::string(name), note);
    }

    const std::vector<Expr>& constraints() const { return constraints_; }
    const std::vector<Interaction<Expr>>& interactions() const { return interactions_; }
    const std::vector<Note>& constraint_notes() const { return constraint_notes_; }
    const std::vector<Note>& interaction_notes() const { return interaction_notes_; }
    /// By bus: each of its names, and where it was first given.
    const BusNames& bus_names() const { return bus_names_; }
    /// Of each part: cached mains, one for cached mains that are not there, the common main, preprocessed columns, public values.
    const std::vector<std::shared_ptr<PartReads>>& reads() const { return reads_; }

private:
    Window<Expr> window(Variable::Entry entry, std::uint32_t part_index, std::uint32_t width, std::string part);
    std::shared_ptr<PartReads> add_part(std::string part, std::size_t width);

    std::vector<std::shared_ptr<PartReads>> reads_;
    Window<Expr> common_main_;
    std::vector<Window<Expr>> cached_mains_;
    Window<Expr> no_part_;
    Window<Expr> preprocessed_;
    Row<Expr> public_values_;
    Expr is_first_row_, is_last_row_, is_transition_;
    std::vector<Expr> constraints_;
    std::vector<Interaction<Expr>> interactions_;
    std::vector<Note> constraint_notes_;
    std::vector<Note> interaction_notes_;
    BusNames bus_names_;
};

/// A base for AIRs: with it a member that says `override` and is misspelt, or of another type, does not compile.
class AirBase {
public:
    virtual ~AirBase() = default;

    virtual std::string name() const = 0;
    virtual std::uint32_t width() const = 0;
    virtual std::vector<std::uint32_t> cached_main_widths() const { return {}; }
    virtual std::optional<Matrix> preprocessed() const { return {}; }
    virtual std::uint32_t num_public_values() const { return 0; }
    virtual bool is_required() const { return false; }
    virtual std::vector<std::string> column_names() const { return {}; }

protected:
    AirBase() = default;
    AirBase(const AirBase&) = default;
    AirBase(AirBase&&) = default;
    AirBase& operator=(const AirBase&) = default;
    AirBase& operator=(AirBase&&) = default;
};

/// Any AIR, its type forgotten: what keygen takes a list of.
class AnyAir {
public:
    template <class Air>
        requires(!std::same_as<Air, AnyAir> && detail::MeansToBeAnAir<Air>)
    AnyAir(Air air) : name(air.name()), common_main_width(static_cast<std::uint32_t>(air.width())) {
        static_assert(detail::check_air_members<Air, SymbolicBuilder>());
        if constexpr (requires { air.cached_main_widths(); }) cached_main_widths = air.cached_main_widths();
        if constexpr (requires { air.preprocessed(); }) preprocessed = air.preprocessed();
        if constexpr (requires { air.num_public_values(); }) {
            num_public_values = static_cast<std::uint32_t>(air.num_public_values());
        }
        if constexpr (requires { air.is_required(); }) is_required = air.is_required();
        if constexpr (requires { air.column_names(); }) column_names = air.column_names();
        eval = [air = std::move(air)](SymbolicBuilder& builder) { air.eval(builder); };
    }

    std::string name;  ///< for messages and tables only: not part of the key
    std::uint32_t common_main_width = 0;
    std::vector<std::uint32_t> cached_main_widths;
    std::optional<Matrix> preprocessed;
    std::uint32_t num_public_values = 0;
    bool is_required = false;
    std::vector<std::string> column_names;  ///< as name
    std::function<void(SymbolicBuilder&)> eval;
};

/// What a prover starts from; `vk` alone is what a verifier needs. Lists have one entry per AIR of the key.
struct ProvingKey {
    VerifyingKey vk;
    std::vector<std::string> air_names;
    std::vector<std::optional<Matrix>> preprocessed;  ///< goes into AirTrace::preprocessed
    KeyNotes notes = {};                              ///< for check_constraints, ProverOptions and Task
};

/// The keys of `airs` in their order (PROTOCOL.md 6.4 to 6.7).
/// Errors (kInvalidArgument): parameters that check_params rejects, no AIR at all; and in one message those of all AIRs, with
/// line, expression, what was expected and found, and a remedy: no main column, a column that does not exist, a struct of columns
/// or a list of names of another width, neither constraint nor interaction, an empty or too long message, a degree above
/// params.max_constraint_degree, two names of a bus, preprocessed columns of a height that is no power of two or does not fit,
/// and what eval() throws. kMachine (memory).
Result<ProvingKey> keygen(const SystemParams& params, std::span<const AnyAir> airs) noexcept;

}  // namespace whorl
