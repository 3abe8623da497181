// System parameters: what can be worked with, and the reference's presets (PROTOCOL.md section 5).
#include <whorl/params.hpp>

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include <whorl/field.hpp>

#include "key/app_params.hpp"
#include "key/params_fault.hpp"
#include "machine/guard.hpp"

namespace whorl {
namespace {

constexpr double kTargetBits = 100;
constexpr std::uint32_t kLogFinalPolyLenLimit = 10;
constexpr std::uint32_t kWhirFolding = 4;
constexpr std::uint32_t kMinLogupPowBits = 18;
constexpr std::uint32_t kLogMaxMessageLength = 7;

// The list size that list decoding assumes in WHIR round `round`; no value means unique decoding there.
std::optional<double> list_multiplicity(const Proximity& proximity, std::uint32_t round) {
    const auto at_least_one = [](std::uint64_t m) { return static_cast<double>(std::max<std::uint64_t>(m, 1)); };
    if (const auto* list = std::get_if<ListDecoding>(&proximity)) return at_least_one(list->m);
    if (const auto* split = std::get_if<SplitUniqueList>(&proximity)) {
        if (round >= split->list_start_round) return at_least_one(split->m);
    }
    return std::nullopt;
}

// Queries so that a word far from the code is caught with `security_bits` (PROTOCOL.md 5.2).
std::uint32_t num_queries(const Proximity& proximity, std::uint32_t round, double security_bits,
                          std::uint32_t log_inverse_rate) {
    const double rate = std::pow(2.0, -static_cast<double>(log_inverse_rate));
    const std::optional<double> m = list_multiplicity(proximity, round);
    const double agreement = m ? std::min(1.0, std::sqrt(rate) * (1.0 + 1.0 / (2.0 * *m))) : (1.0 + rate) / 2.0;
    return static_cast<std::uint32_t>(std::ceil(security_bits / -std::log2(agreement)));
}

struct WhirChoice {
    std::uint32_t k;
    std::uint32_t log_final_poly_len_limit;
    double security_bits;
    std::uint32_t mu_pow_bits;
    std::uint32_t query_phase_pow_bits;
    std::uint32_t folding_pow_bits;
    Proximity proximity;
};

WhirParams derive_whir(const WhirChoice& choice, std::uint32_t log_stacked_height, std::uint32_t log_blowup) {
    WhirParams whir{.k = choice.k,
                    .num_queries = {},
                    .mu_pow_bits = choice.mu_pow_bits,
                    .query_phase_pow_bits = choice.query_phase_pow_bits,
                    .folding_pow_bits = choice.folding_pow_bits,
                    .proximity = choice.proximity};
    if (choice.k == 0) return whir;
    const std::uint32_t num_rounds = (log_stacked_height - choice.log_final_poly_len_limit + choice.k - 1) / choice.k;
    const double query_bits = std::max(0.0, choice.security_bits - static_cast<double>(choice.query_phase_pow_bits));
    for (std::uint32_t round = 0; round < num_rounds; ++round) {
        whir.num_queries.push_back(
            num_queries(choice.proximity, round, query_bits, log_blowup + round * (choice.k - 1)));
    }
    return whir;
}

// Grinding that lifts LogUp to `target_bits`, after a union bound over the list of codewords (PROTOCOL.md 5.3).
LogupParams derive_logup(const Proximity& proximity, std::uint32_t log_blowup, double target_bits) {
    const std::optional<double> m = list_multiplicity(proximity, 0);
    const double log_list_size = m ? std::log2(*m + 0.5) + log_blowup / 2.0 : 0.0;
    const double security_bits =
        4 * std::log2(double{Fp::kModulus}) - std::log2(2.0 * Fp::kModulus) - kLogMaxMessageLength - log_list_size;
    const double missing_bits = std::max(0.0, std::ceil(target_bits - security_bits));
    return {.max_interaction_count = Fp::kModulus,
            .log_max_message_length = kLogMaxMessageLength,
            .pow_bits = std::max(kMinLogupPowBits, static_cast<std::uint32_t>(missing_bits))};
}

struct Preset {
    std::uint32_t log_blowup;
    std::uint32_t l_skip;
    std::uint32_t n_stack;
    std::uint64_t w_stack;
    std::uint32_t folding_pow_bits;
    std::uint32_t mu_pow_bits;
    std::uint32_t query_phase_pow_bits;
    Proximity proximity;
    std::uint32_t max_constraint_degree;
};

SystemParams params_of(const Preset& preset, double security_bits) {
    const WhirChoice whir{.k = kWhirFolding,
                          .log_final_poly_len_limit = kLogFinalPolyLenLimit,
                          .security_bits = security_bits,
                          .mu_pow_bits = preset.mu_pow_bits,
                          .query_phase_pow_bits = preset.query_phase_pow_bits,
                          .folding_pow_bits = preset.folding_pow_bits,
                          .proximity = preset.proximity};
    return {.l_skip = preset.l_skip,
            .n_stack = preset.n_stack,
            .w_stack = preset.w_stack,
            .log_blowup = preset.log_blowup,
            .whir = derive_whir(whir, preset.l_skip + preset.n_stack, preset.log_blowup),
            .logup = derive_logup(preset.proximity, preset.log_blowup, security_bits),
            .max_constraint_degree = preset.max_constraint_degree};
}

SystemParams params_100_bits(const Preset& preset) {
    return params_of(preset, kTargetBits);
}

Error reject(std::string message) {
    return {ErrorCode::kInvalidArgument, "params", std::move(message)};
}

Result<void> check_range(std::string_view name, std::uint64_t value, std::uint64_t least, std::uint64_t most,
                         std::string_view reason) {
    if (least <= value && value <= most) return {};
    return reject(fmt::format("{} is {}, expected {} to {}: {}", name, value, least, most, reason));
}

Result<void> check_whir(const WhirParams& whir, std::uint64_t log_height) {
    if (whir.num_queries.empty()) return reject("whir has no rounds, expected at least 1");
    if (auto ok = check_range("whir.k", whir.k, 1, ParamLimits::kMaxWhirFolding,
                              "a round folds whir.k variables, and a Merkle leaf is 2^whir.k rows");
        !ok) {
        return ok;
    }
    const std::uint64_t folded = std::uint64_t{whir.k} * whir.num_queries.size();
    if (folded > log_height) {
        return reject(fmt::format("{} WHIR rounds of {} variables fold {}, but l_skip + n_stack is {}",
                                  whir.num_queries.size(), whir.k, folded, log_height));
    }
    for (std::size_t round = 0; round < whir.num_queries.size(); ++round) {
        if (auto ok = check_range(fmt::format("num_queries of WHIR round {}", round), whir.num_queries[round], 1,
                                  ParamLimits::kMaxQueries, "without queries a round proves nothing");
            !ok) {
            return ok;
        }
    }
    return {};
}

}  // namespace

Result<void> find_params_fault(const SystemParams& params) {
    using L = ParamLimits;
    const WhirParams& whir = params.whir;
    if (auto ok = check_range("l_skip", params.l_skip, 0, L::kMaxLSkip, "the prover keeps 2^l_skip rows in cache");
        !ok) {
        return ok;
    }
    if (auto ok = check_range("log_blowup", params.log_blowup, 0, L::kMaxLogBlowup,
                              "a codeword is 2^log_blowup times its column");
        !ok) {
        return ok;
    }
    const std::uint64_t log_height = std::uint64_t{params.l_skip} + params.n_stack;
    static_assert(L::kMaxLogCodewordHeight == Fp::kTwoAdicity);
    if (log_height + params.log_blowup > L::kMaxLogCodewordHeight) {
        return reject(
            fmt::format("l_skip + n_stack + log_blowup is {} + {} + {}, more than the field's two-adicity of {}",
                        params.l_skip, params.n_stack, params.log_blowup, Fp::kTwoAdicity));
    }
    if (params.w_stack == 0) return reject("w_stack is 0, expected at least 1: any trace takes a stacked column");
    if (auto ok = check_whir(whir, log_height); !ok) return ok;
    const std::pair<const char*, std::uint32_t> pow_bits[] = {{"whir.mu_pow_bits", whir.mu_pow_bits},
                                                              {"whir.query_phase_pow_bits", whir.query_phase_pow_bits},
                                                              {"whir.folding_pow_bits", whir.folding_pow_bits},
                                                              {"logup.pow_bits", params.logup.pow_bits}};
    for (const auto& [name, bits] : pow_bits) {
        if (auto ok = check_range(name, bits, 0, L::kMaxPowBits, "with more, the field may hold no witness"); !ok) {
            return ok;
        }
    }
    if (params.logup.max_interaction_count == 0) {
        return reject("logup.max_interaction_count is 0, expected at least 1: no trace stays below 0 interactions");
    }
    if (auto ok = check_range("logup.log_max_message_length", params.logup.log_max_message_length, 0,
                              L::kMaxLogMessageLength, "lengths have 32 bits");
        !ok) {
        return ok;
    }
    return check_range("max_constraint_degree", params.max_constraint_degree, 1, L::kMaxConstraintDegree,
                       "the degree of an AIR is one byte in the key");
}

SystemParams app_params(std::uint32_t log_stacked_height, std::uint32_t log_blowup, double security_bits) {
    return params_of({.log_blowup = log_blowup,
                      .l_skip = 4,
                      .n_stack = log_stacked_height - 4,
                      .w_stack = 2048,
                      .folding_pow_bits = 5,
                      .mu_pow_bits = 15,
                      .query_phase_pow_bits = 20,
                      .proximity = UniqueDecoding{},
                      .max_constraint_degree = 3},
                     security_bits);
}

namespace {

Result<SystemParams> checked_app_params(std::uint32_t log_stacked_height) {
    static_assert(kMinAppLogStackedHeight == kLogFinalPolyLenLimit + 1);
    if (auto ok =
            check_range("log_stacked_height", log_stacked_height, kMinAppLogStackedHeight, kMaxAppLogStackedHeight,
                        "below, no WHIR round is left; above, the published preset ends");
        !ok) {
        return ok.error();
    }
    return app_params(log_stacked_height, 1, kTargetBits);
}

}  // namespace

Result<void> check_params(const SystemParams& params) noexcept {
    return guarded("params", [&]() -> Result<void> {
        Result<void> workable = find_params_fault(params);
        if (workable) return {};
        return reject(fmt::format("{}; {}", workable.error().message, kParamsRemedy));
    });
}

Result<SystemParams> app_params_100_bits(std::uint32_t log_stacked_height) noexcept {
    return guarded("params", [&] { return checked_app_params(log_stacked_height); });
}

SystemParams leaf_params(std::uint32_t log_stacked_height) {
    return params_100_bits({.log_blowup = 2,
                            .l_skip = 4,
                            .n_stack = log_stacked_height - 4,
                            .w_stack = 2048,
                            .folding_pow_bits = 4,
                            .mu_pow_bits = 13,
                            .query_phase_pow_bits = 20,
                            .proximity = UniqueDecoding{},
                            .max_constraint_degree = 4});
}

SystemParams internal_params(std::uint32_t log_stacked_height) {
    return params_100_bits({.log_blowup = 3,
                            .l_skip = 2,
                            .n_stack = log_stacked_height - 2,
                            .w_stack = 512,
                            .folding_pow_bits = 18,
                            .mu_pow_bits = 20,
                            .query_phase_pow_bits = 20,
                            .proximity = ListDecoding{.m = 2},
                            .max_constraint_degree = 4});
}

SystemParams leaf_params_100_bits() {
    return leaf_params(kLeafLogStackedHeight);
}

SystemParams internal_params_100_bits() {
    return internal_params(kInternalLogStackedHeight);
}

SystemParams root_params_100_bits() {
    return params_100_bits({.log_blowup = 4,
                            .l_skip = 2,
                            .n_stack = 18,
                            .w_stack = 18,
                            .folding_pow_bits = 15,
                            .mu_pow_bits = 15,
                            .query_phase_pow_bits = 15,
                            .proximity = ListDecoding{.m = 1},
                            .max_constraint_degree = 4});
}

SystemParams hook_params_100_bits() {
    return params_100_bits({.log_blowup = 2,
                            .l_skip = 2,
                            .n_stack = 18,
                            .w_stack = 80,
                            .folding_pow_bits = 12,
                            .mu_pow_bits = 11,
                            .query_phase_pow_bits = 20,
                            .proximity = ListDecoding{.m = 1},
                            .max_constraint_degree = 4});
}

SystemParams test_params_small(std::uint32_t l_skip, std::uint32_t n_stack, std::uint32_t k_whir) {
    // Heights that check_params refuses get no rounds.
    const std::uint64_t height_sum = std::uint64_t{l_skip} + n_stack;
    const auto log_height =
        static_cast<std::uint32_t>(height_sum > ParamLimits::kMaxLogCodewordHeight ? 0 : height_sum);
    const WhirChoice whir{.k = k_whir,
                          .log_final_poly_len_limit = k_whir == 0 ? 0 : log_height % k_whir,
                          .security_bits = 5,
                          .mu_pow_bits = 3,
                          .query_phase_pow_bits = 1,
                          .folding_pow_bits = 2,
                          .proximity = SplitUniqueList{.m = 3, .list_start_round = 1}};
    constexpr std::uint32_t kLogBlowup = 1;
    return {.l_skip = l_skip,
            .n_stack = n_stack,
            .w_stack = 4096,
            .log_blowup = kLogBlowup,
            .whir = derive_whir(whir, log_height, kLogBlowup),
            .logup = {.max_interaction_count = 1U << 30, .log_max_message_length = 7, .pow_bits = 2},
            .max_constraint_degree = 3};
}

}  // namespace whorl
