// Parameters by what they cost: one choice for each blowup and stacked height, lifted to the security that is asked for.
#include <whorl/choose_params.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <optional>
#include <tuple>
#include <utility>

#include <whorl/security.hpp>

#include "air/keygen.hpp"
#include "backend/cpu/memory.hpp"
#include "engine/check_traces.hpp"
#include "key/app_params.hpp"
#include "key/height_bounds.hpp"
#include "machine/guard.hpp"
#include "proof/layout.hpp"
#include "prover/input.hpp"
#include "prover/progress.hpp"
#include "verifier/proof_size.hpp"
#include "verifier/security_text.hpp"

namespace whorl {
namespace {

constexpr const char* kStage = "choose_params";
constexpr std::uint32_t kMaxAppLogBlowup = 3;
constexpr std::uint32_t kMaxLogHeight = ParamLimits::kMaxLogCodewordHeight - 1;
constexpr double kNanosecondsPerSecond = 1e9;
// How much longer than the fastest a balanced choice may take: the largest columns are hashed a few per cent faster than others,
// for a proof many times as long.
constexpr double kBalancedTime = 1.1;

Error refused(std::string message) {
    return {ErrorCode::kInvalidArgument, kStage, std::move(message)};
}

/// Bits of grinding so that a step with `bits` has `target`.
bool lift(std::uint32_t& pow_bits, double bits, double target) {
    if (bits >= target) return true;
    if (!std::isfinite(bits)) return false;
    const double missing = std::ceil(target - bits);
    if (pow_bits + missing > ParamLimits::kMaxPowBits) return false;
    pow_bits += static_cast<std::uint32_t>(missing);
    return true;
}

/// Adds queries and grinding to `params` until each step has `target` bits, or no more can be added; the security reached.
Result<SecurityBits> lift_to(SystemParams& params, const CircuitBounds& bounds, double target) {
    // Each pass adds a query or a bit of grinding, of which there are few.
    while (true) {
        Result<SecurityBits> security = security_bits(params, bounds);
        if (!security || security->total() >= target) return security;
        const SystemParams before = params;
        bool is_possible = lift(params.logup.pow_bits, security->logup, target) &&
                           lift(params.whir.mu_pow_bits, security->mu_batching, target);
        for (std::size_t i = 0; is_possible && i < security->whir_rounds.size(); ++i) {
            const WhirRoundSecurity& round = security->whir_rounds[i];
            is_possible = lift(params.whir.folding_pow_bits, round.fold, target) && round.out_of_domain >= target;
            if (is_possible && round.shift < target) {
                is_possible = round.gamma_batching > target && params.whir.num_queries[i] < ParamLimits::kMaxQueries;
                ++params.whir.num_queries[i];
            }
        }
        if (!is_possible || params == before) return security;
    }
}

std::uint32_t largest_degree(const VerifyingKey& vk) {
    std::uint32_t degree = 1;
    for (const AirVerifyingKey& air : vk.airs) degree = std::max<std::uint32_t>(degree, air.max_constraint_degree);
    return degree;
}

/// So that the longest message, with its bus, stays below 2^log.
std::uint32_t log_message_length(const VerifyingKey& vk) {
    std::size_t longest = 0;
    for (const AirVerifyingKey& air : vk.airs) {
        for (const SymbolicInteraction& interaction : air.interactions) {
            longest = std::max(longest, interaction.message.size());
        }
    }
    return static_cast<std::uint32_t>(std::bit_width(longest));
}

/// Gives `vk` other parameters, and what follows from them, but for commitments and pre-hash.
Result<void> set_params(VerifyingKey& vk, const SystemParams& params, std::span<const std::string> air_names) {
    for (AirVerifyingKey& air : vk.airs) {
        if (!air.preprocessed) continue;
        air.preprocessed->hypercube_dim +=
            static_cast<std::int32_t>(vk.params.l_skip) - static_cast<std::int32_t>(params.l_skip);
    }
    vk.params = params;
    auto constraints = trace_height_constraints(params, vk.airs, air_names);
    if (!constraints) return std::move(constraints).error();
    vk.trace_height_constraints = std::move(*constraints);
    return {};
}

constexpr std::uint64_t kMaxColumns = std::uint64_t{1} << 22;

/// The choices for one circuit, and what stood in the way of others.
class Chooser {
public:
    Chooser(VerifyingKey vk, std::span<const std::uint64_t> heights, double target,
            std::span<const std::string> air_names)
        : vk_(std::move(vk)), heights_(heights), target_(target), air_names_(air_names) {}

    Result<std::vector<ParamsChoice>> run() {
        if (!(target_ > 0 && target_ <= kMaxSecurityBits)) {
            return refused(
                fmt::format("security_bits is {}, expected more than 0 and at most {}: challenges have no more",
                            std::isnan(target_) ? "not a number" : fmt::to_string(target_), kMaxSecurityBits));
        }
        if (heights_.size() != vk_.airs.size()) {
            return refused(fmt::format("{} heights, expected {}: one an AIR, 0 where it has no trace", heights_.size(),
                                       vk_.airs.size()));
        }
        for (std::uint32_t id = 0; id < heights_.size(); ++id) {
            if (!std::has_single_bit(heights_[id]) || std::countr_zero(heights_[id]) <= static_cast<int>(kMaxLogHeight))
                continue;
            return refused(fmt::format(
                "{}: expected a height of at most 2^{}, the largest stacked height, found 2^{}; split the trace",
                air_place(id, air_names_), kMaxLogHeight, std::countr_zero(heights_[id])));
        }
        // Each choice lays all of them out, and a key of a few bytes may say that there are billions.
        if (const std::uint64_t columns = num_columns(); columns > kMaxColumns) {
            return refused(
                fmt::format("the AIRs with a trace have {} columns, expected at most {}", columns, kMaxColumns));
        }
        for (std::uint32_t log_blowup = 1; log_blowup <= kMaxAppLogBlowup; ++log_blowup) {
            for (std::uint32_t log_height = kMinAppLogStackedHeight;
                 log_height + log_blowup <= ParamLimits::kMaxLogCodewordHeight; ++log_height) {
                if (auto ok = add(app_params(log_height, log_blowup, target_)); !ok) return std::move(ok).error();
            }
        }
        if (!choices_.empty()) return std::move(choices_);
        if (!closest_) return std::move(summarize(unfit_, kStage)).error();
        return refused(fmt::format(
            "{} bits of security cannot be reached for these AIRs and heights: at most {} ({}); ask for fewer, or "
            "make traces shorter",
            target_, bits_text(closest_->total()), closest_->weakest()));
    }

private:
    std::uint64_t num_columns() const {
        std::uint64_t sum = 0;
        for (std::size_t id = 0; id < heights_.size(); ++id) {
            if (heights_[id] == 0) continue;
            const TraceWidths& width = vk_.airs[id].width;
            sum += std::uint64_t{width.common_main} + width.preprocessed.value_or(0);
            for (const std::uint32_t cached : width.cached_mains) sum += cached;
        }
        return sum;
    }
    Result<void> add(SystemParams params) {
        params.max_constraint_degree = largest_degree(vk_);
        params.logup.log_max_message_length = std::max(params.logup.log_max_message_length, log_message_length(vk_));
        params.w_stack = std::numeric_limits<std::uint32_t>::max();
        // For few bits the formulas give no queries, for very many more grinding than there can be: lift_to judges that.
        for (std::uint32_t& queries : params.whir.num_queries) queries = std::max(queries, 1U);
        params.logup.pow_bits = std::min(params.logup.pow_bits, ParamLimits::kMaxPowBits);
        if (auto ok = set_params(vk_, params, air_names_); !ok) return ok;
        std::vector<TraceProblem> problems = height_problems(vk_, heights_, air_names_, {});
        if (!problems.empty()) {
            if (params.log_stacked_height() >= unfit_log_height_) {
                unfit_ = std::move(problems);
                unfit_log_height_ = params.log_stacked_height();
            }
            return {};
        }
        std::vector<int> log_heights;
        for (const std::uint64_t height : heights_) {
            log_heights.push_back(height == 0 ? -1 : std::countr_zero(height));
        }
        const ProofShape shape = make_proof_shape(vk_, log_heights);
        const std::uint64_t width = shape.layout.total_stacked_width();
        // A power of two, as the presets have, so that somewhat wider traces fit.
        constexpr std::uint64_t kLeastWidth = 2048;
        vk_.params.w_stack = std::max(kLeastWidth, std::bit_ceil(width));
        Result<SecurityBits> security = lift_to(vk_.params, circuit_bounds(vk_), target_);
        if (!security) return std::move(security).error();
        if (security->total() < target_) {
            if (!closest_ || security->total() > closest_->total()) closest_ = *std::move(security);
            return {};
        }
        choices_.push_back({.params = vk_.params,
                            .security_bits = security->total(),
                            .num_stacked_columns = width,
                            .proof_bytes = proof_bytes(vk_, shape.layout),
                            .memory_bytes = cpu::plan_memory(shape).device_bytes,
                            .core_seconds = estimate_work(shape).total() / kNanosecondsPerSecond});
        return {};
    }

    VerifyingKey vk_;  // with the parameters that are looked at
    std::span<const std::uint64_t> heights_;
    double target_;
    std::span<const std::string> air_names_;
    std::vector<ParamsChoice> choices_;
    std::vector<TraceProblem> unfit_;  // of the largest stacked height
    std::uint32_t unfit_log_height_ = 0;
    std::optional<SecurityBits> closest_;  // of those with too few bits
};

/// The circuits of `airs`, under parameters that no AIR is too large for; nothing is committed.
Result<ProvingKey> circuits_of(std::span<const AnyAir> airs) {
    Result<SystemParams> params = app_params_100_bits(kMaxAppLogStackedHeight);
    if (!params) return std::move(params).error();
    params->w_stack = std::numeric_limits<std::uint32_t>::max();
    params->max_constraint_degree = ParamLimits::kMaxConstraintDegree;
    params->logup.log_max_message_length = ParamLimits::kMaxLogMessageLength;
    return generate_keys(*params, airs, [](const SystemParams& with, const Matrix& matrix) -> Result<MatrixCommitment> {
        return MatrixCommitment{.commit = {}, .stacking_width = stack_layout(with, matrix).width};
    });
}

}  // namespace

Result<std::vector<ParamsChoice>> list_params(const VerifyingKey& vk, std::span<const std::uint64_t> heights,
                                              double security_bits, std::span<const std::string> air_names) noexcept {
    return guarded(kStage, [&]() -> Result<std::vector<ParamsChoice>> {
        if (auto valid = check_key(vk); !valid) return std::move(valid).error();
        return Chooser(vk, heights, security_bits, air_names).run();
    });
}

Result<std::vector<ParamsChoice>> list_params(std::span<const AnyAir> airs, std::span<const std::uint64_t> heights,
                                              double security_bits) noexcept {
    return guarded(kStage, [&]() -> Result<std::vector<ParamsChoice>> {
        Result<ProvingKey> circuits = circuits_of(airs);
        if (!circuits) return std::move(circuits).error();
        return Chooser(std::move(circuits->vk), heights, security_bits, circuits->air_names).run();
    });
}

Result<ParamsChoice> choose_params(std::span<const ParamsChoice> choices, ParamsGoal goal) noexcept {
    return guarded(kStage, [&]() -> Result<ParamsChoice> {
        if (choices.empty()) return refused("the list of choices is empty, expected that of list_params");
        const double least_time = std::ranges::min(choices, {}, &ParamsChoice::core_seconds).core_seconds;
        const auto cost = [&](const ParamsChoice& choice) {
            const auto bytes = static_cast<double>(choice.proof_bytes);
            const bool is_slow = goal == ParamsGoal::kBalanced && choice.core_seconds > kBalancedTime * least_time;
            return goal == ParamsGoal::kFastProver ? std::tuple(is_slow, choice.core_seconds, bytes)
                                                   : std::tuple(is_slow, bytes, choice.core_seconds);
        };
        return *std::ranges::min_element(choices, {}, cost);
    });
}

Result<ParamsChoice> choose_params(std::span<const AnyAir> airs, std::span<const std::uint64_t> heights,
                                   double security_bits, ParamsGoal goal) noexcept {
    const Result<std::vector<ParamsChoice>> choices = list_params(airs, heights, security_bits);
    if (!choices) return choices.error();
    return choose_params(*choices, goal);
}

}  // namespace whorl
