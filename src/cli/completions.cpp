#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstddef>
#include <functional>
#include <string_view>
#include <utility>

#include "cli/command_table.hpp"

namespace whorl::cli {
namespace {

/// Calls `visit` for each command, the program itself first.
void for_each_command(const CommandInfo& command, const std::function<void(const CommandInfo&)>& visit) {
    visit(command);
    for (const CommandInfo& inner : command.commands) for_each_command(inner, visit);
}

std::string last_word(const std::string& name) {
    return name.substr(name.rfind(' ') + 1);
}

/// `text` between single quotes, for a shell of Bourne's family.
std::string quoted(std::string_view text) {
    std::string out = "'";
    for (const char c : text) {
        if (c == '\'') out += "'\\'";  // ends the quotes, and begins them again after this one
        out += c;
    }
    out += '\'';
    return out;
}

std::vector<std::string> command_words(const CommandInfo& command) {
    std::vector<std::string> words;
    for (const CommandInfo& inner : command.commands) words.push_back(last_word(inner.name));
    if (command.name.empty()) words.emplace_back("help");
    return words;
}

// ---- bash ---------------------------------------------------------------------------------------------------------

/// The line of a `case` that completes a value.
std::string bash_value(const OptionInfo& option) {
    switch (option.kind) {
        case ValueKind::kFile:
            return "_whorl_files -f";
        case ValueKind::kFolder:
            return "_whorl_files -d";
        case ValueKind::kWord:
            return fmt::format("_whorl_words {}", quoted(fmt::format("{}", fmt::join(option.words, " "))));
        case ValueKind::kNone:
        case ValueKind::kOther:
            break;
    }
    return "true";
}

}  // namespace

std::string bash_completions(const CommandInfo& table) {
    std::string commands, values, words;
    for_each_command(table, [&](const CommandInfo& command) {
        std::vector<std::string> names;
        std::string positional = "true";
        for (const OptionInfo& option : command.options) {
            if (option.is_positional) {
                positional = bash_value(option);
                continue;
            }
            names.insert(names.end(), option.names.begin(), option.names.end());
            if (option.kind == ValueKind::kNone) continue;
            std::vector<std::string> patterns;
            for (const std::string& name : option.names) patterns.push_back(quoted(command.name + ':' + name));
            values += fmt::format("        {}) {}; return ;;\n", fmt::join(patterns, "|"), bash_value(option));
        }
        if (!command.commands.empty()) {
            positional =
                fmt::format("_whorl_words {}", quoted(fmt::format("{}", fmt::join(command_words(command), " "))));
        }
        words += fmt::format("        {})\n            if [[ $cur == -* ]]; then _whorl_words {}; else {}; fi ;;\n",
                             quoted(command.name), quoted(fmt::format("{}", fmt::join(names, " "))), positional);
        if (!command.name.empty()) {
            const std::string before =
                command.name.find(' ') == std::string::npos
                    ? ":" + command.name
                    : command.name.substr(0, command.name.rfind(' ')) + ':' + last_word(command.name);
            commands += fmt::format("{}{}", commands.empty() ? "" : "|", quoted(before));
        }
    });
    return "# bash completion for whorl: made by `whorl completions bash`\n"
           "_whorl_words() { mapfile -t COMPREPLY < <(compgen -W \"$1\" -- \"$cur\"); }\n"
           "_whorl_files() {\n"
           "    compopt -o filenames 2>/dev/null\n"
           "    mapfile -t COMPREPLY < <(compgen \"$1\" -- \"$cur\")\n"
           "}\n"
           "_whorl() {\n"
           "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} command='' i\n"
           "    COMPREPLY=()\n"
           "    # --option=value comes as three words.\n"
           "    if [[ $cur == '=' ]]; then cur=''\n"
           "    elif [[ $prev == '=' ]]; then prev=${COMP_WORDS[COMP_CWORD-2]}; fi\n"
           "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
           "        case \"$command:${COMP_WORDS[i]}\" in\n"
           "        " +
           commands +
           ") command=\"${command:+$command }${COMP_WORDS[i]}\" ;;\n"
           "        esac\n"
           "    done\n"
           "    case \"$command:$prev\" in\n" +
           values +
           "    esac\n"
           "    case \"$command\" in\n" +
           words +
           "    esac\n"
           "}\n"
           "complete -F _whorl whorl\n";
}

// ---- zsh ----------------------------------------------------------------------------------------------------------

namespace {

std::string zsh_escaped(std::string_view text, std::string_view special) {
    std::string out;
    for (const char c : text) {
        if (c == '\\' || special.find(c) != special.npos) out += '\\';
        out += c;
    }
    return out;
}

std::string zsh_value(const OptionInfo& option) {
    const std::string message = zsh_escaped(option.value, ":[]()");
    switch (option.kind) {
        case ValueKind::kNone:
            return {};
        case ValueKind::kFile:
            return fmt::format(":{}:_files", message);
        case ValueKind::kFolder:
            return fmt::format(":{}:_files -/", message);
        case ValueKind::kWord:
            return fmt::format(":{}:({})", last_word(option.names.back()), fmt::join(option.words, " "));
        case ValueKind::kOther:
            break;
    }
    return fmt::format(":{}: ", message);
}

std::string zsh_specs(const CommandInfo& command) {
    std::string specs;
    for (const OptionInfo& option : command.options) {
        if (option.is_positional) {
            specs += " \\\n        " + quoted(zsh_value(option));
            continue;
        }
        const std::string about = fmt::format("[{}]{}", zsh_escaped(option.about, "[]:"), zsh_value(option));
        for (const std::string& name : option.names) {
            // Options that come once exclude their other names.
            const std::string others = option.may_come_again ? "*" : fmt::format("({})", fmt::join(option.names, " "));
            specs += " \\\n        " + quoted(others + name + about);
        }
    }
    return specs;
}

std::string zsh_function_name(const CommandInfo& command) {
    std::string name = command.name.empty() ? "_whorl" : fmt::format("_whorl_{}", command.name);
    std::ranges::replace(name, ' ', '_');
    return name;
}

std::string zsh_function(const CommandInfo& command) {
    const std::string name = zsh_function_name(command);
    if (command.commands.empty()) return fmt::format("{}() {{\n    _arguments -s{}\n}}\n\n", name, zsh_specs(command));

    std::string functions, list, cases;
    for (const CommandInfo& inner : command.commands) {
        functions += zsh_function(inner);
        const std::string word = last_word(inner.name);
        list += fmt::format("            {}\n", quoted(word + ":" + zsh_escaped(inner.about, ":")));
        cases += fmt::format("            {}) {} ;;\n", word, zsh_function_name(inner));
    }
    if (command.name.empty()) {
        list += "            'help:explain a command'\n";
        cases += fmt::format(
            "            help) _values command {} ;;\n",
            fmt::join(command_words(CommandInfo{
                          .name = "help", .about = {}, .footer = {}, .options = {}, .commands = command.commands}),
                      " "));
    }
    return functions +
           fmt::format(
               "{}() {{\n"
               "    local context state state_descr line\n"
               "    typeset -A opt_args\n"
               "    _arguments -C{} \\\n        '1:command:->command' \\\n        '*::argument:->argument'\n"
               "    case $state in\n"
               "    command)\n"
               "        local -a commands=(\n{}        )\n"
               "        _describe command commands ;;\n"
               "    argument)\n"
               "        case $words[1] in\n{}        esac ;;\n"
               "    esac\n}}\n\n",
               name, zsh_specs(command), list, cases);
}

}  // namespace

std::string zsh_completions(const CommandInfo& table) {
    // As a file in a folder of $fpath it is the function's body; sourced, it defines the function for compdef.
    return "#compdef whorl\n# zsh completion for whorl: made by `whorl completions zsh`\n\n" + zsh_function(table) +
           "if [[ $funcstack[1] == _whorl ]]; then _whorl \"$@\"; else compdef _whorl whorl; fi\n";
}

// ---- fish ---------------------------------------------------------------------------------------------------------

namespace {

/// `text` between single quotes, in which fish knows \\ and \'.
std::string fish_quoted(std::string_view text) {
    return fmt::format("'{}'", zsh_escaped(text, "'"));
}

std::string fish_value(const OptionInfo& option) {
    switch (option.kind) {
        case ValueKind::kNone:
            return {};
        case ValueKind::kFile:
            return " -r -F";
        case ValueKind::kFolder:
            return " -x -a '(__fish_complete_directories)'";
        case ValueKind::kWord:
            return " -x -a " + fish_quoted(fmt::format("{}", fmt::join(option.words, " ")));
        case ValueKind::kOther:
            break;
    }
    return " -x";
}

std::string fish_condition(const CommandInfo& command) {
    if (command.name.empty()) return "__fish_use_subcommand";
    std::string condition = "__fish_seen_subcommand_from " + command.name;
    if (const std::size_t space = command.name.find(' '); space != command.name.npos) {
        condition = fmt::format("__fish_seen_subcommand_from {}; and __fish_seen_subcommand_from {}",
                                command.name.substr(0, space), command.name.substr(space + 1));
    } else if (!command.commands.empty()) {
        condition += fmt::format("; and not __fish_seen_subcommand_from {}", fmt::join(command_words(command), " "));
    }
    return condition;
}

}  // namespace

std::string fish_completions(const CommandInfo& table) {
    std::string text = "# fish completion for whorl: made by `whorl completions fish`\ncomplete -c whorl -f\n";
    for_each_command(table, [&](const CommandInfo& command) {
        const std::string start = fmt::format("complete -c whorl -n {}", fish_quoted(fish_condition(command)));
        for (const CommandInfo& inner : command.commands) {
            text += fmt::format("{} -a {} -d {}\n", start, last_word(inner.name), fish_quoted(inner.about));
        }
        if (command.name.empty()) text += fmt::format("{} -a help -d 'explain a command'\n", start);
        for (const OptionInfo& option : command.options) {
            std::string names;
            for (const std::string& name : option.names) {
                if (option.is_positional) break;
                names += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
            }
            text += fmt::format("{}{}{} -d {}\n", start, names, fish_value(option), fish_quoted(option.about));
        }
    });
    return text;
}

}  // namespace whorl::cli
