// One run of a subcommand: its common options, what it prints, what it measures and which files it will write.
#pragma once

#include <fmt/format.h>

#include <cstddef>
#include <cstdint>
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

#include "cli/progress.hpp"

namespace whorl::cli {

enum ExitCode : int {
    kExitOk = 0,
    kExitRejected = 1,
    kExitUsage = 2,
    kExitMachine = 3,
};

ExitCode exit_code(const Error& error);

/// What every subcommand that works takes.
struct CommonOptions {
    std::string device = "cpu";
    Dispatch dispatch = Dispatch::kStaged;
    ConstraintKernels constraints = ConstraintKernels::kInterpreted;
    std::uint32_t compile_timeout_s = 20;
    std::uint32_t num_threads = 0;  ///< 0: one per core that this process may use
    std::string metrics_path;       ///< empty: none
    std::string timeline_path;      ///< empty: none
    bool is_quiet = false;
};

class Session {
public:
    /// Sets the number of threads for all that runs while the session lives.
    explicit Session(CommonOptions options);

    /// Refuses a device that is not there and metrics or timeline files that cannot be written, then starts the
    /// progress line. To be called once, after claim_output() for the files of the subcommand.
    Result<void> begin();

    /// Declares a file that will be written, under the name of its option: fails early when it cannot be, or when it
    /// is one of the files claimed before.
    Result<void> claim_output(std::string_view option, const std::string& path);
    /// Declares a file that is read, which no output may replace.
    void claim_input(std::string_view option, const std::string& path);

    /// Prints to standard output unless the run is quiet.
    template <class... Args>
    void say(fmt::format_string<Args...> format, Args&&... args) {
        if (!options_.is_quiet) print(fmt::format(format, std::forward<Args>(args)...));
    }
    /// Prints to standard output: what a quiet run is asked for too.
    void print(std::string_view text);
    /// Prints to standard error.
    void complain(std::string_view text);

    Telemetry& telemetry() { return telemetry_; }
    ProverOptions prover_options();
    std::uint32_t num_threads() const;
    const CommonOptions& options() const { return options_; }
    void set_proof_bytes(std::size_t size) { proof_bytes_ = size; }

    /// Removes the progress line; what is printed after it is the end.
    void stop_progress();
    /// Stops the progress line, prints the span tree and the totals to standard error, and writes the metrics and the
    /// timeline. Says so where generated kernels were asked for and not used.
    Result<void> finish();

private:
    struct Claim {
        std::string option;
        std::filesystem::path place;
    };

    void note_interpreted();

    CommonOptions options_;
    std::optional<tbb::global_control> thread_limit_;
    Telemetry telemetry_;
    std::vector<Claim> claims_;
    std::optional<std::uint64_t> proof_bytes_;
    std::unique_ptr<Progress> progress_;
};

/// Files of the protocol, with the path in every message.
Result<VerifyingKey> read_key(const std::string& path);
Result<Proof> read_proof(const std::string& path);

}  // namespace whorl::cli
