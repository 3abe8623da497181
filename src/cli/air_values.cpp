#include "cli/air_values.hpp"

#include <fmt/format.h>

#include <bit>
#include <charconv>
#include <system_error>

#include "text/printable.hpp"

namespace whorl::cli {
namespace {

Error wrong_option(std::string_view option, std::string_view text, std::string_view what) {
    return {.code = ErrorCode::kInvalidArgument,
            .stage = std::string(option),
            .message = fmt::format("\"{}\": {}", printable(text), what)};
}

}  // namespace

Error wrong_air_option(std::string_view option, std::size_t air_id, std::string_view what) {
    return {.code = ErrorCode::kInvalidArgument,
            .stage = std::string(option),
            .message = fmt::format("AIR {}: {}", air_id, what)};
}

std::optional<std::uint64_t> number_in(std::string_view text, std::uint64_t max) {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || value > max) return std::nullopt;
    return value;
}

Result<AirOption> parse_air_option(std::string_view option, std::string_view form, const std::string& text) {
    const std::size_t equals = text.find('=');
    if (equals == text.npos) return wrong_option(option, text, fmt::format("expected {}", form));
    const auto air_id = number_in(std::string_view(text).substr(0, equals), UINT32_MAX);
    if (!air_id) return wrong_option(option, text, "the index of the AIR is not a whole number of 32 bits");
    return AirOption{.air_id = static_cast<std::size_t>(*air_id), .value = text.substr(equals + 1)};
}

Result<AirHeight> parse_height(const std::string& text, std::size_t num_airs) {
    constexpr std::string_view kOption = "--height";
    const Result<AirOption> air = parse_air_option(kOption, "AIR=ROWS", text);
    if (!air) return air.error();
    if (air->air_id >= num_airs) return wrong_option(kOption, text, fmt::format("the key has {} AIRs", num_airs));
    const auto height = number_in(air->value, std::uint64_t{1} << Fp::kTwoAdicity);
    if (!height || !std::has_single_bit(*height)) {
        return wrong_option(kOption, text, "expected a power of two up to 2^27 as the number of rows");
    }
    return AirHeight{.air_id = air->air_id, .height = *height};
}

Result<AirValues> parse_public_values(const std::string& text) {
    constexpr std::string_view kOption = "--public-values";
    const Result<AirOption> air = parse_air_option(kOption, "AIR=V,V,...", text);
    if (!air) return air.error();
    AirValues values{.air_id = air->air_id, .values = {}};
    for (std::string_view rest = air->value; !rest.empty();) {
        const std::size_t comma = rest.find(',');
        const auto value = number_in(rest.substr(0, comma), Fp::kModulus - 1);
        if (!value) {
            return wrong_option(kOption, text,
                                fmt::format("a public value is not a whole number below {}", Fp::kModulus));
        }
        values.values.push_back(Fp::from_canonical(static_cast<std::uint32_t>(*value)));
        if (comma == rest.npos) break;
        rest.remove_prefix(comma + 1);
        if (rest.empty()) return wrong_option(kOption, text, "ends in a comma");
    }
    return values;
}

}  // namespace whorl::cli
