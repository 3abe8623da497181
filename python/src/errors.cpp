#include "errors.hpp"

#include <string_view>

namespace nb = nanobind;

namespace whorl::python {
namespace {

[[noreturn]] void raise_made(const nb::object& exception) {
    PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(exception.ptr())), exception.ptr());
    throw nb::python_error();
}

std::string_view name_of(ErrorCode code) {
    switch (code) {
        case ErrorCode::kInvalidArgument:
            return "invalid_argument";
        case ErrorCode::kBadFormat:
            return "bad_format";
        case ErrorCode::kIo:
            return "io";
        case ErrorCode::kUnsatisfied:
            return "unsatisfied";
        case ErrorCode::kMachine:
            return "machine";
        case ErrorCode::kInternal:
            return "internal";
        case ErrorCode::kCancelled:
            return "cancelled";
    }
    return "internal";
}

nb::str text(std::string_view text) {
    return nb::str(text.data(), text.size());
}

[[noreturn]] void raise(std::string_view code, std::string_view stage, std::string_view message) {
    raise_made(nb::module_::import_("whorl.errors").attr("error_of")(text(code), text(stage), text(message)));
}

}  // namespace

void raise(const Error& error) {
    raise(name_of(error.code), error.stage, error.message);
}

void raise(const VerifyError& error) {
    if (!is_judgement(error.kind)) {
        raise(error.kind == VerifyErrorKind::kMachine ? "machine" : "internal", error.stage, to_string(error));
    }
    const std::string message = to_string(error);
    raise_made(nb::module_::import_("whorl.errors")
                   .attr("RejectedError")(text(message), text(name(error.kind)), text(error.stage), text(error.place),
                                          text(error.expected), text(error.found)));
}

void raise_type(const char* expected, nb::handle found) {
    const nb::object name = found.type().attr("__name__");
    PyErr_Format(PyExc_TypeError, "expected %s, found %S", expected, name.ptr());
    throw nb::python_error();
}

void raise_invalid(const char* stage, const char* message) {
    raise("invalid_argument", stage, message);
}

}  // namespace whorl::python
