#include "engine/notes_file.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

#include "engine/files.hpp"
#include "engine/json_values.hpp"
#include "text/json.hpp"
#include "text/json_writer.hpp"
#include "text/printable.hpp"

namespace whorl {
namespace {

constexpr std::uint32_t kFormat = 1;

// Printable first: escapes count as what is shown.
std::string text_of(const JsonPlace& json) {
    std::string text = printable(json.text());
    if (text.size() <= kMaxNoteBytes) return text;
    std::size_t size = kMaxNoteBytes;
    while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xC0U) == 0x80U) --size;  // whole UTF-8 characters
    text.resize(size);
    return text;
}

SourceNote note_from_json(const JsonPlace& json) {
    json.object();
    SourceNote note;
    if (json.has("file")) {
        note.file = text_of(json.at("file"));
        note.line = json.at("line").number<std::uint32_t>();
    }
    if (json.has("label")) note.label = text_of(json.at("label"));
    return note;
}

// The member `key`, a list of at most `max_size`; empty where there is none.
template <class T, class Read>
std::vector<T> list_from_json(const JsonPlace& json, const char* key, std::size_t max_size, const Read& read) {
    std::vector<T> list;
    if (!json.has(key)) return list;
    const JsonPlace elements = json.at(key).array();
    if (elements.size() > max_size) {
        json.fail("{} has {} elements, the key has {}", elements.place(), elements.size(), max_size);
    }
    list.reserve(elements.size());
    for (std::size_t i = 0; i < elements.size(); ++i) list.push_back(read(elements.at(i)));
    return list;
}

AirNotes air_from_json(const JsonPlace& json, const AirVerifyingKey& air) {
    AirNotes notes;
    notes.constraints = list_from_json<SourceNote>(json, "constraints", air.constraint_idx.size(), note_from_json);
    notes.interactions = list_from_json<SourceNote>(json, "interactions", air.interactions.size(), note_from_json);
    notes.common_main = list_from_json<std::string>(json, "common_main", air.width.common_main, text_of);
    notes.preprocessed = list_from_json<std::string>(json, "preprocessed", air.width.preprocessed.value_or(0), text_of);
    notes.public_values = list_from_json<std::string>(json, "public_values", air.num_public_values, text_of);
    if (!json.has("cached_mains")) return notes;
    const JsonPlace parts = json.at("cached_mains").array();
    if (parts.size() > air.width.cached_mains.size()) {
        json.fail("{} has {} elements, the key has {}", parts.place(), parts.size(), air.width.cached_mains.size());
    }
    for (std::size_t i = 0; i < parts.size(); ++i) {
        const JsonPlace part = parts.at(i).array();
        if (part.size() > air.width.cached_mains[i]) {
            json.fail("{} has {} elements, the key has {}", part.place(), part.size(), air.width.cached_mains[i]);
        }
        std::vector<std::string>& names = notes.cached_mains.emplace_back();
        for (std::size_t c = 0; c < part.size(); ++c) names.push_back(text_of(part.at(c)));
    }
    return notes;
}

void write_notes(JsonWriter& json, std::string_view key, const std::vector<SourceNote>& notes, std::size_t max_size) {
    if (notes.empty()) return;
    json.open(key, '[');
    for (std::size_t i = 0; i < std::min(notes.size(), max_size); ++i) {
        json.item();
        json.open('{');
        write_note(json, notes[i]);
        json.close('}');
    }
    json.close(']');
}

void write_list(JsonWriter& json, const std::vector<std::string>& names, std::size_t max_size) {
    json.open('[');
    for (std::size_t i = 0; i < std::min(names.size(), max_size); ++i) {
        json.item();
        json.value(std::string_view(names[i]));
    }
    json.close(']');
}

void write_names(JsonWriter& json, std::string_view key, const std::vector<std::string>& names, std::size_t max_size) {
    if (names.empty()) return;
    json.key(key);
    write_list(json, names, max_size);
}

void write_air(JsonWriter& json, const AirVerifyingKey& air, std::string_view name, const AirNotes& notes) {
    json.open('{');
    if (!name.empty()) json.member("name", name);
    write_names(json, "common_main", notes.common_main, air.width.common_main);
    const std::size_t num_cached = std::min(notes.cached_mains.size(), air.width.cached_mains.size());
    if (num_cached != 0) {
        json.open("cached_mains", '[');
        for (std::size_t i = 0; i < num_cached; ++i) {
            json.item();
            write_list(json, notes.cached_mains[i], air.width.cached_mains[i]);
        }
        json.close(']');
    }
    write_names(json, "preprocessed", notes.preprocessed, air.width.preprocessed.value_or(0));
    write_names(json, "public_values", notes.public_values, air.num_public_values);
    write_notes(json, "constraints", notes.constraints, air.constraint_idx.size());
    write_notes(json, "interactions", notes.interactions, air.interactions.size());
    json.close('}');
}

}  // namespace

StoredNotes read_notes(const std::filesystem::path& path, const VerifyingKey& vk, std::string_view stage) {
    const auto fail = [&](const Error& error) { json_fail(stage, error.code, "{}", error.message); };
    const Result<std::vector<std::byte>> bytes = read_file(path, kNotesLimit);
    if (!bytes) fail(bytes.error());
    const std::string shown = printable(path.native());
    const Result<JsonDocument> document =
        parse_json(std::string_view(reinterpret_cast<const char*>(bytes->data()), bytes->size()), stage, shown);
    if (!document) fail(document.error());
    const JsonPlace json(document->root(), shown, stage);
    if (const auto format = json.at("format").number<std::uint32_t>(); format != kFormat) {
        json.fail("{}/format is {}, this program reads {}", json.place(), format, kFormat);
    }
    if (json.at("vk_pre_hash").digest() != vk.pre_hash) {
        json.fail("{}/vk_pre_hash is not the pre-hash of the key: these are the notes on another key", json.place());
    }

    StoredNotes stored;
    const JsonPlace airs = json.at("airs").array();
    if (airs.size() != vk.airs.size()) {
        json.fail("{} has {} AIRs, the key has {}", airs.place(), airs.size(), vk.airs.size());
    }
    for (std::size_t i = 0; i < airs.size(); ++i) {
        const JsonPlace air = airs.at(i).object();
        stored.air_names.push_back(air.has("name") ? text_of(air.at("name")) : std::string());
        stored.notes.airs.push_back(air_from_json(air, vk.airs[i]));
    }
    if (!json.has("buses")) return stored;
    const JsonPlace buses = json.at("buses").array();
    for (std::size_t i = 0; i < buses.size(); ++i) {
        const JsonPlace bus = buses.at(i);
        const auto index = bus.at("index").number<std::uint16_t>();
        if (!stored.notes.buses.emplace(index, text_of(bus.at("name"))).second) {
            json.fail("{}: bus {} is listed twice", bus.place(), index);
        }
    }
    return stored;
}

std::string notes_text(const VerifyingKey& vk, std::span<const std::string> air_names, const KeyNotes& notes) {
    static const AirNotes kNone;
    JsonWriter json(1);
    json.open('{');
    json.member("format", kFormat);
    write_elements(json, "vk_pre_hash", vk.pre_hash);
    json.open("buses", '[');
    for (const auto& [index, name] : notes.buses) {
        json.item();
        json.open('{');
        json.member("index", index);
        json.member("name", name);
        json.close('}');
    }
    json.close(']');
    json.open("airs", '[');
    for (std::size_t i = 0; i < vk.airs.size(); ++i) {
        json.item();
        write_air(json, vk.airs[i], i < air_names.size() ? std::string_view(air_names[i]) : std::string_view(),
                  i < notes.airs.size() ? notes.airs[i] : kNone);
    }
    json.close(']');
    json.close('}');
    return json.take() + '\n';
}

}  // namespace whorl
