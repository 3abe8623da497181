// AIRs that are written in Python: whorl/air.py is the builder that their eval() sees.
#include <whorl/air.hpp>

#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
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

std::optional<Expr> to_expr(nb::handle operand) {
    if (nb::isinstance<Expr>(operand)) return nb::cast<const Expr&>(operand);
    if (const std::optional<Fp> constant = to_field(operand)) return Expr(*constant);
    return {};
}

Expr expect_expr(nb::handle operand) {
    std::optional<Expr> expr = to_expr(operand);
    if (!expr) {
        raise_type("an expression or a whole number", operand);
    }
    return *std::move(expr);
}

// What Python does with an operand that is neither expression nor number: it asks the operand, then raises TypeError.
template <class Combine>
nb::object combine(nb::handle other, const Combine& combine) {
    const std::optional<Expr> operand = to_expr(other);
    if (!operand) return nb::borrow(Py_NotImplemented);
    return nb::cast(combine(*operand));
}

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
            evaluation->eval(nb::cast(&builder, nb::rv_policy::reference));
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
        Result<Matrix> own = Matrix::create(columns->width(), columns->height());
        if (!own) return std::move(own).error();
        std::ranges::copy(std::as_const(*columns).values(), own->values().begin());
        columns = *std::move(own);
    }
    return {};
}

ProvingKey make_key(const SystemParams& params, const nb::list& specs) {
    std::optional<nb::python_error> raised;
    std::vector<AnyAir> airs;
    for (const nb::handle spec : specs) airs.emplace_back(to_air(spec, &raised));
    Result<ProvingKey> key = [&]() -> Result<ProvingKey> {
        const nb::gil_scoped_release released;
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

std::vector<Expr> expressions(const Row<Expr>& row) {
    return {row.begin(), row.end()};
}
nb::tuple window(const Window<Expr>& window) {
    return nb::make_tuple(expressions(window.local), expressions(window.next));
}

void bind_expr(nb::module_& module) {
    nb::class_<Expr>(module, "Expr", R"(An expression over the columns of an AIR.

``+``, ``-``, ``*`` and ``**`` take expressions and whole numbers, which count mod p. Nothing is simplified: the degree is that
of the expression as it is written.)")
        .def(
            "__add__", [](const Expr& a, nb::handle b) { return combine(b, [&](const Expr& x) { return a + x; }); },
            nb::sig("def __add__(self, other: Expr | typing.SupportsIndex, /) -> Expr"))
        .def(
            "__radd__", [](const Expr& a, nb::handle b) { return combine(b, [&](const Expr& x) { return x + a; }); },
            nb::sig("def __radd__(self, other: Expr | typing.SupportsIndex, /) -> Expr"))
        .def(
            "__sub__", [](const Expr& a, nb::handle b) { return combine(b, [&](const Expr& x) { return a - x; }); },
            nb::sig("def __sub__(self, other: Expr | typing.SupportsIndex, /) -> Expr"))
        .def(
            "__rsub__", [](const Expr& a, nb::handle b) { return combine(b, [&](const Expr& x) { return x - a; }); },
            nb::sig("def __rsub__(self, other: Expr | typing.SupportsIndex, /) -> Expr"))
        .def(
            "__mul__", [](const Expr& a, nb::handle b) { return combine(b, [&](const Expr& x) { return a * x; }); },
            nb::sig("def __mul__(self, other: Expr | typing.SupportsIndex, /) -> Expr"))
        .def(
            "__rmul__", [](const Expr& a, nb::handle b) { return combine(b, [&](const Expr& x) { return x * a; }); },
            nb::sig("def __rmul__(self, other: Expr | typing.SupportsIndex, /) -> Expr"))
        .def("__neg__", [](const Expr& a) { return -a; })
        .def("__pos__", [](const Expr& a) { return a; })
        .def(
            "__pow__",
            [](const Expr& a, std::uint32_t exponent) {
                if (exponent == 0 || exponent > 255) {
                    PyErr_SetString(PyExc_ValueError, "expected an exponent from 1 to 255");
                    throw nb::python_error();
                }
                Expr product = a;
                for (std::uint32_t i = 1; i < exponent; ++i) product = product * a;
                return product;
            },
            "exponent"_a, "The product of so many factors, taken from the left.")
        .def_prop_ro("degree", &Expr::degree, "Columns and selectors count 1, sums take the maximum, products add up.")
        .def("__eq__",
             [](const Expr&, nb::handle) -> bool {
                 PyErr_SetString(
                     PyExc_TypeError,
                     "two expressions are not compared by ==; b.assert_eq(x, y) constrains them to be equal");
                 throw nb::python_error();
             })
        .def("__bool__",
             [](const Expr&) -> bool {
                 PyErr_SetString(PyExc_TypeError,
                                 "an expression is neither true nor false; b.when(x) makes an assertion depend on it");
                 throw nb::python_error();
             })
        .def("__hash__", [](const Expr& a) { return reinterpret_cast<std::uintptr_t>(&a.node()); })
        .def("__repr__", [](const Expr& a) { return "<whorl.Expr of degree " + std::to_string(a.degree()) + ">"; });
    module.def(
        "constant", [](nb::handle number) { return expect_expr(number); }, "number"_a,
        "A whole number as an expression.");
}

}  // namespace

void bind_airs(nb::module_& module) {
    bind_expr(module);
    nb::class_<SymbolicBuilder>(module, "SymbolicBuilder", "What whorl.air.Builder writes to.")
        .def("main", [](const SymbolicBuilder& b) { return window(b.main()); })
        .def_prop_ro("num_cached_mains", &SymbolicBuilder::num_cached_mains)
        .def("cached_main", [](const SymbolicBuilder& b, std::size_t part) { return window(b.cached_main(part)); })
        .def("preprocessed", [](const SymbolicBuilder& b) { return window(b.preprocessed()); })
        .def("public_values", [](const SymbolicBuilder& b) { return expressions(b.public_values()); })
        .def("is_first_row", &SymbolicBuilder::is_first_row)
        .def("is_last_row", &SymbolicBuilder::is_last_row)
        .def("is_transition", &SymbolicBuilder::is_transition)
        .def("assert_zero", [](SymbolicBuilder& b, nb::handle x, const std::string& label, const std::string& file,
                               std::uint32_t line) { b.assert_zero(expect_expr(x), note(label, file, line)); })
        .def("push_interaction", [](SymbolicBuilder& b, std::uint16_t bus, const nb::sequence& message,
                                    nb::handle count, std::uint32_t count_weight, const std::string& name,
                                    const std::string& label, const std::string& file, std::uint32_t line) {
            std::vector<Expr> fields;
            for (const nb::handle field : message) fields.push_back(expect_expr(field));
            const Note where = note(label, file, line);
            if (!name.empty()) b.name_bus(bus, name, where);
            b.push_interaction(bus, std::move(fields), expect_expr(count), count_weight, where);
        });
    module.def("keygen", &make_key, "params"_a, "airs"_a);
}

}  // namespace whorl::python
