// AIRs that are written in Python: whorl/air.py is the builder that their eval() sees.
#include <whorl/air.hpp>

#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "errors.hpp"
#include "field.hpp"
#include "keys.hpp"
#include "matrices.hpp"
#include "released.hpp"

namespace nb = nanobind;
using namespace nb::literals;

namespace whorl::python {
namespace {

// Notes refer to the names of files, which are few.
const char* interned(const std::string& file) {
    static std::mutex mutex;
    static std::set<std::string> files;
    const std::lock_guard lock(mutex);
    return files.insert(file).first->c_str();
}

Note note(const std::string& label, const std::string& file, std::uint32_t line) {
    return {label, interned(file), line};
}

// An expression of Python, and the evaluation of an AIR that its columns are of; 0: it has none.
struct BoundExpr {
    Expr expr;
    std::uint64_t evaluation = 0;
};

// What of two expressions is combined must be of one evaluation: columns of another AIR mean others here.
std::uint64_t common_evaluation(std::uint64_t a, std::uint64_t b) {
    if (a != 0 && b != 0 && a != b) {
        raise_invalid("keygen", "an expression of another AIR, or of another run of eval(), is used here");
    }
    return a != 0 ? a : b;
}

std::optional<BoundExpr> to_expr(nb::handle operand) {
    if (nb::isinstance<BoundExpr>(operand)) return nb::cast<const BoundExpr&>(operand);
    if (const std::optional<Fp> constant = to_field(operand)) return BoundExpr{Expr(*constant)};
    return {};
}

BoundExpr expect_expr(nb::handle operand) {
    std::optional<BoundExpr> expr = to_expr(operand);
    if (!expr) raise_type("an expression or a whole number", operand);
    return *std::move(expr);
}

// What Python does with an operand that is neither expression nor number: it asks the operand, then raises TypeError.
template <class Combine>
nb::object combine(const BoundExpr& a, nb::handle other, const Combine& combine) {
    const std::optional<BoundExpr> b = to_expr(other);
    if (!b) return nb::borrow(Py_NotImplemented);
    return nb::cast(BoundExpr{combine(a.expr, b->expr), common_evaluation(a.evaluation, b->evaluation)});
}

// The builder of one evaluation of an AIR.
class BoundBuilder {
public:
    explicit BoundBuilder(SymbolicBuilder* builder) : builder_(builder), evaluation_(++num_evaluations) {}

    SymbolicBuilder* operator->() const { return builder_; }
    BoundExpr bound(Expr expr) const { return {std::move(expr), evaluation_}; }
    /// The operand as an expression of this evaluation.
    Expr own(nb::handle operand) const {
        BoundExpr expr = expect_expr(operand);
        common_evaluation(expr.evaluation, evaluation_);
        return std::move(expr.expr);
    }
    std::vector<BoundExpr> row(const Row<Expr>& row) const {
        std::vector<BoundExpr> out;
        for (const Expr& x : row) out.push_back(bound(x));
        return out;
    }
    nb::tuple window(const Window<Expr>& window) const { return nb::make_tuple(row(window.local), row(window.next)); }

private:
    static inline std::atomic<std::uint64_t> num_evaluations = 0;
    SymbolicBuilder* builder_;
    std::uint64_t evaluation_;
};

// An AIR of Python; its first exception is kept for the caller of keygen.
struct PythonAir {
    struct Evaluation {
        nb::callable eval;
        std::optional<nb::python_error>* raised;

        Evaluation(nb::callable eval, std::optional<nb::python_error>* raised)
            : eval(std::move(eval)), raised(raised) {}
        Evaluation(const Evaluation&) = delete;
        Evaluation& operator=(const Evaluation&) = delete;
        ~Evaluation() {
            const nb::gil_scoped_acquire gil;
            eval.reset();
        }
    };

    std::string air_name;
    std::uint32_t num_columns = 0;
    std::vector<std::uint32_t> cached;
    std::optional<Matrix> fixed;
    std::uint32_t num_values = 0;
    bool required = false;
    std::vector<std::string> columns;
    std::shared_ptr<Evaluation> evaluation;

    std::string name() const { return air_name; }
    std::uint32_t width() const { return num_columns; }
    std::vector<std::uint32_t> cached_main_widths() const { return cached; }
    std::optional<Matrix> preprocessed() const { return fixed; }
    std::uint32_t num_public_values() const { return num_values; }
    bool is_required() const { return required; }
    std::vector<std::string> column_names() const { return columns; }

    template <class Builder>
    void eval(Builder& builder) const {
        const nb::gil_scoped_acquire gil;
        try {
            evaluation->eval(BoundBuilder(&builder));
        } catch (nb::python_error& error) {
            const std::string text = error.what();
            if (!evaluation->raised->has_value()) evaluation->raised->emplace(std::move(error));
            throw std::runtime_error(text);
        }
    }
};

PythonAir to_air(nb::handle spec, std::optional<nb::python_error>* raised) {
    PythonAir air;
    air.air_name = nb::cast<std::string>(spec.attr("name"));
    air.num_columns = nb::cast<std::uint32_t>(spec.attr("width"));
    air.cached = nb::cast<std::vector<std::uint32_t>>(spec.attr("cached_main_widths"));
    const nb::object fixed = spec.attr("preprocessed");
    if (!fixed.is_none()) air.fixed = nb::cast<const HeldMatrix&>(fixed).view();
    air.num_values = nb::cast<std::uint32_t>(spec.attr("num_public_values"));
    air.required = nb::cast<bool>(spec.attr("is_required"));
    air.columns = nb::cast<std::vector<std::string>>(spec.attr("column_names"));
    air.evaluation = std::make_shared<PythonAir::Evaluation>(nb::cast<nb::callable>(spec.attr("eval")), raised);
    return air;
}

// The preprocessed columns of AIRs are arrays of others: a key has its own.
Result<void> own_preprocessed(ProvingKey& key) {
    for (std::optional<Matrix>& columns : key.preprocessed) {
        if (!columns) continue;
        Result<Matrix> own = copy_of(*columns);
        if (!own) return std::move(own).error();
        columns = *std::move(own);
    }
    return {};
}

ProvingKey make_key(const SystemParams& params, const nb::list& specs) {
    std::optional<nb::python_error> raised;
    std::vector<AnyAir> airs;
    for (const nb::handle spec : specs) airs.emplace_back(to_air(spec, &raised));
    Result<ProvingKey> key = [&]() -> Result<ProvingKey> {
        const Released released;
        Result<ProvingKey> made = keygen(params, airs);
        if (made) {
            if (Result<void> own = own_preprocessed(*made); !own) return std::move(own).error();
        }
        return made;
    }();
    if (raised) {
        raised->restore();
        throw nb::python_error();
    }
    return take(std::move(key));
}

void bind_expr(nb::module_& module) {
    nb::class_<BoundExpr>(module, "Expr", R"(An expression over the columns of an AIR.

``+``, ``-``, ``*`` and ``**`` take expressions and whole numbers, which count mod p. Nothing is simplified: the degree is that
of the expression as it is written. It is good for the call of ``eval`` that made it.)")
        .def(
            "__add__",
            [](const BoundExpr& self, nb::handle other) {
                return combine(self, other, [](const Expr& a, const Expr& x) { return a + x; });
            },
            nb::sig("def __add__(self, other: Expr | typing.SupportsIndex, /) -> Expr"))
        .def(
            "__radd__",
            [](const BoundExpr& self, nb::handle other) {
                return combine(self, other, [](const Expr& a, const Expr& x) { return x + a; });
            },
            nb::sig("def __radd__(self, other: Expr | typing.SupportsIndex, /) -> Expr"))
        .def(
            "__sub__",
            [](const BoundExpr& self, nb::handle other) {
                return combine(self, other, [](const Expr& a, const Expr& x) { return a - x; });
            },
            nb::sig("def __sub__(self, other: Expr | typing.SupportsIndex, /) -> Expr"))
        .def(
            "__rsub__",
            [](const BoundExpr& self, nb::handle other) {
                return combine(self, other, [](const Expr& a, const Expr& x) { return x - a; });
            },
            nb::sig("def __rsub__(self, other: Expr | typing.SupportsIndex, /) -> Expr"))
        .def(
            "__mul__",
            [](const BoundExpr& self, nb::handle other) {
                return combine(self, other, [](const Expr& a, const Expr& x) { return a * x; });
            },
            nb::sig("def __mul__(self, other: Expr | typing.SupportsIndex, /) -> Expr"))
        .def(
            "__rmul__",
            [](const BoundExpr& self, nb::handle other) {
                return combine(self, other, [](const Expr& a, const Expr& x) { return x * a; });
            },
            nb::sig("def __rmul__(self, other: Expr | typing.SupportsIndex, /) -> Expr"))
        .def("__neg__", [](const BoundExpr& a) { return BoundExpr{-a.expr, a.evaluation}; })
        .def("__pos__", [](const BoundExpr& a) { return a; })
        .def(
            "__pow__",
            [](const BoundExpr& a, std::uint32_t exponent) {
                if (exponent == 0 || exponent > 255) {
                    PyErr_SetString(PyExc_ValueError, "expected an exponent from 1 to 255");
                    throw nb::python_error();
                }
                Expr product = a.expr;
                for (std::uint32_t i = 1; i < exponent; ++i) product = product * a.expr;
                return BoundExpr{std::move(product), a.evaluation};
            },
            "exponent"_a, "The product of so many factors, taken from the left.")
        .def_prop_ro(
            "degree", [](const BoundExpr& a) { return a.expr.degree(); },
            "Columns and selectors count 1, sums take the maximum, products add up.")
        .def("__eq__",
             [](const BoundExpr&, nb::handle) -> bool {
                 PyErr_SetString(
                     PyExc_TypeError,
                     "two expressions are not compared by ==; b.assert_eq(x, y) constrains them to be equal");
                 throw nb::python_error();
             })
        .def("__bool__",
             [](const BoundExpr&) -> bool {
                 PyErr_SetString(PyExc_TypeError,
                                 "an expression is neither true nor false; b.when(x) makes an assertion depend on it");
                 throw nb::python_error();
             })
        .def("__hash__", [](const BoundExpr& a) { return reinterpret_cast<std::uintptr_t>(&a.expr.node()); })
        .def("__repr__",
             [](const BoundExpr& a) { return "<whorl.Expr of degree " + std::to_string(a.expr.degree()) + ">"; });
    module.def(
        "constant", [](nb::handle number) { return expect_expr(number); }, "number"_a,
        "A whole number as an expression.");
}

}  // namespace

void bind_airs(nb::module_& module) {
    bind_expr(module);
    nb::class_<BoundBuilder>(module, "SymbolicBuilder", "What whorl.air.Builder writes to.")
        .def("main", [](const BoundBuilder& b) { return b.window(b->main()); })
        .def_prop_ro("num_cached_mains", [](const BoundBuilder& b) { return b->num_cached_mains(); })
        .def("cached_main", [](const BoundBuilder& b, std::size_t part) { return b.window(b->cached_main(part)); })
        .def("preprocessed", [](const BoundBuilder& b) { return b.window(b->preprocessed()); })
        .def("public_values", [](const BoundBuilder& b) { return b.row(b->public_values()); })
        .def("is_first_row", [](const BoundBuilder& b) { return b.bound(b->is_first_row()); })
        .def("is_last_row", [](const BoundBuilder& b) { return b.bound(b->is_last_row()); })
        .def("is_transition", [](const BoundBuilder& b) { return b.bound(b->is_transition()); })
        .def("assert_zero", [](const BoundBuilder& b, nb::handle x, const std::string& label, const std::string& file,
                               std::uint32_t line) { b->assert_zero(b.own(x), note(label, file, line)); })
        .def("push_interaction", [](const BoundBuilder& b, std::uint16_t bus, const nb::sequence& message,
                                    nb::handle count, std::uint32_t count_weight, const std::string& name,
                                    const std::string& label, const std::string& file, std::uint32_t line) {
            std::vector<Expr> fields;
            for (const nb::handle field : message) fields.push_back(b.own(field));
            const Note where = note(label, file, line);
            if (!name.empty()) b->name_bus(bus, name, where);
            b->push_interaction(bus, std::move(fields), b.own(count), count_weight, where);
        });
    module.def("keygen", &make_key, "params"_a, "airs"_a);
}

}  // namespace whorl::python
