#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <whorl/task.hpp>

#include "cli/air_values.hpp"
#include "cli/answer.hpp"
#include "cli/commands.hpp"
#include "cli/table.hpp"
#include "engine/files.hpp"
#include "engine/json_values.hpp"
#include "engine/task_files.hpp"
#include "text/printable.hpp"

namespace whorl::cli {
namespace {

/// What the command line says of AIRs.
struct AirChoices {
    std::map<std::size_t, std::uint64_t> heights;
    std::map<std::size_t, std::vector<Fp>> public_values;
    std::map<std::size_t, std::string> names;
    std::set<std::size_t> absent;
};

/// A file of a trace.
struct Part {
    std::string name;  ///< "main", "cached0", "preprocessed"
    std::string file;
    std::uint32_t width = 0;
    std::optional<std::uint64_t> size_bytes{};  ///< of the file, where it is there
};

/// A record of task.json.
struct AirSkeleton {
    std::uint32_t air_id = 0;
    std::string name;
    std::uint64_t height = 0;  ///< 0: not known yet
    std::vector<Part> parts;
    std::vector<Fp> public_values{};
    bool has_public_values = true;  ///< whether they were given, or are zeros to be replaced
};

Result<AirChoices> choices_of(const TaskInitOptions& options, const VerifyingKey& vk) {
    AirChoices choices;
    const auto check_air = [&](std::string_view option, std::size_t air_id) -> Result<void> {
        if (air_id < vk.airs.size()) return {};
        return wrong_air_option(option, air_id, fmt::format("the key has {} AIRs", vk.airs.size()));
    };
    for (const std::string& text : options.heights) {
        const Result<AirHeight> air = parse_height(text, vk.airs.size());
        if (!air) return air.error();
        if (auto set = set_once(choices.heights, air->air_id, air->height, "--height"); !set) return set.error();
    }
    for (const std::string& text : options.public_values) {
        Result<AirValues> air = parse_public_values(text);
        if (!air) return std::move(air).error();
        if (auto known = check_air("--public-values", air->air_id); !known) return known.error();
        if (const std::uint32_t expected = vk.airs[air->air_id].num_public_values; air->values.size() != expected) {
            return wrong_air_option("--public-values", air->air_id,
                                    fmt::format("{} values, the key says {}", air->values.size(), expected));
        }
        if (auto set = set_once(choices.public_values, air->air_id, std::move(air->values), "--public-values"); !set) {
            return set.error();
        }
    }
    for (const std::string& text : options.air_names) {
        Result<AirOption> air = parse_air_option("--air-name", "AIR=NAME", text);
        if (!air) return std::move(air).error();
        if (auto known = check_air("--air-name", air->air_id); !known) return known.error();
        if (air->value.empty()) return wrong_air_option("--air-name", air->air_id, "expected a name, found none");
        if (auto set = set_once(choices.names, air->air_id, std::move(air->value), "--air-name"); !set)
            return set.error();
    }
    for (const std::uint32_t air_id : options.absent_airs) {
        if (auto known = check_air("--absent", air_id); !known) return known.error();
        if (vk.airs[air_id].is_required) return wrong_air_option("--absent", air_id, "the key requires a trace");
        if (choices.heights.contains(air_id) || choices.public_values.contains(air_id)) {
            return wrong_air_option("--absent", air_id, "--height or --public-values gives it a trace");
        }
        if (!choices.absent.insert(air_id).second) return wrong_air_option("--absent", air_id, "given twice");
    }
    return choices;
}

std::vector<Part> parts_of(const std::string& folder, std::uint32_t air_id, const TraceWidths& width) {
    std::vector<Part> parts;
    const auto add = [&](std::string name, std::uint32_t columns) {
        Part part{.name = std::move(name), .file = {}, .width = columns};
        part.file = part_file(air_id, part.name);
        part.size_bytes = size_of_file(path_in(folder, part.file));
        parts.push_back(std::move(part));
    };
    if (width.common_main > 0) add("main", width.common_main);
    for (std::size_t i = 0; i < width.cached_mains.size(); ++i) add(fmt::format("cached{}", i), width.cached_mains[i]);
    if (width.preprocessed) add("preprocessed", *width.preprocessed);
    return parts;
}

/// From the command line, the key or the first file whose size tells it; 0 where none does.
std::uint64_t height_of(const AirChoices& choices, const AirSkeleton& air, const VerifyingKey& vk) {
    if (const auto given = choices.heights.find(air.air_id); given != choices.heights.end()) return given->second;
    if (const auto& preprocessed = vk.airs[air.air_id].preprocessed) {
        return std::uint64_t{1} << (preprocessed->hypercube_dim + static_cast<std::int64_t>(vk.params.l_skip));
    }
    for (const Part& part : air.parts) {
        const std::uint64_t row_bytes = sizeof(std::uint32_t) * std::uint64_t{part.width};
        if (part.size_bytes && *part.size_bytes % row_bytes == 0 && std::has_single_bit(*part.size_bytes / row_bytes)) {
            return *part.size_bytes / row_bytes;
        }
    }
    return 0;
}

std::vector<AirSkeleton> skeletons_of(const std::string& folder, const VerifyingKey& vk, const AirChoices& choices) {
    std::vector<AirSkeleton> airs;
    const auto has_own_file = [](const AirSkeleton& air) {
        // Preprocessed columns come with the key, and say nothing of a trace.
        return std::ranges::any_of(air.parts,
                                   [](const Part& part) { return part.size_bytes && part.name != "preprocessed"; });
    };
    for (std::uint32_t i = 0; i < vk.airs.size(); ++i) {
        if (choices.absent.contains(i)) continue;
        AirSkeleton air{.air_id = i, .name = fmt::format("AIR {}", i), .parts = parts_of(folder, i, vk.airs[i].width)};
        if (const auto name = choices.names.find(i); name != choices.names.end()) air.name = name->second;
        air.public_values.resize(vk.airs[i].num_public_values);
        if (const auto values = choices.public_values.find(i); values != choices.public_values.end()) {
            air.public_values = values->second;
        } else {
            air.has_public_values = air.public_values.empty();
        }
        air.height = height_of(choices, air, vk);
        airs.push_back(std::move(air));
    }
    // Where some columns are there already, they tell which AIRs have a trace.
    if (std::ranges::any_of(airs, has_own_file)) {
        std::erase_if(airs, [&](const AirSkeleton& air) {
            return !has_own_file(air) && !choices.heights.contains(air.air_id) && !vk.airs[air.air_id].is_required;
        });
    }
    return airs;
}

std::string task_json(const std::string& name, const VerifyingKey& vk, std::span<const AirSkeleton> airs) {
    JsonWriter json(2);
    const auto write_part = [&](const Part& part) {
        json.open('{');
        json.member("file", part.file);
        json.member("width", part.width);
        json.close('}');
    };
    const auto write_part_or_null = [&](const AirSkeleton& air, std::string_view key, std::string_view part_name) {
        json.key(key);
        const auto part = std::ranges::find(air.parts, part_name, &Part::name);
        if (part == air.parts.end()) {
            json.value(nullptr);
        } else {
            write_part(*part);
        }
    };
    json.open('{');
    json.member("format", kTaskFormat);
    json.member("name", name);
    json.member("num_airs", vk.airs.size());
    json.member("vk", kTaskKeyFile);
    write_elements(json, "vk_pre_hash", vk.pre_hash);
    write_params(json, vk.params);
    json.open("airs", '[');
    for (const AirSkeleton& air : airs) {
        json.item();
        json.open('{');
        json.member("air_id", air.air_id);
        json.member("name", air.name);
        json.member("height", air.height);
        write_part_or_null(air, "common_main", "main");
        json.open("cached_mains", '[');
        for (const Part& part : air.parts) {
            if (!part.name.starts_with("cached")) continue;
            json.item();
            write_part(part);
        }
        json.close(']');
        write_part_or_null(air, "preprocessed", "preprocessed");
        write_elements(json, "public_values", air.public_values);
        json.close('}');
    }
    json.close(']');
    json.close('}');
    return json.take() + '\n';
}

/// Prints what is there and what is missing. Whether all is there.
bool tell_files(Session& session, const VerifyingKey& vk, std::span<const AirSkeleton> airs, JsonWriter& json) {
    Table table({{"AIR"}, {"file", Align::kLeft}, {"columns"}, {"rows"}, {"bytes"}, {"", Align::kLeft}});
    std::string notes;
    bool is_ready = true;
    std::set<std::uint32_t> listed;
    json.open("files", '[');
    for (const AirSkeleton& air : airs) {
        listed.insert(air.air_id);
        for (const Part& part : air.parts) {
            const std::uint64_t bytes = sizeof(std::uint32_t) * part.width * air.height;
            const std::string_view state = !part.size_bytes                               ? "missing"
                                           : air.height == 0 || *part.size_bytes != bytes ? "wrong size"
                                                                                          : "there";
            is_ready = is_ready && state == "there";
            json.item();
            json.open('{');
            json.member("air_id", air.air_id);
            json.member("part", part.name);
            json.member("file", part.file);
            json.member("width", part.width);
            json.member("height", air.height);
            json.key("bytes");
            if (air.height == 0) {
                json.value(nullptr);
            } else {
                json.value(bytes);
            }
            json.member("state", state);
            json.close('}');
            table.add({fmt::to_string(air.air_id), part.file, grouped(part.width),
                       air.height == 0 ? "?" : grouped(air.height),
                       air.height == 0 ? fmt::format("{} a row", grouped(sizeof(std::uint32_t) * part.width))
                                       : grouped(bytes),
                       std::string(state)});
        }
        if (air.height == 0) {
            notes +=
                fmt::format("AIR {}: set its height in task.json, or give --height {}=ROWS\n", air.air_id, air.air_id);
        }
        if (!air.has_public_values) {
            notes +=
                fmt::format("AIR {}: {} public values are 0; set them in task.json, or give --public-values {}=V,...\n",
                            air.air_id, air.public_values.size(), air.air_id);
        }
        is_ready = is_ready && air.height != 0 && air.has_public_values;
    }
    json.close(']');
    std::vector<std::size_t> left_out;
    for (std::uint32_t i = 0; i < vk.airs.size(); ++i) {
        if (!listed.contains(i)) left_out.push_back(i);
    }
    if (airs.empty()) notes += "No AIR has a trace: a task is about at least one\n";
    is_ready = is_ready && !airs.empty();
    json.member("is_ready", is_ready);
    if (!left_out.empty()) notes += fmt::format("AIRs without a trace: {}\n", fmt::join(left_out, ", "));
    session.print(table.text() + notes);
    return is_ready;
}

}  // namespace

Result<ExitCode> run_task_init(Session& session, const TaskInitOptions& options) {
    session.claim_input("--vk", options.key_path);
    const Result<VerifyingKey> vk = read_key(session, options.key_path);
    if (!vk) return vk.error();
    const Result<AirChoices> choices = choices_of(options, *vk);
    if (!choices) return choices.error();
    if (auto checked = Session::check_folder("DIR", options.folder); !checked) return checked.error();
    if (auto made = create_folders(options.folder); !made) return made.error();
    const Result<Descriptor> held = hold_folder(options.folder);
    if (!held) return held.error();
    const std::string json_path = path_in(options.folder, kTaskFile).string();
    const std::string key_path = path_in(options.folder, kTaskKeyFile).string();
    // The key may be in its place already.
    const bool is_in_place = resolve_links(options.key_path) == resolve_links(key_path);
    std::vector<std::string> outputs{json_path};
    if (!is_in_place) outputs.push_back(key_path);
    for (const std::string& path : outputs) {
        if (options.is_forced || !size_of_file(path)) continue;
        return Error{.code = ErrorCode::kInvalidArgument,
                     .stage = "task init",
                     .message = printable(path) + " is there already; --force replaces it"};
    }
    for (const std::string& path : outputs) {
        if (auto claimed = session.claim_file_of_folder("DIR", path); !claimed) return claimed.error();
    }
    if (auto begun = session.begin(); !begun) return begun.error();

    const std::vector<AirSkeleton> airs = skeletons_of(options.folder, *vk, *choices);
    const std::string folder = resolve_links(options.folder).string();
    const std::string name = options.name.empty() ? folder.substr(folder.rfind('/') + 1) : options.name;
    std::vector<Session::Output> files;
    std::vector<std::byte> key;
    if (!is_in_place) {
        Result<std::vector<std::byte>> encoded = encode_verifying_key(*vk);
        if (!encoded) return encoded.error();
        key = *std::move(encoded);
        files.push_back({key_path, key});
    }
    const std::string text = task_json(name, *vk, airs);
    files.push_back({json_path, std::as_bytes(std::span(text))});
    if (auto written = session.write(files); !written) return written.error();

    JsonWriter json = begin_answer("task init");
    json.member("task", options.folder);
    json.member("vk", key_path);
    session.say("task {}: {}\n", printable(name), printable(json_path));
    const bool is_ready = tell_files(session, *vk, airs, json);
    if (is_ready) session.say("All files are there: whorl check --task {}\n", printable(options.folder));
    if (session.is_json()) session.print_exactly(end_answer(std::move(json)));
    return kExitOk;
}

}  // namespace whorl::cli
