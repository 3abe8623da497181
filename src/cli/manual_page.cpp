#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstddef>
#include <string_view>
#include <utility>

#include <whorl/version.hpp>

#include "cli/command_table.hpp"

namespace whorl::cli {
namespace {

/// Text as roff prints it: no letter of a line is a request, and a hyphen is one that can be copied.
std::string roff(std::string_view text) {
    std::string out;
    bool is_line_start = true;
    for (const char c : text) {
        if (is_line_start && (c == '.' || c == '\'')) out += "\\&";
        if (c == '\\') {
            out += "\\e";
        } else if (c == '-') {
            out += "\\-";
        } else {
            out += c;
        }
        is_line_start = c == '\n';
    }
    return out;
}

std::string bold(std::string_view text) {
    return fmt::format("\\fB{}\\fR", roff(text));
}

std::string italic(std::string_view text) {
    return fmt::format("\\fI{}\\fR", roff(text));
}

/// Paragraphs of running text, and lists ("Examples:" and indented lines) line by line.
std::string paragraphs(std::string_view text) {
    std::string out;
    while (!text.empty()) {
        const std::size_t end = text.find("\n\n");
        const std::string_view block = text.substr(0, end);
        text.remove_prefix(end == text.npos ? text.size() : end + 2);
        const std::size_t line_end = block.find('\n');
        const bool is_list = line_end != block.npos && block.substr(0, line_end).ends_with(':') &&
                             block.substr(line_end + 1).starts_with("  ");
        if (is_list) {
            out += fmt::format(".PP\n{}\n.PP\n.nf\n{}\n.fi\n", roff(block.substr(0, line_end)),
                               roff(block.substr(line_end + 1)));
        } else {
            out += fmt::format(".PP\n{}\n", roff(block));
        }
    }
    return out;
}

std::string option_text(const OptionInfo& option) {
    std::vector<std::string> names;
    for (const std::string& name : option.names) names.push_back(option.is_positional ? italic(name) : bold(name));
    std::string text = fmt::format(".TP\n{}", fmt::join(names, ", "));
    if (!option.value.empty() && !option.is_positional) text += ' ' + italic(option.value);
    text += '\n' + roff(option.about);
    if (option.is_required) text += " (required)";
    if (!option.default_value.empty()) text += fmt::format(" (default: {})", roff(option.default_value));
    return text + '\n';
}

std::string synopsis(const CommandInfo& command) {
    std::string text = bold("whorl " + command.name);
    for (const OptionInfo& option : command.options) {
        if (option.is_positional)
            text += ' ' + (option.is_required ? italic(option.names[0]) : '[' + italic(option.names[0]) + ']');
    }
    for (const OptionInfo& option : command.options) {
        if (!option.is_positional && option.is_required)
            text += ' ' + bold(option.names.back()) + ' ' + italic(option.value);
    }
    return text + " [" + italic("options") + "]\n";
}

void add_commands(const CommandInfo& command, std::string& synopses, std::string& sections) {
    for (const CommandInfo& inner : command.commands) {
        if (inner.commands.empty()) {
            synopses += (synopses.empty() ? "" : ".br\n") + synopsis(inner);
            sections +=
                fmt::format(".SS whorl {}\n{}.\n{}", roff(inner.name), roff(inner.about), paragraphs(inner.footer));
            for (const OptionInfo& option : inner.options) sections += option_text(option);
        }
        add_commands(inner, synopses, sections);
    }
}

}  // namespace

std::string manual_page(const CommandInfo& table) {
    std::string synopses, sections;
    add_commands(table, synopses, sections);
    std::string options;
    for (const OptionInfo& option : table.options) options += option_text(option);
    return fmt::format(
        ".\\\" Made by `whorl man`.\n"
        ".TH WHORL 1 \"\" \"whorl {}\" \"User Commands\"\n"
        ".SH NAME\n"
        "whorl \\- prove and verify with SWIRL, the proof system of OpenVM's stark\\-backend v2\n"
        ".SH SYNOPSIS\n{}"
        ".SH DESCRIPTION\n{}{}"
        ".SH OPTIONS\n{}"
        ".SH COMMANDS\n{}"
        ".SH ENVIRONMENT\n"
        ".TP\n\\fBNO_COLOR\\fR\nNot empty: no colours on a terminal.\n"
        ".TP\n\\fBWHORL_CUDA_SYNC\\fR\n1: each command to an NVIDIA GPU is waited for, so that an error names the one "
        "that failed.\n",
        WHORL_VERSION, synopses, paragraphs(table.about), paragraphs(table.footer), options, sections);
}

}  // namespace whorl::cli
