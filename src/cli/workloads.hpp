// What `whorl keccakf` and `whorl bench` prove.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <whorl/air.hpp>
#include <whorl/error.hpp>
#include <whorl/trace.hpp>

#include "airs/keccak.hpp"
#include "airs/tasks.hpp"
#include "cli/session.hpp"

namespace whorl::cli {

struct Workload {
    std::string name;
    ProvingKey key;
    std::vector<AirTrace> traces;
};

/// More rows than this exceed the largest stacked height of the presets.
inline constexpr std::size_t kMaxPermutations = (std::size_t{1} << 23) / KeccakColumns::kNumRounds;

/// log2 of the rows of `num_permutations`: 24 each, at least one.
unsigned keccakf_log_height(std::size_t num_permutations);
/// 64 rows' worth of columns side by side: log_height + 6, as for 1,024 permutations, between 11 and 24.
unsigned keccakf_log_stacked_height(std::size_t num_permutations);
/// Inputs stored as 25 little-endian u64 each. Errors: kIo, kBadFormat.
Result<std::vector<KeccakState>> read_keccak_inputs(const Session& session, const std::string& path);

/// Key and traces of `task`, under spans "keygen" and "generate_trace".
Result<Workload> make_workload(Session& session, std::string name, const AirTask& task);

/// The next four fail as keygen does, and with kMachine when trace and codeword alone exceed this machine's memory.

/// The permutations of `inputs`, app_params_100_bits(log_stacked_height).
Result<Workload> keccakf_workload(Session& session, std::vector<KeccakState> inputs, unsigned log_stacked_height);

/// The reference's LogUp benchmark: six SelfInteractionAirs of 2^log_height rows on one bus, app_params_100_bits(21).
Result<Workload> logup_workload(Session& session, unsigned log_height);
inline constexpr unsigned kLogupLogStackedHeight = 21;
inline constexpr unsigned kDefaultLogupLogHeight = 17;

/// A proof of a real Ethereum block, in shape (block_task).
Result<Workload> block_workload(Session& session, std::size_t proof, const BlockTaskOptions& options);

/// AIRs of a shape (shape_task).
Result<Workload> shape_workload(Session& session, const ShapeTaskOptions& options);

/// A task folder's. Errors: those of load_task.
Result<Workload> task_workload(const std::string& folder);

/// Writes it as a task folder. Errors: those of save_task.
Result<void> save_workload(Workload&& workload, const std::string& folder);

}  // namespace whorl::cli
