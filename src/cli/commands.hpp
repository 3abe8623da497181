// The subcommands: each takes the options of its own and yields the exit code, or an error.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <whorl/error.hpp>

#include "cli/session.hpp"

namespace whorl::cli {

struct KeccakfOptions {
    std::optional<std::size_t> num_permutations;
    std::optional<unsigned> log_stacked_height;
    std::string inputs_path;
    std::string proof_path;
    std::string key_path;
};
inline constexpr std::size_t kDefaultPermutations = 1024;
Result<ExitCode> run_keccakf(Session& session, const KeccakfOptions& options);

struct ProveOptions {
    std::string task_path;
    std::string proof_path;
    bool is_checked_first = false;
    bool is_verified = true;
};
Result<ExitCode> run_prove(Session& session, const ProveOptions& options);

struct VerifyOptions {
    std::string key_path;
    std::string proof_path;
    std::string batch_path;
    std::string expect_path;                  ///< a statement; empty: none
    std::vector<std::string> public_values;   ///< each "AIR=V,V,…"
    bool has_no_other_airs = false;           ///< than those of the statement
    std::optional<double> min_security_bits;  ///< none: that of the statement, or no more than a warning
    std::string statement_path;               ///< to be written; empty: none
};
Result<ExitCode> run_verify(Session& session, const VerifyOptions& options);

struct CheckOptions {
    std::string task_path;
};
Result<ExitCode> run_check(Session& session, const CheckOptions& options);

struct InspectOptions {
    std::string key_path;
    std::string proof_path;
};
Result<ExitCode> run_inspect(Session& session, const InspectOptions& options);

struct PlanOptions {
    std::string task_path;
};
Result<ExitCode> run_plan(Session& session, const PlanOptions& options);

Result<ExitCode> run_devices(Session& session);

Result<ExitCode> run_doctor(Session& session);

struct BenchOptions {
    std::string workload = "all";  ///< keccakf, logup or all
    std::size_t num_permutations = kDefaultPermutations;
    unsigned log_height = 17;
    unsigned num_runs = 5;
    unsigned num_warmups = 0;  ///< proofs before those that count
    std::string beside_path;   ///< earlier results to show these beside; empty: none
};
Result<ExitCode> run_bench(Session& session, const BenchOptions& options);

}  // namespace whorl::cli
