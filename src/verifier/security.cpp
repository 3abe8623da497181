// The soundness error of each step of the protocol (docs/statement.md), as openvm-stark-backend 2.0.1's calculator counts it.
#include <whorl/security.hpp>

#include <algorithm>
#include <bit>
#include <cmath>
#include <optional>
#include <variant>

#include <fmt/format.h>

#include <whorl/field.hpp>

#include "key/params_fault.hpp"
#include "machine/guard.hpp"

namespace whorl {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kFieldOrder = Fp::kModulus;

double real(std::uint64_t x) {
    return static_cast<double>(x);
}

double challenge_bits() {
    return 4 * std::log2(kFieldOrder);
}

/// −log2(2^−a + 2^−b): the security of two steps whose errors add up.
double sum_of_errors(double a, double b) {
    const double least = std::min(a, b);
    const double most = std::max(a, b);
    if (std::isinf(most)) return least;  // the difference would be no number, where both are
    return least - std::log2(1.0 + std::exp2(least - most));
}

/// log2(2^x + 2^y).
double log2_of_sum(double x, double y) {
    return -sum_of_errors(-x, -y);
}

/// The transcript samples `num_bits` bits as the low bits of a field element. p mod 2^num_bits residues have one preimage
/// more than the others, zero among them.
struct SampledBits {
    double num_preimages;  // of each of the other residues
    double num_heavy;

    explicit SampledBits(double num_bits)
        : num_preimages(std::floor(kFieldOrder / std::exp2(num_bits))),
          num_heavy(kFieldOrder - num_preimages * std::exp2(num_bits)) {}
};

/// What grinding is worth: a witness is one for which the sampled bits are zero, a heavy residue.
double grinding(std::uint32_t pow_bits) {
    if (pow_bits == 0) return 0;  // nothing is sampled
    return -std::log2((SampledBits(pow_bits).num_preimages + 1) / kFieldOrder);
}

/// The multiplicity m of list decoding in a WHIR round; none where decoding is unique.
std::optional<double> multiplicity(const Proximity& proximity, std::uint64_t round) {
    const auto at_least_one = [](std::uint64_t m) { return static_cast<double>(std::max<std::uint64_t>(m, 1)); };
    if (const auto* list = std::get_if<ListDecoding>(&proximity)) return at_least_one(list->m);
    if (const auto* split = std::get_if<SplitUniqueList>(&proximity); split && round >= split->list_start_round) {
        return at_least_one(split->m);
    }
    return std::nullopt;
}

/// A Reed–Solomon code: 2^log_degree coefficients at rate 2^−log_inv_rate.
struct Code {
    double log_degree;
    double log_inv_rate;
};

struct ProximityGap {
    double bits;
    double log_list_size;
};

/// log2 of the number of challenges that can bring words far from a code close to it, and of the list size: BCHKS25
/// (ECCC TR25-169), Theorem 1.5 with the degrees of Lemma 3.1 and the slack η = √ρ / 2m.
std::pair<double, double> log_bad_challenges(const Code& code, double m) {
    constexpr std::pair kNoBound(kInfinity, kInfinity);
    const double log_rate = -code.log_inv_rate;
    const double root = std::sqrt(std::exp2(log_rate));
    const double slack = root / (2 * m);
    const double radius = 1.0 - root - slack;
    // The theorem is for radii that are positive and below 1 − √ρ, also after rounding.
    if (radius <= 0 || radius >= 1.0 - root) return kNoBound;

    const double log_length = code.log_degree + code.log_inv_rate;
    const double log_m = std::log2(m + 0.5);
    const double degree_x = log_m + log_length + 0.5 * log_rate;
    const double degree_y = log_m - 0.5 * log_rate;
    const double degree_z = std::max(degree_y, 2.0 * log_m - std::log2(3.0) - log_rate);
    const double from_polynomial = 1.0 + degree_x + 2.0 * degree_y + degree_z;
    const double from_agreement = degree_y + log2_of_sum(std::log2(radius) + log_length, 0.0);
    const double count = std::max(0.0, log2_of_sum(from_polynomial, from_agreement));
    return {std::log2(std::ceil(std::exp2(count))), degree_y};
}

/// For a random combination of `batch_size` words.
ProximityGap proximity_gap(std::optional<double> m, const Code& code, double batch_size) {
    const double bits = challenge_bits() - std::log2(batch_size - 1);
    if (!m) return {bits - code.log_degree - code.log_inv_rate, 0};
    const auto [log_count, log_list_size] = log_bad_challenges(code, *m);
    return {bits - log_count, log_list_size};
}

/// Of `num_queries` positions in a domain of 2^log_domain leaves.
double query_bits(std::optional<double> m, std::uint32_t num_queries, double log_inv_rate, double log_domain) {
    const double rate = std::exp2(-log_inv_rate);
    const double agreement = std::min(1.0, m ? std::sqrt(rate) * (1.0 + 1.0 / (2.0 * *m)) : (1.0 + rate) / 2.0);
    // At worst a word agrees with the code at the positions that are sampled more often than the others.
    const double num_heavy = SampledBits(log_domain).num_heavy;
    const double heavy_used = std::min(agreement * std::exp2(log_domain), num_heavy);
    const double missed = agreement * (1.0 - num_heavy / kFieldOrder) + heavy_used / kFieldOrder;
    return -real(num_queries) * std::log2(std::min(1.0, missed));
}

WhirRoundSecurity whir_round(const SystemParams& params, std::uint32_t round) {
    const WhirParams& whir = params.whir;
    const std::optional<double> m = multiplicity(whir.proximity, round);
    const double log_inv_rate = params.log_blowup + real(round) * (whir.k - 1);
    const double log_degree = params.log_stacked_height() - real(round) * whir.k;
    const double degree_after = log_degree - whir.k;
    const double rate_after = log_inv_rate + (whir.k - 1);

    WhirRoundSecurity bits;
    // The first fold halves the longest code, so it has the largest error.
    const ProximityGap gap = proximity_gap(m, {log_degree - 1, log_inv_rate}, 2);
    bits.proximity_gap = gap.bits + grinding(whir.folding_pow_bits);
    bits.sumcheck = challenge_bits() - std::log2(3.0) - gap.log_list_size + grinding(whir.folding_pow_bits);
    bits.fold = sum_of_errors(bits.sumcheck, bits.proximity_gap);

    bits.query = query_bits(m, whir.num_queries[round], log_inv_rate, degree_after + log_inv_rate) +
                 grinding(whir.query_phase_pow_bits);
    // One more claim than queries: the out-of-domain sample.
    const double num_claims = real(whir.num_queries[round]) + 1;
    const double next_list_size =
        proximity_gap(multiplicity(whir.proximity, std::uint64_t{round} + 1), {degree_after, rate_after}, 2)
            .log_list_size;
    bits.gamma_batching = challenge_bits() - std::log2(num_claims) - next_list_size;
    bits.shift = sum_of_errors(bits.query, bits.gamma_batching);
    if (round + 1 < whir.num_rounds()) {
        bits.out_of_domain = challenge_bits() - degree_after + 1.0 - 2.0 * next_list_size;
    }
    return bits;
}

double constraint_batching(const SystemParams& params, const CircuitBounds& bounds, double skip_degree) {
    const auto minus = [](std::uint32_t a, std::uint32_t b) { return a > b ? a - b : 0; };
    const std::uint32_t n_extra = minus(minus(bounds.max_log_height, params.l_skip), bounds.n_logup);
    const double num_constraints = real(std::max<std::uint64_t>(bounds.max_constraints_per_air, 1));
    const double boundary_degree = real(std::max(n_extra, 3U)) + skip_degree + (num_constraints - 1);
    const double batching_degree = 3 * real(std::max<std::uint64_t>(bounds.num_airs, 1)) - 1;
    return challenge_bits() - std::log2(std::max(boundary_degree, batching_degree));
}

SecurityBits estimate(const SystemParams& params, const CircuitBounds& bounds) {
    const double skip_degree = std::exp2(params.l_skip) - 1;
    const double field = challenge_bits();
    const double num_stacked = real(std::max<std::uint64_t>(bounds.num_stacked_columns, 2));
    const ProximityGap first = proximity_gap(multiplicity(params.whir.proximity, 0),
                                             {real(params.log_stacked_height()), real(params.log_blowup)}, num_stacked);

    SecurityBits bits;
    bits.logup = field - std::log2(2.0 * params.logup.max_interaction_count) - params.logup.log_max_message_length -
                 first.log_list_size + grinding(params.logup.pow_bits);
    bits.gkr_sumcheck = field - std::log2(3.0);
    bits.gkr_batching = field;
    const double round_degree = real(bounds.max_constraint_degree) + 1;
    bits.zerocheck_sumcheck =
        field - std::log2(std::max(round_degree * skip_degree, round_degree)) - first.log_list_size;
    bits.constraint_batching = constraint_batching(params, bounds, skip_degree) - first.log_list_size;
    // λ batches two claims a column; the rounds have degrees 2 · (2^l_skip − 1) and 2.
    const double reduction_degree = std::max({2.0 * real(bounds.num_columns), 2 * skip_degree, 2.0});
    bits.stacked_reduction = field - std::log2(reduction_degree) - first.log_list_size;
    bits.mu_batching = first.bits + grinding(params.whir.mu_pow_bits);
    for (std::uint32_t round = 0; round < params.whir.num_rounds(); ++round) {
        bits.whir_rounds.push_back(whir_round(params, round));
    }
    return bits;
}

std::uint32_t ceil_log2(std::uint64_t x) {
    return x <= 1 ? 0 : static_cast<std::uint32_t>(std::bit_width(x - 1));
}

/// Calls visit(name, bits) for each step whose security counts for the total, `name` being one of a round if `round` is
/// not negative.
template <class Visit>
void for_each_step(const SecurityBits& bits, const Visit& visit) {
    visit("LogUp", -1, bits.logup);
    visit("GKR sumcheck", -1, bits.gkr_sumcheck);
    visit("GKR batching", -1, bits.gkr_batching);
    visit("zerocheck sumcheck", -1, bits.zerocheck_sumcheck);
    visit("constraint batching", -1, bits.constraint_batching);
    visit("stacked reduction", -1, bits.stacked_reduction);
    visit("mu batching", -1, bits.mu_batching);
    for (std::size_t i = 0; i < bits.whir_rounds.size(); ++i) {
        const auto round = static_cast<std::int64_t>(i);
        visit("fold", round, bits.whir_rounds[i].fold);
        visit("shift", round, bits.whir_rounds[i].shift);
        visit("out of domain", round, bits.whir_rounds[i].out_of_domain);
    }
}

}  // namespace

CircuitBounds circuit_bounds(const VerifyingKey& vk) noexcept {
    CircuitBounds bounds{.max_constraints_per_air = 0,
                         .num_airs = vk.airs.size(),
                         .max_constraint_degree = vk.params.max_constraint_degree,
                         .max_log_height = vk.params.log_stacked_height(),
                         .num_columns = 0,
                         .num_stacked_columns = vk.params.w_stack,
                         .n_logup = 0};
    std::uint64_t max_interactions = 0;
    for (const AirVerifyingKey& air : vk.airs) {
        bounds.max_constraints_per_air =
            std::max<std::uint64_t>(bounds.max_constraints_per_air, air.constraint_idx.size());
        max_interactions = std::max<std::uint64_t>(max_interactions, air.interactions.size());
        bounds.num_columns += air.width.common_main;
        bounds.num_columns += air.width.preprocessed.value_or(0);
        for (const std::uint32_t columns : air.width.cached_mains) bounds.num_columns += columns;
    }
    if (max_interactions == 0) return bounds;
    // The verifier holds the interactions below a limit, and the key's AIRs have only so many.
    const std::uint64_t log_leaves = std::min<std::uint64_t>(
        ceil_log2(vk.params.logup.max_interaction_count),
        std::uint64_t{ceil_log2(vk.airs.size())} + ceil_log2(max_interactions) + vk.params.log_stacked_height());
    bounds.n_logup = log_leaves > vk.params.l_skip ? static_cast<std::uint32_t>(log_leaves - vk.params.l_skip) : 0;
    return bounds;
}

double WhirRoundSecurity::least() const {
    return std::min({fold, shift, out_of_domain});
}

double SecurityBits::whir() const {
    double least = mu_batching;
    for (const WhirRoundSecurity& round : whir_rounds) least = std::min(least, round.least());
    return least;
}

double SecurityBits::total() const {
    double least = kInfinity;
    for_each_step(*this, [&](const char*, std::int64_t, double bits) { least = std::min(least, bits); });
    return least;
}

std::string SecurityBits::weakest() const noexcept {
    return guarded_text([&] {
        const double least = total();
        std::string text;
        for_each_step(*this, [&](const char* name, std::int64_t round, double bits) {
            if (!text.empty() || bits != least) return;
            text = round < 0 ? std::string(name) : fmt::format("WHIR round {}, {}", round, name);
        });
        return text;
    });
}

Result<SecurityBits> security_bits(const SystemParams& params, const CircuitBounds& bounds) noexcept {
    return guarded("security_bits", [&]() -> Result<SecurityBits> {
        if (const Result<void> workable = find_params_fault(params); !workable) return workable.error();
        return estimate(params, bounds);
    });
}

Result<SecurityBits> security_bits(const VerifyingKey& vk) noexcept {
    return security_bits(vk.params, circuit_bounds(vk));
}

}  // namespace whorl
