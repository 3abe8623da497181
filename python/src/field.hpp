// Field elements as Python's whole numbers.
#pragma once

#include <nanobind/nanobind.h>

#include <cstdint>
#include <optional>

#include <whorl/field.hpp>

namespace whorl::python {

/// `number` mod p, where it is a whole number (of Python, of NumPy, or anything else with __index__) and no bool; throws what
/// __index__ does.
inline std::optional<Fp> to_field(nanobind::handle number) {
    if (PyBool_Check(number.ptr()) || !PyIndex_Check(number.ptr())) return {};
    const auto index = nanobind::steal(PyNumber_Index(number.ptr()));
    if (!index.is_valid()) throw nanobind::python_error();
    const auto modulus = nanobind::steal(PyLong_FromUnsignedLong(Fp::kModulus));
    const auto reduced = nanobind::steal(PyNumber_Remainder(index.ptr(), modulus.ptr()));
    if (!reduced.is_valid()) throw nanobind::python_error();
    return Fp::from_canonical(static_cast<std::uint32_t>(PyLong_AsUnsignedLong(reduced.ptr())));
}

}  // namespace whorl::python

namespace nanobind::detail {

/// A field element is its canonical number; any whole number is taken mod p.
template <>
struct type_caster<whorl::Fp> {
    NB_TYPE_CASTER(whorl::Fp, const_name("int"))

    bool from_python(handle source, std::uint8_t, cleanup_list*) noexcept {
        try {
            const std::optional<whorl::Fp> element = whorl::python::to_field(source);
            if (element) value = *element;
            return element.has_value();
        } catch (...) {
            PyErr_Clear();
            return false;
        }
    }
    static handle from_cpp(whorl::Fp element, rv_policy, cleanup_list*) noexcept {
        return PyLong_FromUnsignedLong(element.canonical());
    }
};

}  // namespace nanobind::detail
