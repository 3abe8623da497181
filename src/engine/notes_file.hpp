// notes.json of a task folder: names of a key's AIRs and the notes on them (docs/formats.md).
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <whorl/key.hpp>
#include <whorl/notes.hpp>

namespace whorl {

/// What a file of notes says, every text printable and cut to kMaxNoteBytes, and no list longer than what it names in the key.
struct StoredNotes {
    std::vector<std::string> air_names;  ///< one per AIR of the key, empty where there is none
    KeyNotes notes;
};

/// Reads the file. Throws JsonFault: kIo, kBadFormat (among others where the notes are of another key).
StoredNotes read_notes(const std::filesystem::path& path, const VerifyingKey& vk, std::string_view stage);

/// The text of the file; of `notes`, what the key has.
std::string notes_text(const VerifyingKey& vk, std::span<const std::string> air_names, const KeyNotes& notes);

}  // namespace whorl
