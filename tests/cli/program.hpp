// Running the built program and looking at what it leaves behind.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __APPLE__
#include <util.h>
#else
#include <pty.h>
#endif

#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

extern char** environ;  // macOS has it, and declares it nowhere

namespace whorl::test {

namespace fs = std::filesystem;

inline std::string read_text(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

inline void write_text(const fs::path& path, std::string_view text) {
    std::ofstream(path, std::ios::binary) << text;
}

inline fs::path vector_folder(std::string_view name) {
    return fs::path(WHORL_TEST_VECTORS) / name;
}

/// A folder that lives as long as the test.
class Scratch {
public:
    Scratch() {
        std::string name = (fs::temp_directory_path() / "whorl-cli-XXXXXX").string();
        path_ = ::mkdtemp(name.data());
    }
    ~Scratch() {
        std::error_code ignored;
        fs::remove_all(path_, ignored);
    }
    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;

    std::string operator/(std::string_view name) const { return (path_ / name).string(); }
    const fs::path& path() const { return path_; }
    /// A writable copy of a vector.
    fs::path copy_of(std::string_view vector) const {
        const fs::path copy = path_ / vector;
        fs::create_directory(copy);
        for (const auto& entry : fs::directory_iterator(vector_folder(vector))) {
            write_text(copy / entry.path().filename(), read_text(entry.path()));
        }
        return copy;
    }
    std::vector<std::string> file_names() const {
        std::vector<std::string> names;
        for (const auto& entry : fs::directory_iterator(path_)) names.push_back(entry.path().filename().string());
        return names;
    }

private:
    fs::path path_;
};

struct Outcome {
    int exit_code = -1;  ///< −1: ended by a signal
    std::string out;
    std::string err;
};

inline std::ostream& operator<<(std::ostream& stream, const Outcome& outcome) {
    return stream << "exit code " << outcome.exit_code << "\nstdout: " << outcome.out << "\nstderr: " << outcome.err;
}

/// Runs a program, words[0] being its path, with `input` on its standard input.
inline Outcome run_command(std::vector<std::string> words, std::string_view input = {}) {
    const Scratch scratch;
    write_text(scratch / "in", input);
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);

    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    const std::string in = scratch / "in";
    const std::string out = scratch / "out";
    const std::string err = scratch / "err";
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, in.c_str(), O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, out.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, err.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    pid_t pid = 0;
    const int spawn_error = posix_spawn(&pid, argv[0], &actions, nullptr, argv.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    Outcome outcome;
    if (spawn_error != 0) {
        ADD_FAILURE() << "cannot start " << words[0];
        return outcome;
    }
    int status = 0;
    ::waitpid(pid, &status, 0);
    if (WIFEXITED(status)) outcome.exit_code = WEXITSTATUS(status);
    outcome.out = read_text(out);
    outcome.err = read_text(err);
    return outcome;
}

/// `whorl arguments…`.
inline Outcome run_whorl(std::vector<std::string> arguments, std::string_view input = {}) {
    arguments.insert(arguments.begin(), WHORL_PROGRAM);
    return run_command(std::move(arguments), input);
}

/// What `whorl arguments…` writes when all its streams are a terminal, with `environment` (names and values) added; nothing where the
/// machine gives out no terminals.
inline std::optional<std::string> run_on_terminal(std::vector<std::string> arguments, int& exit_code,
                                                  const std::vector<std::pair<std::string, std::string>>& environment) {
    arguments.insert(arguments.begin(), WHORL_PROGRAM);
    std::vector<char*> argv;
    for (std::string& word : arguments) argv.push_back(word.data());
    argv.push_back(nullptr);
    int terminal = -1;
    const pid_t pid = ::forkpty(&terminal, nullptr, nullptr, nullptr);
    if (pid < 0) return std::nullopt;
    if (pid == 0) {
        ::setenv("TERM", "xterm", 1);
        for (const auto& [name, value] : environment) ::setenv(name.c_str(), value.c_str(), 1);
        ::execv(WHORL_PROGRAM, argv.data());
        ::_exit(127);
    }
    std::string text;
    char buffer[4096];
    for (ssize_t count = 0; (count = ::read(terminal, buffer, sizeof(buffer))) > 0;) {
        text.append(buffer, static_cast<std::size_t>(count));
    }
    int status = 0;
    ::waitpid(pid, &status, 0);
    ::close(terminal);
    exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return text;
}

}  // namespace whorl::test
