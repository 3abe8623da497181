#include "engine/statement_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/json_values.hpp"
#include "machine/guard.hpp"
#include "text/json.hpp"
#include "text/json_writer.hpp"
#include "text/printable.hpp"

namespace whorl {
namespace {

constexpr std::string_view kStage = "statement";
constexpr std::uint32_t kFormat = 1;

constexpr std::array<std::string_view, 6> kFields{"format", "min_security_bits", "pre_hash",
                                                  "params", "other_airs",        "airs"};
constexpr std::array<std::string_view, 4> kAirFields{"air_id", "height", "public_values", "cached_commitments"};

AirStatement air_from_json(const JsonPlace& json) {
    json.object(kAirFields);
    AirStatement air;
    air.air_id = json.at("air_id").number<std::uint32_t>();
    if (json.has("height")) {
        const auto height = json.at("height").number<std::uint64_t>();
        if (!std::has_single_bit(height)) json.fail("{}/height is {}, not a power of two", json.place(), height);
        air.log_height = static_cast<std::uint32_t>(std::countr_zero(height));
    }
    if (json.has("public_values")) {
        const JsonPlace values = json.at("public_values").array();
        std::vector<Fp> elements;
        for (std::size_t i = 0; i < values.size(); ++i) elements.push_back(values.at(i).field_element());
        air.public_values = std::move(elements);
    }
    if (json.has("cached_commitments")) {
        const JsonPlace commitments = json.at("cached_commitments").array();
        std::vector<Digest> digests;
        for (std::size_t i = 0; i < commitments.size(); ++i) digests.push_back(commitments.at(i).digest());
        air.cached_commitments = std::move(digests);
    }
    return air;
}

Statement statement_from_json(const JsonPlace& json) {
    json.object(kFields);
    if (const auto format = json.at("format").number<std::uint32_t>(); format != kFormat) {
        json.fail("{}/format is {}, this program reads {}", json.place(), format, kFormat);
    }
    Statement statement;
    if (json.has("min_security_bits")) statement.min_security_bits = json.at("min_security_bits").real_number();
    if (json.has("pre_hash")) statement.pre_hash = json.at("pre_hash").digest();
    if (json.has("params")) statement.params = params_from_json(json.at("params"));
    if (json.has("other_airs")) statement.allows_other_airs = json.at("other_airs").boolean();
    if (!json.has("airs")) return statement;
    const JsonPlace airs = json.at("airs").array();
    for (std::size_t i = 0; i < airs.size(); ++i) statement.airs.push_back(air_from_json(airs.at(i)));
    std::vector<std::size_t> ids;
    for (const AirStatement& air : statement.airs) ids.push_back(air.air_id);
    std::ranges::sort(ids);
    if (const auto twice = std::ranges::adjacent_find(ids); twice != ids.end()) {
        airs.fail("{}: AIR {} is listed twice", airs.place(), *twice);
    }
    return statement;
}

Result<Statement> parse(std::string_view text, std::string_view where) {
    const std::string shown = printable(where);
    const Result<JsonDocument> document = parse_json(text, kStage, shown);
    if (!document) return document.error();
    try {
        return statement_from_json(JsonPlace(document->root(), shown, kStage));
    } catch (JsonFault& fault) {
        return std::move(fault.error);
    }
}

void write_air(JsonWriter& json, const AirStatement& air) {
    json.open('{');
    json.member("air_id", air.air_id);
    if (air.log_height) json.member("height", std::uint64_t{1} << *air.log_height);
    if (air.public_values) write_elements(json, "public_values", *air.public_values);
    if (air.cached_commitments) {
        json.open("cached_commitments", '[');
        for (const Digest& commitment : *air.cached_commitments) {
            json.item();
            json.open('[');
            for (const Fp x : commitment) {
                json.item();
                json.value(x.canonical());
            }
            json.close(']');
        }
        json.close(']');
    }
    json.close('}');
}

}  // namespace

Result<Statement> parse_statement(std::string_view text, std::string_view where) noexcept {
    return guarded(kStage, [&] { return parse(text, where); });
}

void write_statement(JsonWriter& json, const Statement& statement) {
    json.open('{');
    json.member("format", kFormat);
    json.member("min_security_bits", statement.min_security_bits);
    if (statement.pre_hash) write_elements(json, "pre_hash", *statement.pre_hash);
    if (statement.params) write_params(json, *statement.params);
    json.member("other_airs", statement.allows_other_airs);
    json.open("airs", '[');
    for (const AirStatement& air : statement.airs) {
        json.item();
        write_air(json, air);
    }
    json.close(']');
    json.close('}');
}

Result<std::string> statement_text(const Statement& statement) noexcept {
    return guarded(kStage, [&]() -> Result<std::string> {
        for (const AirStatement& air : statement.airs) {
            if (air.log_height.value_or(0) >= std::numeric_limits<std::uint64_t>::digits) {
                return Error{.code = ErrorCode::kInvalidArgument,
                             .stage = std::string(kStage),
                             .message = fmt::format("AIR {} has a height of 2^{}, expected below 2^64", air.air_id,
                                                    *air.log_height)};
            }
        }
        JsonWriter json(2);
        write_statement(json, statement);
        return json.take() + '\n';
    });
}

}  // namespace whorl
