// The validation of (key, traces) behind the public calls (whorl/validate.hpp), for keys that check_key has accepted.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <whorl/validate.hpp>

namespace whorl {

/// Whether words are compared with p: not needed where whoever made the traces has done it.
enum class WordCheck { kCheck, kSkip };

/// What is wrong with the place of a matrix that is on a device, as what was found; empty where nothing is.
using PlaceProblem = std::function<std::string(const Matrix& matrix)>;

/// find_trace_problems. Precondition: check_key(vk). An AIR of the key that has an entry in `preprocessed` needs none in its
/// trace. Matrices on a device are looked at by `place_problem`, and refused where there is none.
std::vector<TraceProblem> trace_problems(const VerifyingKey& vk, std::span<const AirTrace> traces,
                                         std::span<const std::string> air_names, const KeyNotes& notes, WordCheck words,
                                         std::span<const std::optional<TracePart>> preprocessed = {},
                                         const PlaceProblem& place_problem = {});

/// trace_problems of traces of which the heights alone are known: one an AIR of the key, 0 without a trace.
std::vector<TraceProblem> height_problems(const VerifyingKey& vk, std::span<const std::uint64_t> heights,
                                          std::span<const std::string> air_names, const KeyNotes& notes);

/// "columns in the memory of a device": what is found of a matrix that only a prover on that device takes.
inline constexpr std::string_view kDeviceColumns = "columns in the memory of a device";

/// Whether all words are below p.
bool all_are_elements(std::span<const Fp> values);

/// `AIR 3 "Keccak"`, or `AIR 3` where it has no name: the name printable, and cut where it is long.
std::string air_place(std::uint32_t air_id, std::span<const std::string> air_names);

/// The problems as one error of bounded length; no error where there are none.
Result<void> summarize(std::span<const TraceProblem> problems, std::string_view stage);

}  // namespace whorl
