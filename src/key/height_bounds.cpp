#include "key/height_bounds.hpp"

#include <algorithm>
#include <limits>
#include <map>
#include <string>
#include <utility>

#include <fmt/format.h>

#include <whorl/field.hpp>

namespace whorl {
namespace {

Error keygen_error(std::string message) {
    return {ErrorCode::kInvalidArgument, "keygen", std::move(message)};
}

// Both lists of weights ascend.
bool is_implied_by(const TraceHeightBound& a, const TraceHeightBound& b) {
    if (a.threshold < b.threshold) return false;
    auto other = b.weights.begin();
    for (const auto& [air, weight] : a.weights) {
        while (other != b.weights.end() && other->first < air) ++other;
        if (other == b.weights.end() || other->first != air || other->second < weight) return false;
    }
    return true;
}

Result<void> check_bound(const SystemParams& params, const TraceHeightBound& bound,
                         std::span<const std::string> air_names) {
    const std::string what = bound.bus ? fmt::format("bus {}: the count weights", *bound.bus) : "the interactions";
    std::uint64_t sum = 0;
    for (const auto& [air, weight] : bound.weights) {
        if (weight > std::numeric_limits<std::uint32_t>::max()) {
            const bool has_name = air < air_names.size() && !air_names[air].empty();
            return keygen_error(fmt::format(
                "{} of AIR {} add up to {}, more than 32 bits hold; use smaller weights, or fewer interactions", what,
                has_name ? fmt::format("{} ({})", air, air_names[air]) : fmt::to_string(air), weight));
        }
        sum += weight;
    }
    if (sum > std::numeric_limits<std::uint64_t>::max() >> params.log_stacked_height()) {
        return keygen_error(fmt::format(
            "{} of all AIRs add up to {}: multiplied by heights of 2^{}, more than 64 bits hold; use smaller "
            "weights, or fewer interactions",
            what, sum, params.log_stacked_height()));
    }
    return {};
}

}  // namespace

Result<std::vector<TraceHeightBound>> trace_height_bounds(const SystemParams& params,
                                                          std::span<const AirVerifyingKey> airs,
                                                          std::span<const std::string> air_names) {
    std::map<std::uint16_t, TraceHeightBound> by_bus;
    TraceHeightBound total{.bus = std::nullopt, .weights = {}, .threshold = params.logup.max_interaction_count};
    const auto add_weight = [](TraceHeightBound& bound, std::uint32_t air, std::uint64_t weight) {
        if (weight == 0) return;
        if (bound.weights.empty() || bound.weights.back().first != air) bound.weights.emplace_back(air, 0);
        bound.weights.back().second += weight;
    };
    for (std::uint32_t air = 0; air < airs.size(); ++air) {
        add_weight(total, air, airs[air].interactions.size());
        for (const SymbolicInteraction& interaction : airs[air].interactions) {
            TraceHeightBound& bound = by_bus[interaction.bus_index];
            bound.bus = interaction.bus_index;
            bound.threshold = Fp::kModulus;
            add_weight(bound, air, interaction.count_weight);
        }
    }
    if (by_bus.size() > kMaxBuses) {
        return keygen_error(
            fmt::format("{} buses are used, at most {} are possible; let some share a number, with a field "
                        "that tells their messages apart",
                        by_bus.size(), kMaxBuses));
    }

    std::vector<TraceHeightBound> kept;
    const auto add = [&](TraceHeightBound candidate) -> Result<void> {
        if (auto valid = check_bound(params, candidate, air_names); !valid) return valid;
        const auto implies_candidate = [&](const auto& other) { return is_implied_by(candidate, other); };
        if (std::any_of(kept.begin(), kept.end(), implies_candidate)) return {};
        std::erase_if(kept, [&](const auto& other) { return is_implied_by(other, candidate); });
        kept.push_back(std::move(candidate));
        return {};
    };
    for (auto& [bus, bound] : by_bus) {
        if (auto added = add(std::move(bound)); !added) return std::move(added).error();
    }
    if (auto added = add(std::move(total)); !added) return std::move(added).error();
    return kept;
}

Result<std::vector<TraceHeightConstraint>> trace_height_constraints(const SystemParams& params,
                                                                    std::span<const AirVerifyingKey> airs,
                                                                    std::span<const std::string> air_names) {
    const auto bounds = trace_height_bounds(params, airs, air_names);
    if (!bounds) return bounds.error();
    std::vector<TraceHeightConstraint> constraints;
    for (const TraceHeightBound& bound : *bounds) {
        TraceHeightConstraint& constraint = constraints.emplace_back();
        constraint.threshold = bound.threshold;
        constraint.coefficients.resize(airs.size());
        for (const auto& [air, weight] : bound.weights) {
            constraint.coefficients[air] = static_cast<std::uint32_t>(weight);
        }
    }
    return constraints;
}

}  // namespace whorl
