// Do these traces fit this key? One answer for check_constraints, prove, plan_memory, load_task and save_task. (That preprocessed
// columns are those that the key commits to takes a commitment: check_constraints and prove make it.)
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <whorl/error.hpp>
#include <whorl/key.hpp>
#include <whorl/notes.hpp>
#include <whorl/trace.hpp>

namespace whorl {

/// One way in which traces do not fit a key.
struct TraceProblem {
    std::optional<std::uint32_t> air_id;     ///< none: all traces together
    std::optional<std::uint16_t> bus_index;  ///< a LogUp bound of one bus
    std::string place;                       ///< e.g. `AIR 3 "Keccak", cached part 0`
    std::string expected;                    ///< with the limit
    std::string found;
    std::string remedy;  ///< may be empty: make the trace what is expected
};

/// "place: expected X, found Y; remedy".
std::string to_string(const TraceProblem& problem) noexcept;

/// All ways in which `traces` do not fit `vk`: known AIRs without repeats, required AIRs present, at least one trace;
/// widths, equal power-of-two heights within the stacked height, public values, preprocessed columns of the key's height,
/// words below p; trace height constraints and LogUp cells, stacked width (PROTOCOL.md 17.1 and 17.2). Every word is read
/// once. Columns in a device's memory do not fit here: a prover on that device looks at them. `air_names` (one per AIR of
/// the key, empty where unknown) and the names of buses in `notes` appear in messages.
/// Errors: kInvalidArgument (check_key), kMachine (memory).
Result<std::vector<TraceProblem>> find_trace_problems(const VerifyingKey& vk, std::span<const AirTrace> traces,
                                                      std::span<const std::string> air_names = {},
                                                      const KeyNotes& notes = {}) noexcept;

/// find_trace_problems as one error (kInvalidArgument) that names the first few problems and counts the others, or kMachine.
Result<void> check_traces(const VerifyingKey& vk, std::span<const AirTrace> traces,
                          std::span<const std::string> air_names = {}, const KeyNotes& notes = {}) noexcept;

}  // namespace whorl
