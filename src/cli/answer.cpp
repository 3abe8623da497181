#include "cli/answer.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <utility>

#include <whorl/version.hpp>

#include "engine/json_values.hpp"

namespace whorl::cli {
namespace {

void write_bits(JsonWriter& json, std::string_view name, double bits) {
    json.member(name, std::isinf(bits) && bits < 0 ? 0.0 : bits);  // plus infinity is written as null
}

void write_air(JsonWriter& json, std::uint32_t air_id, std::span<const std::string> air_names) {
    json.member("air_id", air_id);
    if (air_id < air_names.size()) json.member("name", air_names[air_id]);
}

void write_source(JsonWriter& json, const SourceNote& note) {
    if (note == SourceNote{}) return;
    json.open("source", '{');
    write_note(json, note);
    json.close('}');
}

void write_failure(JsonWriter& json, const ConstraintFailure& failure, std::span<const std::string> air_names) {
    json.open('{');
    write_air(json, failure.air_id, air_names);
    json.member("row", failure.row);
    json.member("num_rows", failure.num_rows);
    json.member("constraint", failure.constraint);
    write_source(json, failure.note);
    json.member("expression", failure.expression);
    json.member("value", failure.value.canonical());
    json.open("variables", '[');
    for (const auto& variable : failure.variables) {
        json.item();
        json.open('{');
        json.member("name", variable.name);
        json.member("value", variable.value.canonical());
        json.close('}');
    }
    json.close(']');
    json.close('}');
}

void write_message(JsonWriter& json, const UnbalancedMessage& message) {
    json.open('{');
    write_elements(json, "fields", message.fields);
    json.member("net_count", message.net_count.canonical());
    json.member("num_contributions", message.num_contributions);
    json.open("contributions", '[');
    for (const auto& contribution : message.contributions) {
        json.item();
        json.open('{');
        json.member("air_id", contribution.air_id);
        json.member("row", contribution.row);
        json.member("interaction", contribution.interaction);
        json.member("count", contribution.count.canonical());
        write_source(json, contribution.note);
        json.close('}');
    }
    json.close(']');
    json.close('}');
}

}  // namespace

JsonWriter begin_answer(std::string_view command) {
    JsonWriter json(2);
    json.open('{');
    json.member("command", command);
    json.member("version", WHORL_VERSION);
    return json;
}

std::string end_answer(JsonWriter json) {
    json.close('}');
    return json.take() + '\n';
}

void write_security(JsonWriter& json, const SecurityBits& bits) {
    json.open("security", '{');
    write_bits(json, "total_bits", bits.total());
    json.member("weakest", bits.weakest());
    write_bits(json, "logup", bits.logup);
    write_bits(json, "gkr_sumcheck", bits.gkr_sumcheck);
    write_bits(json, "gkr_batching", bits.gkr_batching);
    write_bits(json, "zerocheck_sumcheck", bits.zerocheck_sumcheck);
    write_bits(json, "constraint_batching", bits.constraint_batching);
    write_bits(json, "stacked_reduction", bits.stacked_reduction);
    write_bits(json, "mu_batching", bits.mu_batching);
    json.open("whir_rounds", '[');
    for (const WhirRoundSecurity& round : bits.whir_rounds) {
        json.item();
        json.open('{');
        write_bits(json, "fold", round.fold);
        write_bits(json, "proximity_gap", round.proximity_gap);
        write_bits(json, "sumcheck", round.sumcheck);
        write_bits(json, "shift", round.shift);
        write_bits(json, "query", round.query);
        write_bits(json, "gamma_batching", round.gamma_batching);
        write_bits(json, "out_of_domain", round.out_of_domain);
        json.close('}');
    }
    json.close(']');
    json.close('}');
}

void write_digest(JsonWriter& json, std::string_view name, const Digest& digest) {
    write_elements(json, name, digest);
}

void write_digests(JsonWriter& json, std::string_view name, std::span<const Digest> digests) {
    json.open(name, '[');
    for (const Digest& digest : digests) {
        json.item();
        json.open('[');
        for (const Fp x : digest) {
            json.item();
            json.value(x.canonical());
        }
        json.close(']');
    }
    json.close(']');
}

void write_error(JsonWriter& json, const VerifyError& error) {
    json.open("error", '{');
    json.member("kind", name(error.kind));
    json.member("stage", error.stage);
    json.member("place", error.place);
    json.member("expected", error.expected);
    json.member("found", error.found);
    json.member("message", to_string(error));
    json.close('}');
}

void write_error(JsonWriter& json, const Error& error) {
    json.open("error", '{');
    json.member("stage", error.stage);
    json.member("message", to_string(error));
    json.close('}');
}

void write_check(JsonWriter& json, const CheckReport& report, std::span<const std::string> air_names) {
    json.member("is_satisfied", report.is_satisfied());
    json.member("constraints_checked", report.num_constraints_checked);
    json.member("messages_checked", report.num_messages_checked);
    json.open("failures", '[');
    for (const ConstraintFailure& failure : report.failures) {
        json.item();
        write_failure(json, failure, air_names);
    }
    json.close(']');
    json.open("failing_airs", '[');
    for (const FailingAir& air : report.failing_airs) {
        json.item();
        json.open('{');
        write_air(json, air.air_id, air_names);
        json.member("num_constraints", air.num_constraints);
        json.close('}');
    }
    json.close(']');
    json.open("unbalanced_buses", '[');
    for (const UnbalancedBus& bus : report.unbalanced_buses) {
        json.item();
        json.open('{');
        json.member("bus", bus.bus_index);
        if (!bus.name.empty()) json.member("name", bus.name);
        json.open("messages", '[');
        for (const UnbalancedMessage& message : bus.messages) {
            json.item();
            write_message(json, message);
        }
        json.close(']');
        json.member("has_more", bus.has_more);
        json.open("absent_airs", '[');
        for (const std::uint32_t id : bus.absent_airs) {
            json.item();
            json.open('{');
            write_air(json, id, air_names);
            json.close('}');
        }
        json.close(']');
        json.close('}');
    }
    json.close(']');
}

}  // namespace whorl::cli
