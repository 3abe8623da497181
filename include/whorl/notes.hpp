// What messages need to name the code of AIRs: where each constraint and interaction is written, names of columns and buses.
// keygen() makes them (ProvingKey::notes), a task folder may hold them (docs/formats.md). No byte of a key or a proof
// depends on them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace whorl {

/// keygen and load_task cut file names, labels and names that are longer.
inline constexpr std::size_t kMaxNoteBytes = 256;

/// A line of code, with the label that it may have been given.
struct SourceNote {
    std::string file = {};  ///< without its folders; empty: unknown
    std::uint32_t line = 0;
    std::string label = {};

    friend bool operator==(const SourceNote&, const SourceNote&) = default;
};

/// The notes on one AIR. A list may be shorter than what it names: the rest appears by its number. An empty name: none.
struct AirNotes {
    /// By position in AirVerifyingKey::constraint_idx; of equal assertions the first.
    std::vector<SourceNote> constraints = {};
    std::vector<SourceNote> interactions = {};  ///< by position in AirVerifyingKey::interactions
    std::vector<std::string> common_main = {};  ///< names of columns
    std::vector<std::vector<std::string>> cached_mains = {};
    std::vector<std::string> preprocessed = {};
    std::vector<std::string> public_values = {};

    friend bool operator==(const AirNotes&, const AirNotes&) = default;
};

struct KeyNotes {
    std::vector<AirNotes> airs = {};  ///< one per AIR of the key, or none
    std::map<std::uint16_t, std::string> buses = {};

    friend bool operator==(const KeyNotes&, const KeyNotes&) = default;
};

}  // namespace whorl
