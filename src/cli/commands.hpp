// The subcommands: each takes the options of its own and yields the exit code, or an error.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <whorl/choose_params.hpp>
#include <whorl/error.hpp>

#include "airs/block_shapes.hpp"
#include "airs/tasks.hpp"
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
    std::uint32_t num_threads = 1;            ///< of one proof's queries
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

/// An AIR that comes with whorl, as `whorl keygen` names it.
struct KeygenAir {
    std::string_view name;
    std::string_view size_name;  ///< what stands after a colon; empty: nothing
    std::uint64_t default_size;
    std::uint64_t max_size;
};
inline constexpr auto kKeygenAirs = std::to_array<KeygenAir>({
    {"keccak", "", 0, 0},
    {"fibonacci", "", 0, 0},
    {"fibonacci-selector", "ROWS", 32, std::uint64_t{1} << 24},
    {"preprocessed-cached", "ROWS", 32, std::uint64_t{1} << 24},
    {"send", "FIELDS", 1, 100},
    {"receive", "FIELDS", 1, 100},
    {"self-interaction", "COLUMNS", 4, 100},
});
enum class ParamsPreset : std::uint8_t { kApp, kLeaf, kInternal, kRoot, kHook, kTest };
struct KeygenOptions {
    std::vector<std::string> airs;  ///< each NAME or NAME:SIZE
    ParamsPreset preset = ParamsPreset::kApp;
    unsigned log_stacked_height = 21;  ///< of kApp
    std::string params_path;           ///< in the place of the preset; empty: none
    std::string out_folder;
    bool is_forced = false;  ///< whether a key that is there is replaced
};
Result<ExitCode> run_keygen(Session& session, const KeygenOptions& options);

/// Either a task, or a matrix with a key.
struct CommitOptions {
    std::string task_path;
    std::string key_path;
    std::string matrix_path;
    std::size_t width = 0;  ///< of the matrix
};
Result<ExitCode> run_commit(Session& session, const CommitOptions& options);

struct TaskInitOptions {
    std::string folder;
    std::string key_path;
    std::string name;                        ///< of the task; empty: the folder's
    std::vector<std::string> heights;        ///< each "AIR=ROWS"
    std::vector<std::string> public_values;  ///< each "AIR=V,V,…"
    std::vector<std::string> air_names;      ///< each "AIR=NAME"
    std::vector<std::uint32_t> absent_airs;
    bool is_forced = false;  ///< whether a task.json and a key that are there are replaced
};
Result<ExitCode> run_task_init(Session& session, const TaskInitOptions& options);

/// Either a task, or a key with heights.
struct ParamsOptions {
    std::string task_path;
    std::string key_path;
    std::vector<std::string> heights;  ///< each "AIR=ROWS"
    double security_bits = 100;
    ParamsGoal goal = ParamsGoal::kBalanced;
    std::string params_path;  ///< to be written; empty: none
};
Result<ExitCode> run_params(Session& session, const ParamsOptions& options);

struct PlanOptions {
    std::string task_path;
};
Result<ExitCode> run_plan(Session& session, const PlanOptions& options);

Result<ExitCode> run_devices(Session& session);

Result<ExitCode> run_doctor(Session& session);

struct BenchOptions {
    std::string workload = "all";  ///< keccakf, logup, both (all), segment or shape
    std::string task_path;         ///< in the place of a workload; empty: none
    std::size_t num_permutations = kDefaultPermutations;
    std::optional<unsigned> log_height;   ///< of logup (17) and shape (14)
    std::size_t proof = kMedianAppProof;  ///< of segment
    BlockTaskOptions segment;
    ShapeTaskOptions shape;
    std::string task_out_path;  ///< a folder to write the workload to, in the place of proofs; empty: none
    unsigned num_runs = 5;
    unsigned num_warmups = 0;     ///< proofs before those that count
    std::string beside_path;      ///< earlier results to show these beside; empty: none
    std::string instruction_set;  ///< of vector kernels; empty: the best
};
Result<ExitCode> run_bench(Session& session, const BenchOptions& options);

}  // namespace whorl::cli
