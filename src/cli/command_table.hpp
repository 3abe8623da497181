// The table of commands and options as data: what completions and the manual page are made of.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace whorl::cli {

/// What an option's value is.
enum class ValueKind : std::uint8_t {
    kNone,  ///< a flag
    kFile,  ///< "-" too
    kFolder,
    kWord,  ///< one of OptionInfo::words
    kOther,
};

struct OptionInfo {
    std::vector<std::string> names;  ///< "-o", "--out"; that of a positional has no dash
    std::string value;               ///< as help shows it: "FILE", "staged|unfused"
    ValueKind kind = ValueKind::kNone;
    std::vector<std::string> words;  ///< of the value
    std::string about;
    std::string default_value;
    bool is_positional = false;
    bool is_required = false;
    bool may_come_again = false;
};

struct CommandInfo {
    std::string name;  ///< "prove", "task init"; empty for the program
    std::string about;
    std::string footer;  ///< paragraphs and lists as help prints them
    std::vector<OptionInfo> options;
    std::vector<CommandInfo> commands;
};

/// All that `app` and its subcommands take.
CommandInfo command_table(const CLI::App& app);

/// Scripts that complete the program's command line. `table` is the program's.
std::string bash_completions(const CommandInfo& table);
std::string zsh_completions(const CommandInfo& table);
std::string fish_completions(const CommandInfo& table);

/// The manual page, section 1, for man(7).
std::string manual_page(const CommandInfo& table);

}  // namespace whorl::cli
