#include "engine/json_values.hpp"

#include <algorithm>
#include <utility>
#include <variant>
#include <vector>

#include <fmt/ranges.h>

#include "engine/files.hpp"
#include "text/printable.hpp"

namespace whorl {

JsonPlace JsonPlace::at(const char* key) const {
    if (!json_.is_object()) fail("{} is not an object", place_);
    const auto it = json_.find(key);
    if (it == json_.end()) fail("{} has no \"{}\"", place_, key);
    return {*it, fmt::format("{}/{}", place_, key), stage_};
}

const JsonPlace& JsonPlace::array() const {
    if (!json_.is_array()) fail("{} is not an array", place_);
    return *this;
}

const JsonPlace& JsonPlace::object() const {
    if (!json_.is_object()) fail("{} is not an object", place_);
    return *this;
}

const JsonPlace& JsonPlace::object(std::span<const std::string_view> keys) const {
    object();
    for (auto it = json_.begin(); it != json_.end(); ++it) {
        if (std::ranges::find(keys, it.key()) != keys.end()) continue;
        fail("{} has \"{}\", expected only {}", place_, printable(it.key()), fmt::join(keys, ", "));
    }
    return *this;
}

std::uint64_t JsonPlace::whole_number(std::uint64_t max) const {
    if (!json_.is_number_unsigned()) fail("{} is not a whole number", place_);
    const auto value = json_.get<std::uint64_t>();
    if (value > max) fail("{} is {}, above the largest possible {}", place_, value, max);
    return value;
}

Digest JsonPlace::digest() const {
    Digest digest;
    if (array().size() != digest.size()) {
        fail("{} has {} elements, expected {}", place_, size(), digest.size());
    }
    for (std::size_t i = 0; i < digest.size(); ++i) digest[i] = at(i).field_element();
    return digest;
}

bool JsonPlace::boolean() const {
    if (!json_.is_boolean()) fail("{} is neither true nor false", place_);
    return json_.get<bool>();
}

double JsonPlace::real_number() const {
    if (!json_.is_number() || json_.get<double>() < 0) fail("{} is not a number from 0", place_);
    return json_.get<double>();
}

std::string JsonPlace::text() const {
    if (!json_.is_string()) fail("{} is not a string", place_);
    return json_.get<std::string>();
}

std::filesystem::path JsonPlace::file_in(const std::filesystem::path& folder) const {
    const std::string name = text();
    if (name.empty() || name == ".." || name == "." || name.find_first_of(std::string_view("/\0", 2)) != name.npos) {
        fail("{} is \"{}\", which is not the name of a file in the folder", place_, printable(name));
    }
    return path_in(folder, name);
}

namespace {

Proximity proximity_from_json(const JsonPlace& json) {
    if (json.has("SplitUniqueList")) {
        const JsonPlace split = json.at("SplitUniqueList");
        return SplitUniqueList{.m = split.at("m").number<std::uint64_t>(),
                               .list_start_round = split.at("list_start_round").number<std::uint64_t>()};
    }
    if (json.has("ListDecoding")) return ListDecoding{.m = json.at("ListDecoding").at("m").number<std::uint64_t>()};
    const std::string kind = json.text();
    if (kind != "UniqueDecoding") {
        json.fail("{} is unknown: \"{}\"", json.place(), printable(kind));
    }
    return UniqueDecoding{};
}

void write_proximity(JsonWriter& json, const Proximity& proximity) {
    json.key("proximity");
    if (std::holds_alternative<UniqueDecoding>(proximity)) {
        json.value("UniqueDecoding");
        return;
    }
    json.open('{');
    if (const auto* split = std::get_if<SplitUniqueList>(&proximity)) {
        json.open("SplitUniqueList", '{');
        json.member("list_start_round", split->list_start_round);
        json.member("m", split->m);
        json.close('}');
    } else {
        json.open("ListDecoding", '{');
        json.member("m", std::get<ListDecoding>(proximity).m);
        json.close('}');
    }
    json.close('}');
}

}  // namespace

SystemParams params_from_json(const JsonPlace& json) {
    const auto number = [](const JsonPlace& object, const char* key) { return object.at(key).number<std::uint32_t>(); };
    const JsonPlace whir = json.at("whir");
    const JsonPlace logup = json.at("logup");
    const JsonPlace rounds = whir.at("rounds").array();
    std::vector<std::uint32_t> num_queries;
    for (std::size_t i = 0; i < rounds.size(); ++i) num_queries.push_back(number(rounds.at(i), "num_queries"));
    return {.l_skip = number(json, "l_skip"),
            .n_stack = number(json, "n_stack"),
            .w_stack = json.at("w_stack").number<std::uint64_t>(),
            .log_blowup = number(json, "log_blowup"),
            .whir = {.k = number(whir, "k"),
                     .num_queries = std::move(num_queries),
                     .mu_pow_bits = number(whir, "mu_pow_bits"),
                     .query_phase_pow_bits = number(whir, "query_phase_pow_bits"),
                     .folding_pow_bits = number(whir, "folding_pow_bits"),
                     .proximity = proximity_from_json(whir.at("proximity"))},
            .logup = {.max_interaction_count = number(logup, "max_interaction_count"),
                      .log_max_message_length = number(logup, "log_max_message_length"),
                      .pow_bits = number(logup, "pow_bits")},
            .max_constraint_degree = number(json, "max_constraint_degree")};
}

void write_params(JsonWriter& json, const SystemParams& params) {
    json.open("params", '{');
    json.member("l_skip", params.l_skip);
    json.member("n_stack", params.n_stack);
    json.member("w_stack", params.w_stack);
    json.member("log_blowup", params.log_blowup);
    json.member("max_constraint_degree", params.max_constraint_degree);
    json.open("logup", '{');
    json.member("max_interaction_count", params.logup.max_interaction_count);
    json.member("log_max_message_length", params.logup.log_max_message_length);
    json.member("pow_bits", params.logup.pow_bits);
    json.close('}');
    json.open("whir", '{');
    json.member("k", params.whir.k);
    json.open("rounds", '[');
    for (const std::uint32_t count : params.whir.num_queries) {
        json.item();
        json.open('{');
        json.member("num_queries", count);
        json.close('}');
    }
    json.close(']');
    json.member("mu_pow_bits", params.whir.mu_pow_bits);
    json.member("query_phase_pow_bits", params.whir.query_phase_pow_bits);
    json.member("folding_pow_bits", params.whir.folding_pow_bits);
    write_proximity(json, params.whir.proximity);
    json.close('}');
    json.close('}');
}

void write_note(JsonWriter& json, const SourceNote& note) {
    if (!note.file.empty()) {
        json.member("file", note.file);
        json.member("line", note.line);
    }
    if (!note.label.empty()) json.member("label", note.label);
}

void write_elements(JsonWriter& json, std::string_view name, std::span<const Fp> elements) {
    json.open(name, '[');
    for (const Fp x : elements) {
        json.item();
        json.value(x.canonical());
    }
    json.close(']');
}

}  // namespace whorl
