// The parameters of whorl/whorl.h.
#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>
#include <variant>

#include <whorl/params.hpp>

#include "capi/verifier/handles.hpp"

namespace whorl::capi {
namespace {

constexpr std::string_view kStage = "params";

Result<SystemParams> preset(std::string_view name, std::uint32_t log_stacked_height) {
    if (name == "app") return app_params_100_bits(log_stacked_height);
    const std::pair<std::string_view, SystemParams (*)()> fixed[] = {{"leaf", leaf_params_100_bits},
                                                                     {"internal", internal_params_100_bits},
                                                                     {"root", root_params_100_bits},
                                                                     {"hook", hook_params_100_bits}};
    for (const auto& [known, make] : fixed) {
        if (name != known) continue;
        if (log_stacked_height == 0) return make();
        return bad_argument(kStage, fmt::format("expected 0 as log_stacked_height of {}, which is fixed, found {}",
                                                name, log_stacked_height));
    }
    return bad_argument(kStage, "expected app, leaf, internal, root or hook as the name of a preset, found another");
}

Result<Proximity> proximity_of(const whorl_params_info& info) {
    const bool has_m = info.proximity != WHORL_UNIQUE_DECODING, has_start = info.proximity == WHORL_SPLIT_UNIQUE_LIST;
    if ((!has_m && info.proximity_m != 0) || (!has_start && info.list_start_round != 0)) {
        return bad_argument(kStage,
                            fmt::format("expected 0 where the proximity has no such number, found proximity_m {} and "
                                        "list_start_round {}",
                                        info.proximity_m, info.list_start_round));
    }
    switch (info.proximity) {
        case WHORL_UNIQUE_DECODING:
            return Proximity(UniqueDecoding{});
        case WHORL_SPLIT_UNIQUE_LIST:
            return Proximity(SplitUniqueList{.m = info.proximity_m, .list_start_round = info.list_start_round});
        case WHORL_LIST_DECODING:
            return Proximity(ListDecoding{.m = info.proximity_m});
        default:
            return bad_argument(kStage, fmt::format("expected a whorl_proximity, found {}", info.proximity));
    }
}

Result<SystemParams> params_of(const whorl_params_info& info, const std::uint32_t* num_queries) {
    if (num_queries == nullptr && info.num_whir_rounds != 0) return missing(kStage, "numbers of queries");
    // No parameters have more rounds; a number that a caller did not mean is not read past.
    if (info.num_whir_rounds > ParamLimits::kMaxLogCodewordHeight) {
        return bad_argument(kStage, fmt::format("expected at most {} WHIR rounds, found {}",
                                                ParamLimits::kMaxLogCodewordHeight, info.num_whir_rounds));
    }
    Result<Proximity> proximity = proximity_of(info);
    if (!proximity) return std::move(proximity).error();
    SystemParams params{.l_skip = info.l_skip,
                        .n_stack = info.n_stack,
                        .w_stack = info.w_stack,
                        .log_blowup = info.log_blowup,
                        .whir = {.k = info.whir_k,
                                 .num_queries = {num_queries, num_queries + info.num_whir_rounds},
                                 .mu_pow_bits = info.mu_pow_bits,
                                 .query_phase_pow_bits = info.query_phase_pow_bits,
                                 .folding_pow_bits = info.folding_pow_bits,
                                 .proximity = *std::move(proximity)},
                        .logup = {.max_interaction_count = info.max_interaction_count,
                                  .log_max_message_length = info.log_max_message_length,
                                  .pow_bits = info.logup_pow_bits},
                        .max_constraint_degree = info.max_constraint_degree};
    if (auto workable = check_params(params); !workable) return std::move(workable).error();
    return params;
}

whorl_params_info info_of(const SystemParams& params) {
    whorl_params_info info{};
    info.w_stack = params.w_stack;
    if (const auto* split = std::get_if<SplitUniqueList>(&params.whir.proximity)) {
        info.proximity = WHORL_SPLIT_UNIQUE_LIST;
        info.proximity_m = split->m;
        info.list_start_round = split->list_start_round;
    } else if (const auto* list = std::get_if<ListDecoding>(&params.whir.proximity)) {
        info.proximity = WHORL_LIST_DECODING;
        info.proximity_m = list->m;
    }
    info.l_skip = params.l_skip;
    info.n_stack = params.n_stack;
    info.log_blowup = params.log_blowup;
    info.whir_k = params.whir.k;
    info.num_whir_rounds = params.whir.num_rounds();
    info.mu_pow_bits = params.whir.mu_pow_bits;
    info.query_phase_pow_bits = params.whir.query_phase_pow_bits;
    info.folding_pow_bits = params.whir.folding_pow_bits;
    info.logup_pow_bits = params.logup.pow_bits;
    info.max_interaction_count = params.logup.max_interaction_count;
    info.log_max_message_length = params.logup.log_max_message_length;
    info.max_constraint_degree = params.max_constraint_degree;
    return info;
}

}  // namespace
}  // namespace whorl::capi

using whorl::Result;
namespace capi = whorl::capi;

whorl_code whorl_params_preset(const char* name, uint32_t log_stacked_height, whorl_params** params,
                               whorl_error** error) {
    return capi::call(error, capi::kStage, [&]() -> Result<void> {
        if (name == nullptr) return capi::missing(capi::kStage, "a name");
        if (params == nullptr) return capi::missing(capi::kStage, "a place for the parameters");
        Result<whorl::SystemParams> made = capi::preset(name, log_stacked_height);
        if (!made) return std::move(made).error();
        *params = new whorl_params{*std::move(made)};
        return {};
    });
}

whorl_code whorl_params_new(const whorl_params_info* info, const uint32_t* num_queries, whorl_params** params,
                            whorl_error** error) {
    return capi::call(error, capi::kStage, [&]() -> Result<void> {
        if (info == nullptr) return capi::missing(capi::kStage, "a struct");
        if (params == nullptr) return capi::missing(capi::kStage, "a place for the parameters");
        const Result<whorl_params_info> read = capi::read_struct(capi::kStage, info);
        if (!read) return read.error();
        Result<whorl::SystemParams> made = capi::params_of(*read, num_queries);
        if (!made) return std::move(made).error();
        *params = new whorl_params{*std::move(made)};
        return {};
    });
}

void whorl_params_free(whorl_params* params) {
    delete params;
}

whorl_code whorl_params_read(const whorl_params* params, whorl_params_info* info, uint32_t* num_queries,
                             size_t capacity, whorl_error** error) {
    return capi::call(error, capi::kStage, [&]() -> Result<void> {
        if (params == nullptr) return capi::missing(capi::kStage, "parameters");
        if (num_queries == nullptr && capacity != 0) {
            return capi::missing(capi::kStage, "a place for the numbers of queries");
        }
        if (info != nullptr) {
            if (auto ok = capi::write_struct(capi::kStage, capi::info_of(params->params), info); !ok) return ok;
        }
        const auto& counts = params->params.whir.num_queries;
        std::copy_n(counts.begin(), std::min(capacity, counts.size()), num_queries);
        return {};
    });
}

uint8_t whorl_params_equal(const whorl_params* a, const whorl_params* b) {
    return a != nullptr && b != nullptr && a->params == b->params ? 1 : 0;
}

whorl_code whorl_key_params(const whorl_key* key, whorl_params** params, whorl_error** error) {
    return capi::call(error, "key", [&]() -> Result<void> {
        if (key == nullptr) return capi::missing("key", "a key");
        if (params == nullptr) return capi::missing("key", "a place for the parameters");
        *params = new whorl_params{key->vk.params};
        return {};
    });
}
