#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <whorl/air.hpp>
#include <whorl/security.hpp>

#include "airs/keccak.hpp"
#include "airs/small.hpp"
#include "cli/air_values.hpp"
#include "cli/answer.hpp"
#include "cli/commands.hpp"
#include "cli/file_kind.hpp"
#include "cli/matrix_file.hpp"
#include "cli/table.hpp"
#include "engine/files.hpp"
#include "engine/json_values.hpp"
#include "engine/task_files.hpp"
#include "text/json.hpp"
#include "text/printable.hpp"

namespace whorl::cli {
namespace {

constexpr std::uint16_t kMessageBus = 0;
constexpr std::uint16_t kSelfBus = 1;

Error wrong_air(const std::string& text, std::string_view what) {
    return {.code = ErrorCode::kInvalidArgument,
            .stage = "--air",
            .message = fmt::format("\"{}\": {}", printable(text), what)};
}

std::vector<bool> alternating_selectors(std::uint64_t num_rows) {
    std::vector<bool> selectors(static_cast<std::size_t>(num_rows));
    for (std::size_t row = 0; row < selectors.size(); row += 2) selectors[row] = true;
    return selectors;
}

/// "NAME" or "NAME:SIZE".
Result<AnyAir> air_of(const std::string& text) {
    const std::size_t colon = text.find(':');
    const std::string_view name = std::string_view(text).substr(0, colon);
    const auto found = std::ranges::find(kKeygenAirs, name, &KeygenAir::name);
    if (found == kKeygenAirs.end()) {
        std::vector<std::string_view> names;
        for (const KeygenAir& air : kKeygenAirs) names.push_back(air.name);
        return wrong_air(text, fmt::format("expected one of {}", fmt::join(names, ", ")));
    }
    std::uint64_t size = found->default_size;
    if (colon != text.npos) {
        if (found->size_name.empty()) return wrong_air(text, "this AIR has no size");
        const auto given = number_in(std::string_view(text).substr(colon + 1), found->max_size);
        if (!given || *given == 0) {
            return wrong_air(
                text, fmt::format("{}: expected a whole number from 1 to {}", found->size_name, found->max_size));
        }
        size = *given;
    }
    if (found->size_name == "ROWS" && !std::has_single_bit(size)) {
        return wrong_air(text, "the number of rows is not a power of two");
    }
    const auto small_size = static_cast<std::uint32_t>(size);
    if (name == "keccak") return AnyAir(KeccakAir{});
    if (name == "fibonacci") return AnyAir(FibonacciAir{});
    if (name == "fibonacci-selector") return AnyAir(FibonacciSelectorAir{alternating_selectors(size)});
    if (name == "preprocessed-cached") {
        return AnyAir(PreprocessedCachedAir{.selectors = alternating_selectors(size), .num_cached_parts = 1});
    }
    if (name == "self-interaction") {
        return AnyAir(SelfInteractionAir{.num_columns = small_size, .bus_index = kSelfBus});
    }
    return AnyAir(DummyInteractionAir{
        .num_fields = small_size, .is_send = name == "send", .bus_index = kMessageBus, .has_cached_fields = false});
}

Result<SystemParams> params_in_file(const Session& session, const std::string& path) {
    constexpr std::string_view kStage = "params";
    const Result<std::vector<std::byte>> bytes =
        session.read(path, {.max_bytes = kTaskJsonLimit.max_bytes, .content = "JSON with parameters"});
    if (!bytes) return bytes.error();
    const std::string shown = shown_path(path, "standard input");
    const Result<JsonDocument> document = parse_json(as_text(*bytes), kStage, shown);
    if (!document) return with_kind(document.error(), *bytes, "JSON with parameters");
    try {
        const JsonPlace root(document->root(), shown, kStage);
        // The answer of `whorl params --json` has several, of which one is chosen.
        return params_from_json((root.has("chosen") ? root.at("chosen") : root).at("params"));
    } catch (JsonFault& fault) {
        return std::move(fault.error);
    }
}

Result<SystemParams> params_of(const Session& session, const KeygenOptions& options) {
    if (!options.params_path.empty()) return params_in_file(session, options.params_path);
    switch (options.preset) {
        case ParamsPreset::kApp:
            return app_params_100_bits(options.log_stacked_height);
        case ParamsPreset::kLeaf:
            return leaf_params_100_bits();
        case ParamsPreset::kInternal:
            return internal_params_100_bits();
        case ParamsPreset::kRoot:
            return root_params_100_bits();
        case ParamsPreset::kHook:
            return hook_params_100_bits();
        case ParamsPreset::kTest:
            break;
    }
    return test_params_small(2, 8, 3);
}

}  // namespace

Result<ExitCode> run_keygen(Session& session, const KeygenOptions& options) {
    session.claim_input("--params-file", options.params_path);
    const Result<SystemParams> params = params_of(session, options);
    if (!params) return params.error();
    std::vector<AnyAir> airs;
    for (const std::string& text : options.airs) {
        Result<AnyAir> air = air_of(text);
        if (!air) return std::move(air).error();
        airs.push_back(*std::move(air));
    }
    if (auto checked = Session::check_folder("--out", options.out_folder); !checked) return checked.error();
    if (auto made = create_folders(options.out_folder); !made) return made.error();
    const Result<Descriptor> held = hold_folder(options.out_folder);
    if (!held) return held.error();
    const std::string key_path = path_in(options.out_folder, kTaskKeyFile).string();
    if (!options.is_forced && (has_task_json(options.out_folder) || size_of_file(key_path))) {
        return Error{
            .code = ErrorCode::kInvalidArgument,
            .stage = "--out",
            .message = fmt::format("{} has a {} already; --force replaces a key and its preprocessed columns",
                                   printable(options.out_folder), size_of_file(key_path) ? kTaskKeyFile : kTaskFile)};
    }
    if (auto claimed = session.claim_file_of_folder("--out", key_path); !claimed) return claimed.error();
    const auto preprocessed_path = [&](std::size_t air_id) {
        const std::string file = part_file(static_cast<std::uint32_t>(air_id), "preprocessed");
        return path_in(options.out_folder, file).string();
    };
    // Whether an AIR has such columns is only known later.
    for (std::size_t i = 0; i < airs.size(); ++i) {
        if (auto claimed = session.claim_file_of_folder("--out", preprocessed_path(i)); !claimed)
            return claimed.error();
    }
    if (auto begun = session.begin(); !begun) return begun.error();

    std::optional<Span> span(std::in_place, &session.telemetry(), "keygen");
    const Result<ProvingKey> key = keygen(*params, airs);
    if (!key) return key.error();
    span.reset();
    const Result<std::vector<std::byte>> bytes = encode_verifying_key(key->vk);
    if (!bytes) return bytes.error();
    const Result<SecurityBits> bits = security_bits(key->vk);
    if (!bits) return bits.error();

    JsonWriter json = begin_answer("keygen");
    json.member("vk", key_path);
    json.member("vk_bytes", bytes->size());
    write_digest(json, "pre_hash", key->vk.pre_hash);
    write_security(json, *bits);
    json.open("airs", '[');
    std::vector<std::pair<std::string, std::vector<std::byte>>> files;
    Table table({{"AIR"}, {"name", Align::kLeft}, {"preprocessed columns", Align::kLeft}});
    for (std::size_t i = 0; i < key->air_names.size(); ++i) {
        json.item();
        json.open('{');
        json.member("air_id", i);
        json.member("name", key->air_names[i]);
        json.key("preprocessed");
        std::string file = "-";
        if (const std::optional<Matrix>& matrix = key->preprocessed[i]) {
            file = part_file(static_cast<std::uint32_t>(i), "preprocessed");
            const std::string path = preprocessed_path(i);
            files.emplace_back(path, matrix_bytes(*matrix));
            json.value(path);
        } else {
            json.value(nullptr);
        }
        json.close('}');
        table.add({fmt::to_string(i), printable(key->air_names[i]), file});
    }
    json.close(']');
    std::vector<Session::Output> outputs;
    for (const auto& [path, columns] : files) outputs.push_back({path, columns});
    outputs.push_back({key_path, *bytes});
    if (auto written = session.write(outputs); !written) return written.error();
    session.say("verifying key: {}, {} bytes\n  pre-hash {}\n  security: {} bits ({})\n\n{}", printable(key_path),
                grouped(bytes->size()), digest_text(key->vk.pre_hash), bits_text(bits->total()), bits->weakest(),
                table.text());
    if (session.is_json()) session.print_exactly(end_answer(std::move(json)));
    return kExitOk;
}

}  // namespace whorl::cli
