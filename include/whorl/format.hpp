// Field elements in std::format, where the standard library has it, and in fmt, where it is installed. The other headers
// include neither.
#pragma once

#include <cstdint>
#include <version>

#include <whorl/field.hpp>

#ifdef __cpp_lib_format
#include <format>

/// The canonical number, with the format specifications of an integer: `std::format("{:08x}", x)`.
template <class Char>
struct std::formatter<whorl::Fp, Char> : std::formatter<std::uint32_t, Char> {
    template <class Context>
    auto format(whorl::Fp x, Context& context) const {
        return std::formatter<std::uint32_t, Char>::format(x.canonical(), context);
    }
};
/// "(1, 2, 3, 4)".
template <>
struct std::formatter<whorl::Fp4> : std::formatter<std::string> {
    template <class Context>
    auto format(const whorl::Fp4& x, Context& context) const {
        return std::formatter<std::string>::format(to_string(x), context);
    }
};
#endif

#if __has_include(<fmt/format.h>)
#include <fmt/format.h>

template <class Char>
struct fmt::formatter<whorl::Fp, Char> : fmt::formatter<std::uint32_t, Char> {
    template <class Context>
    auto format(whorl::Fp x, Context& context) const {
        return fmt::formatter<std::uint32_t, Char>::format(x.canonical(), context);
    }
};
template <>
struct fmt::formatter<whorl::Fp4> : fmt::formatter<std::string> {
    template <class Context>
    auto format(const whorl::Fp4& x, Context& context) const {
        return fmt::formatter<std::string>::format(to_string(x), context);
    }
};
#endif
