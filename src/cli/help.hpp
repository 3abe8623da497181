// Help that a terminal can show: choices by their names, and no long lines.
#pragma once

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "text/printable.hpp"

namespace whorl::cli {

inline constexpr std::size_t kHelpColumn = 32;       ///< where explanations of options start
inline constexpr std::size_t kMaxHelpColumns = 100;  ///< of a line

/// Breaks the lines of `text` that are longer than kMaxHelpColumns at spaces. What follows is indented as the line is, or to
/// kHelpColumn in a list of options.
std::string wrap_help(std::string_view text);

/// A number from `min` to `max`, both included. Help shows "min..max", an error what was found.
template <class T>
CLI::Validator in_range(T min, T max) {
    const auto check = [min, max](const std::string& text) {
        T value{};
        // Decimal alone: CLI11 reads 010 as 8 and 0x10 as 16. NaN is in no range.
        constexpr bool kIsWhole = std::is_integral_v<T>;
        const bool is_decimal = text.find_first_not_of(kIsWhole ? "0123456789" : "0123456789.eE+-") == text.npos &&
                                !(kIsWhole && text.size() > 1 && text.front() == '0');
        if (is_decimal && CLI::detail::lexical_cast(text, value) && value >= min && value <= max) return std::string();
        return fmt::format("expected {} to {}, found \"{}\"", min, max, printable(text));
    };
    return {check, fmt::format("{}..{}", min, max)};
}

/// An option that takes one of `choices` by name. Help shows "NAME1|NAME2" and the default, an error what there is.
template <class T>
CLI::Option* add_choice(CLI::App& app, std::string name, T& value, std::vector<std::pair<std::string, T>> choices,
                        std::string about) {
    std::string names;
    std::string default_name;
    for (const auto& [choice, meaning] : choices) {
        names += (names.empty() ? "" : "|") + choice;
        if (meaning == value) default_name = choice;
    }
    // Sets `chosen` where it is given; an empty text is the answer that all is well.
    const auto choose = [choices, names](const std::string& text, T* chosen) {
        const auto found = std::ranges::find(choices, text, &std::pair<std::string, T>::first);
        if (found == choices.end()) return "expected " + names + ", found \"" + text + "\"";
        if (chosen != nullptr) *chosen = found->second;
        return std::string();
    };
    CLI::Option* option = app.add_option_function<std::string>(
        std::move(name), [&value, choose](const std::string& text) { choose(text, &value); }, std::move(about));
    return option->type_name(std::move(names))
        ->default_str(std::move(default_name))
        ->check(CLI::Validator([choose](const std::string& text) { return choose(text, nullptr); }, ""));
}

}  // namespace whorl::cli
