// Bytes to and from Python.
#pragma once

#include <nanobind/nanobind.h>

#include <cstddef>
#include <span>

namespace whorl::python {

inline std::span<const std::byte> to_span(const nanobind::bytes& bytes) {
    return {static_cast<const std::byte*>(bytes.data()), bytes.size()};
}
inline nanobind::bytes to_bytes(std::span<const std::byte> bytes) {
    return nanobind::bytes(bytes.data(), bytes.size());
}

}  // namespace whorl::python
