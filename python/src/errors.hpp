// whorl's errors as the exceptions of whorl/errors.py.
#pragma once

#include <nanobind/nanobind.h>

#include <type_traits>
#include <utility>

#include <whorl/error.hpp>
#include <whorl/verify.hpp>

namespace whorl::python {

/// Throws the Python exception for `error`; the caller holds the GIL.
[[noreturn]] void raise(const Error& error);
[[noreturn]] void raise(const VerifyError& error);
/// A TypeError: "expected <expected>, found <the type of `found`>".
[[noreturn]] void raise_type(const char* expected, nanobind::handle found);
/// An InvalidArgumentError.
[[noreturn]] void raise_invalid(const char* stage, const char* message);

/// The value, or the exception.
template <class T, class E>
T take(Result<T, E>&& result) {
    if (!result) raise(result.error());
    if constexpr (!std::is_void_v<T>) return *std::move(result);
}

}  // namespace whorl::python
