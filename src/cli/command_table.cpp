#include "cli/command_table.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstddef>
#include <string_view>
#include <utility>

#include "cli/commands.hpp"

namespace whorl::cli {
namespace {

std::vector<std::string> split(std::string_view text, char at) {
    std::vector<std::string> parts;
    while (true) {
        const std::size_t end = text.find(at);
        parts.emplace_back(text.substr(0, end));
        if (end == text.npos) return parts;
        text.remove_prefix(end + 1);
    }
}

// CLI11 adds the range that a value must lie in: "N:INT in [1 - 9]".
std::string without_range(std::string value) {
    const std::size_t colon = value.rfind(':');
    if (colon != value.npos && value.find(" in [", colon) != value.npos) value.resize(colon);
    return value;
}

/// Words that a value may be although it has no closed list of them.
std::vector<std::string> known_words(const CLI::Option& option) {
    if (option.check_lname("device")) return {"cpu", "sim", "gpu", "cuda", "metal"};
    std::vector<std::string> names;
    if (option.check_lname("air")) {
        for (const KeygenAir& air : kKeygenAirs) names.emplace_back(air.name);
    }
    return names;
}

OptionInfo option_info(const CLI::Option& option) {
    OptionInfo info;
    for (const std::string& name : option.get_snames()) info.names.push_back("-" + name);
    for (const std::string& name : option.get_lnames()) info.names.push_back("--" + name);
    info.is_positional = option.get_positional();
    if (info.is_positional) info.names = {option.get_name(true)};
    info.about = option.get_description();
    info.is_required = option.get_required();
    if (option.get_items_expected_max() == 0) return info;
    info.value = without_range(option.get_type_name());
    info.default_value = option.get_default_str();
    info.may_come_again = option.get_items_expected_max() > 1;
    info.words = info.value.find('|') == info.value.npos ? known_words(option) : split(info.value, '|');
    info.kind = info.value == "FILE"  ? ValueKind::kFile
                : info.value == "DIR" ? ValueKind::kFolder
                : !info.words.empty() ? ValueKind::kWord
                                      : ValueKind::kOther;
    return info;
}

CommandInfo command_info(const CLI::App& app, const std::string& parent, bool is_program) {
    CommandInfo info{.name = is_program       ? ""
                             : parent.empty() ? app.get_name()
                                              : parent + ' ' + app.get_name(),
                     .about = app.get_description(),
                     .footer = app.get_footer(),
                     .options = {},
                     .commands = {}};
    for (const CLI::Option* option : app.get_options()) info.options.push_back(option_info(*option));
    for (const CLI::App* command : app.get_subcommands({})) {
        info.commands.push_back(command_info(*command, info.name, false));
    }
    return info;
}

}  // namespace

CommandInfo command_table(const CLI::App& app) {
    return command_info(app, "", true);
}

}  // namespace whorl::cli
