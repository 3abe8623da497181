// A task: a key and the traces to prove, as a folder on disk. Its files are described in tests/vectors/README.md.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <whorl/error.hpp>
#include <whorl/key.hpp>
#include <whorl/trace.hpp>

namespace whorl {

struct Task {
    std::string name;
    VerifyingKey vk;
    std::vector<std::string> air_names;  ///< one per AIR of the key; empty where the AIR has no trace
    std::vector<AirTrace> traces;
};

/// Reads `folder`/task.json, the key and the trace parts that it names, and checks that they belong together: the
/// parameters and pre-hash in task.json are the key's, every part has the key's width and the right number of bytes, and
/// every value is below p. What only a prover needs (required AIRs, heights within the stacked height) is left to
/// check_traces.
/// Errors: kIo, kBadFormat (naming file, and column and row of a bad value), kMachine (memory).
Result<Task> load_task(const std::filesystem::path& folder);

/// Writes `task` as such a folder, making it if need be. task.json comes last: a folder that was not finished has none,
/// or its old one.
/// Errors: kInvalidArgument (a trace of an AIR that the key does not have), kIo.
Result<void> save_task(const Task& task, const std::filesystem::path& folder);

}  // namespace whorl
