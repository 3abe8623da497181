// Options of the form AIR=…, where AIR is the index of an AIR in the key.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <whorl/error.hpp>
#include <whorl/field.hpp>

namespace whorl::cli {

/// The whole of `text` as a number up to `max`.
std::optional<std::uint64_t> number_in(std::string_view text, std::uint64_t max);

/// An error that names `option` and the AIR.
Error wrong_air_option(std::string_view option, std::size_t air_id, std::string_view what);

/// What stands on both sides of "=".
struct AirOption {
    std::size_t air_id = 0;
    std::string value;
};
/// Errors: kInvalidArgument, naming `option`; `form` says what is expected, as "AIR=ROWS".
Result<AirOption> parse_air_option(std::string_view option, std::string_view form, const std::string& text);

/// "AIR=ROWS" of --height, a power of two, for a key of `num_airs` AIRs.
struct AirHeight {
    std::size_t air_id = 0;
    std::uint64_t height = 0;
};
Result<AirHeight> parse_height(const std::string& text, std::size_t num_airs);

/// "AIR=V,V,…"; nothing after "=" stands for no values.
struct AirValues {
    std::size_t air_id = 0;
    std::vector<Fp> values;
};
Result<AirValues> parse_public_values(const std::string& text);

/// Keeps what `option` gives an AIR.
/// Errors: kInvalidArgument where it was given for this AIR before.
template <typename T>
Result<void> set_once(std::map<std::size_t, T>& by_air, std::size_t air_id, T value, std::string_view option) {
    if (by_air.emplace(air_id, std::move(value)).second) return {};
    return wrong_air_option(option, air_id, "given twice");
}

}  // namespace whorl::cli
