// One run of a subcommand: its common options, what it prints, what it measures and which files it will write.
#pragma once

#include <fmt/format.h>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <tbb/global_control.h>
#include <whorl/error.hpp>
#include <whorl/key.hpp>
#include <whorl/proof.hpp>
#include <whorl/prove.hpp>
#include <whorl/telemetry.hpp>
#include <whorl/verify.hpp>

#include "cli/progress.hpp"
#include "cli/tone.hpp"
#include "engine/files.hpp"
#include "threads/thread_team.hpp"

namespace whorl::cli {

enum ExitCode : int {
    kExitOk = 0,
    kExitRejected = 1,
    kExitUsage = 2,
    kExitMachine = 3,
};

ExitCode exit_code(const Error& error);

/// The error of a run whose proof could not be judged (is_judgement).
Error not_judged(const VerifyError& error);

/// What every subcommand that works takes.
struct CommonOptions {
    std::string device = "cpu";
    Dispatch dispatch = Dispatch::kStaged;
    ConstraintKernels constraints = ConstraintKernels::kInterpreted;
    std::uint32_t compile_timeout_s = 20;
    std::uint32_t num_threads = 0;  ///< 0: one per core that this process may use
    std::string metrics_path;       ///< empty: none
    std::string timeline_path;      ///< empty: none
    bool is_json = false;           ///< whether the answer is JSON, in the place of text
    bool has_timings = false;       ///< whether the span tree is printed
    bool is_quiet = false;
};

/// A file, however it is named.
struct FilePlace {
    std::filesystem::path path;                                   ///< without links, where there are no hard ones
    std::optional<std::pair<std::uint64_t, std::uint64_t>> node;  ///< device and inode, where the file exists
    bool takes_all = false;                                       ///< a character device
};

class Session {
public:
    /// Sets the number of threads for all that runs while the session lives.
    explicit Session(CommonOptions options);

    /// Refuses a device that is not there and metrics or timeline files that cannot be written, then starts the
    /// progress line. To be called once, after claim_output() for the files of the subcommand.
    Result<void> begin();

    /// Declares a file that will be written, under the name of its option: fails early when it cannot be, or when it
    /// is one of the files claimed before, whatever links lead to it. Standard output and standard error are claimed
    /// from the start unless the run is quiet; /dev/null and its like may be claimed any number of times. "-" is standard
    /// output, for one option alone; text for people then goes to standard error.
    Result<void> claim_output(std::string_view option, const std::string& path);
    /// The same for a file of a folder that the program names itself: a link is refused.
    Result<void> claim_file_of_folder(std::string_view option, const std::string& path);
    /// Errors: kInvalidArgument where `folder`, a folder to be made or filled, is "-".
    static Result<void> check_folder(std::string_view option, const std::string& folder);
    /// Declares a folder that will be made and filled, so that no other output lies in it. Errors: kInvalidArgument where it is there
    /// and not empty, kIo where it cannot be read.
    Result<void> claim_new_folder(std::string_view option, const std::string& folder);
    /// Errors: kInvalidArgument where `path`, which is going to be read, is the file of a claimed output.
    Result<void> check_not_output(const std::string& path) const;
    /// Declares a file that is read, which no output may replace. "-" is standard input, for one option alone: begin() fails
    /// where there are two. To be called before claim_output.
    void claim_input(std::string_view option, const std::string& path);
    /// Declares all files of a task. Errors: those of a task.json that cannot be read.
    Result<void> claim_task(std::string_view option, const std::string& folder);

    /// All bytes of a file, or of standard input for "-". Errors: those of read_file.
    Result<std::vector<std::byte>> read(const std::string& path, const ReadLimit& limit) const;
    /// Writes a file, or standard output for "-". Errors: those of write_file; that standard output cannot be written is seen at
    /// the end of the run.
    Result<void> write(const std::string& path, std::span<const std::byte> bytes);
    struct Output {
        std::string path;
        std::span<const std::byte> bytes;
    };
    /// The same for outputs that belong together: a signal leaves all or none of the files (write_files).
    Result<void> write(std::span<const Output> outputs);
    Result<void> write(const std::string& path, std::string_view text);

    /// Whether the answer is to be JSON. Text for people is then not printed.
    bool is_json() const { return options_.is_json; }
    /// Prints to standard output unless the run is quiet.
    template <class... Args>
    void say(fmt::format_string<Args...> format, Args&&... args) {
        if (!options_.is_quiet) print(fmt::format(format, std::forward<Args>(args)...));
    }
    /// The same for a line that tells that all is well.
    template <class... Args>
    void say_good(fmt::format_string<Args...> format, Args&&... args) {
        if (!options_.is_quiet) print(fmt::format(format, std::forward<Args>(args)...), Tone::kGood);
    }
    /// Prints to standard output, or to standard error where standard output takes a file: what a quiet run is asked for too.
    /// What a terminal must not get is escaped.
    void print(std::string_view text, Tone tone = Tone::kPlain);
    /// The same for text that a program reads, without escapes.
    void print_exactly(std::string_view text);
    /// Prints to standard error.
    void complain(std::string_view text, Tone tone = Tone::kPlain);

    Telemetry& telemetry() { return telemetry_; }
    ProverOptions prover_options();
    std::uint32_t num_threads() const;
    const CommonOptions& options() const { return options_; }
    void set_proof_bytes(std::size_t size) { proof_bytes_ = size; }

    /// Removes the progress line; what is printed after it is the end.
    void stop_progress();
    /// Stops the progress line, prints the span tree and the totals to standard error where that was asked for, and writes the
    /// metrics and the timeline. Says so where generated kernels were asked for and not used.
    Result<void> finish();

private:
    struct Claim {
        std::string option;
        FilePlace place;
        bool is_output = false;
    };

    void claim_standard_output();
    void claim_stream(std::string_view name, int fd);

    void note_interpreted();
    /// Writes text to a stream with what a terminal must not get escaped, in colours where it shows them.
    void put_text(std::FILE* stream, std::string_view text, Tone tone);

    CommonOptions options_;
    ThreadTeam team_;
    tbb::global_control thread_limit_;  // of all that runs while the session lives
    Telemetry telemetry_;
    std::vector<Claim> claims_;
    std::vector<Claim> folders_;        // that will be made
    std::optional<Error> claim_fault_;  // of the inputs
    std::string input_owner_;           // the option whose file standard input is; empty: none
    std::string output_owner_;          // likewise of standard output
    std::optional<std::uint64_t> proof_bytes_;
    std::unique_ptr<Progress> progress_;
};

/// What stands for standard input and standard output in the place of a path.
inline constexpr std::string_view kStandardStream = "-";
/// Bytes of a regular file; nothing for what is none.
std::optional<std::uint64_t> size_of_file(const std::filesystem::path& path);
/// Whether `folder` is a task's.
bool has_task_json(const std::string& folder);
/// A path as messages name it.
std::string shown_path(const std::string& path, std::string_view stream);
/// Bytes of a file as text.
inline std::string_view as_text(std::span<const std::byte> bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Files of the protocol, with the path in every message.
Result<VerifyingKey> read_key(const Session& session, const std::string& path);
/// Of a file that should hold a proof under `vk`. One that is longer than any such proof, and than what is read anyway to say
/// what is wrong with it, is refused before it is read.
ReadLimit proof_limit(const VerifyingKey& vk);
Result<Proof> read_proof(std::span<const std::byte> bytes, const std::string& path);

}  // namespace whorl::cli
