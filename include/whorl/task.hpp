// A task: a key and the traces to prove, as a folder on disk. Its files are described in docs/formats.md.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <whorl/error.hpp>
#include <whorl/key.hpp>
#include <whorl/notes.hpp>
#include <whorl/trace.hpp>

namespace whorl {

struct Task {
    std::string name;
    VerifyingKey vk;
    std::vector<std::string> air_names;  ///< one per AIR of the key; empty where neither a trace nor the notes name it
    std::vector<AirTrace> traces;
    KeyNotes notes = {};  ///< ProvingKey::notes, or none
};

/// Reads `folder`/task.json, the key, the trace parts and the notes that it names, and checks that they belong together: the
/// parameters and pre-hash in task.json are the key's, every part has the key's width and the right number of bytes, and
/// every value is below p, and the traces are those that a prover takes (check_traces of validate.hpp).
/// Errors: kIo, kBadFormat (naming file, and column and row of a bad value), kInvalidArgument (check_traces), kMachine
/// (memory).
Result<Task> load_task(const std::filesystem::path& folder) noexcept;

/// Writes `task` as such a folder, making it if need be; with notes, if it has any. task.json comes last: a folder that was not finished has none,
/// or its old one.
/// Errors: kInvalidArgument (check_key, the key's pre-hash, check_traces: nothing is written that load_task refuses), kIo,
/// kMachine (memory).
Result<void> save_task(const Task& task, const std::filesystem::path& folder) noexcept;

}  // namespace whorl
