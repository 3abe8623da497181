#include "key/params_difference.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <variant>

namespace whorl {
namespace {

std::string text_of(const Proximity& proximity) {
    if (const auto* split = std::get_if<SplitUniqueList>(&proximity)) {
        return fmt::format("list decoding with m = {} from round {}", split->m, split->list_start_round);
    }
    if (const auto* list = std::get_if<ListDecoding>(&proximity)) {
        return fmt::format("list decoding with m = {}", list->m);
    }
    return "unique decoding";
}

}  // namespace

std::optional<ParamsDifference> find_difference(const SystemParams& first, const SystemParams& second) {
    if (first == second) return std::nullopt;
    std::optional<ParamsDifference> difference;
    const auto compare = [&](const std::string& name, const auto& a, const auto& b) {
        if (difference || a == b) return;
        difference = ParamsDifference{.name = name, .first = fmt::format("{}", a), .second = fmt::format("{}", b)};
    };
    compare("l_skip", first.l_skip, second.l_skip);
    compare("n_stack", first.n_stack, second.n_stack);
    compare("w_stack", first.w_stack, second.w_stack);
    compare("log_blowup", first.log_blowup, second.log_blowup);
    compare("whir.k", first.whir.k, second.whir.k);
    compare("WHIR rounds", first.whir.num_rounds(), second.whir.num_rounds());
    const std::size_t num_rounds = std::min(first.whir.num_queries.size(), second.whir.num_queries.size());
    for (std::size_t i = 0; i < num_rounds; ++i) {
        compare(fmt::format("queries of WHIR round {}", i), first.whir.num_queries[i], second.whir.num_queries[i]);
    }
    compare("whir.mu_pow_bits", first.whir.mu_pow_bits, second.whir.mu_pow_bits);
    compare("whir.query_phase_pow_bits", first.whir.query_phase_pow_bits, second.whir.query_phase_pow_bits);
    compare("whir.folding_pow_bits", first.whir.folding_pow_bits, second.whir.folding_pow_bits);
    compare("whir.proximity", text_of(first.whir.proximity), text_of(second.whir.proximity));
    compare("logup.max_interaction_count", first.logup.max_interaction_count, second.logup.max_interaction_count);
    compare("logup.log_max_message_length", first.logup.log_max_message_length, second.logup.log_max_message_length);
    compare("logup.pow_bits", first.logup.pow_bits, second.logup.pow_bits);
    compare("max_constraint_degree", first.max_constraint_degree, second.max_constraint_degree);
    // A parameter that has no line here yet.
    return difference ? difference : ParamsDifference{};
}

}  // namespace whorl
