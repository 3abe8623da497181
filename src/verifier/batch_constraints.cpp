#include "verifier/batch_constraints.hpp"

#include <algorithm>

#include "poly/prismalinear.hpp"
#include "verifier/constraint_evaluator.hpp"
#include "verifier/gkr.hpp"
#include "verifier/interpolation.hpp"

namespace whorl::verifier {
namespace {

using Kind = VerifyErrorKind;

void observe_openings(const Context& context, Transcript& transcript, const PartRef& part) {
    const AirVerifyingKey& air = context.air(part.trace);
    const std::vector<Fp4>& openings = part_openings(context, part);
    for (std::uint32_t c = 0; c < part_width(air, part); ++c) {
        const OpeningPair pair = opening_pair(openings, c, air.need_rot);
        transcript.observe_ext(pair.plain);
        transcript.observe_ext(pair.rotated);
    }
}

// eq_t and eq#_t by ñ: the weights of a trace with ñ hypercube variables, exhausted variables included.
struct TraceWeights {
    std::vector<Fp4> eq;
    std::vector<Fp4> eq_sharp;
};
TraceWeights trace_weights(unsigned l_skip, std::span<const Fp4> xi, std::span<const Fp4> r) {
    const std::size_t n_max = r.size() - 1;
    TraceWeights weights{std::vector<Fp4>(n_max + 1), std::vector<Fp4>(n_max + 1)};
    weights.eq[0] = l_skip == 0 ? Fp4::one() : eq_uni(l_skip, xi[0], r[0]);
    weights.eq_sharp[0] = eq_sharp_uni(xi.first(l_skip), r[0]);
    for (std::size_t i = 1; i <= n_max; ++i) {
        const Fp4 factor = eq1(xi[l_skip + i - 1], r[i]);
        weights.eq[i] = weights.eq[i - 1] * factor;
        weights.eq_sharp[i] = weights.eq_sharp[i - 1] * factor;
    }
    Fp4 tail = Fp4::one();
    for (std::size_t i = n_max + 1; i-- > 0;) {
        weights.eq[i] *= tail;
        weights.eq_sharp[i] *= tail;
        tail *= r[i];
    }
    return weights;
}

struct LogupSums {
    Fp4 numerator;
    Fp4 denominator;
};
// Σ_σ w_σ·count_σ and Σ_σ w_σ·(Σ_i β^i m_i + β^len (B + 1)) over the interactions in `blocks`.
LogupSums logup_sums(const Context& context, std::span<const LogupBlock> blocks, std::span<const Fp4> xi,
                     std::span<const Fp4> beta_powers, std::span<const Fp4> node_values) {
    LogupSums sums;
    if (blocks.empty()) return sums;
    const SortedTrace& trace = context.layout.traces[blocks.front().trace];
    const unsigned l_skip = context.vk.params.l_skip;
    const unsigned log_block = std::max(trace.log_height, l_skip);
    const auto high_xi = xi.subspan(log_block, l_skip + context.layout.n_logup - log_block);
    for (const LogupBlock& block : blocks) {
        const SymbolicInteraction& interaction = context.vk.airs[trace.air_id].interactions[block.interaction];
        const Fp4 weight = eq_bits(high_xi, block.start >> log_block);
        const std::size_t length = interaction.message.size();
        Fp4 denominator = beta_powers[length] * Fp::from_canonical(std::uint32_t{interaction.bus_index} + 1);
        for (std::size_t i = 0; i < length; ++i) denominator += beta_powers[i] * node_values[interaction.message[i]];
        sums.numerator += weight * node_values[interaction.count];
        sums.denominator += weight * denominator;
    }
    return sums;
}

std::size_t longest_message(const Context& context) {
    std::size_t longest = 0;
    for (const LogupBlock& block : context.layout.logup_blocks) {
        longest = std::max(longest, context.air(block.trace).interactions[block.interaction].message.size());
    }
    return longest;
}

// What the sumcheck must end in: all LogUp terms and constraints at the openings, batched by μ.
Fp4 claim_from_openings(const Context& context, std::span<const Fp4> xi, std::span<const Fp4> r, const Fp4& beta,
                        const Fp4& lambda, const Fp4& mu) {
    const unsigned l_skip = context.vk.params.l_skip;
    const std::size_t num_traces = context.layout.traces.size();
    const TraceWeights weights = trace_weights(l_skip, xi, r);
    const std::vector<Fp4> beta_powers = powers(beta, longest_message(context) + 1);
    const std::vector<Fp4> mu_powers = powers(mu, 3 * num_traces);
    std::span<const LogupBlock> blocks = context.layout.logup_blocks;
    Fp4 claim;
    for (std::uint32_t t = 0; t < num_traces; ++t) {
        const AirVerifyingKey& air = context.air(t);
        const unsigned log_height = context.layout.traces[t].log_height;
        const OpeningPoint point = opening_point(l_skip, log_height, r);
        const std::vector<Fp4> nodes = evaluate_nodes(context, t, row_selectors(point.log_domain, point.r));
        const unsigned n_lift = log_height > l_skip ? log_height - l_skip : 0;

        Fp4 constraints;
        for (std::size_t i = air.constraint_idx.size(); i-- > 0;) {
            constraints = constraints * lambda + nodes[air.constraint_idx[i]];
        }
        const LogupSums sums = logup_sums(context, blocks.first(air.interactions.size()), xi, beta_powers, nodes);
        blocks = blocks.subspan(air.interactions.size());
        // A short trace is repeated in its block, with numerators divided by the repetitions.
        const Fp repetitions_inverse = Fp::half().pow(log_height < l_skip ? l_skip - log_height : 0);
        claim += weights.eq_sharp[n_lift] *
                 (mu_powers[2 * t] * sums.numerator * repetitions_inverse + mu_powers[2 * t + 1] * sums.denominator);
        claim += weights.eq[n_lift] * mu_powers[2 * num_traces + t] * constraints;
    }
    return claim;
}

}  // namespace

Result<std::vector<Fp4>, VerifyError> verify_batch_constraints(const Context& context, Transcript& transcript) {
    constexpr const char* kStage = "batch_constraints";
    const SystemParams& params = context.vk.params;
    const ProofLayout& layout = context.layout;
    const BatchConstraintProof& batch = context.proof.batch_constraint;
    const std::size_t num_traces = layout.traces.size();

    if (!transcript.check_witness(params.logup.pow_bits, context.proof.gkr.logup_pow_witness)) {
        return reject(Kind::kLogupProofOfWork, "logup");
    }
    const Fp4 alpha = transcript.sample_ext();
    const Fp4 beta = transcript.sample_ext();
    auto gkr = verify_gkr(context, transcript, alpha);
    if (!gkr) return std::move(gkr).error();
    std::vector<Fp4> xi = std::move(gkr->xi);
    while (xi.size() < params.l_skip + layout.n_global()) xi.push_back(transcript.sample_ext());
    const Fp4 lambda = transcript.sample_ext();

    Fp4 numerators;
    Fp4 denominators;
    for (std::size_t t = 0; t < num_traces; ++t) {
        transcript.observe_ext(batch.numerator_term_per_air[t]);
        transcript.observe_ext(batch.denominator_term_per_air[t]);
        numerators += batch.numerator_term_per_air[t];
        denominators += batch.denominator_term_per_air[t];
    }
    if (numerators != gkr->numerator) {
        return reject(Kind::kNumeratorSum, kStage, "", gkr->numerator, numerators);
    }
    // α is in every cell of the table but in none of the terms.
    if (const Fp4 expected = gkr->denominator - alpha; denominators != expected) {
        return reject(Kind::kDenominatorSum, kStage, "", expected, denominators);
    }

    const Fp4 mu = transcript.sample_ext();
    Fp4 claim;
    for (std::size_t t = num_traces; t-- > 0;) {
        claim = (claim * mu + batch.denominator_term_per_air[t]) * mu + batch.numerator_term_per_air[t];
    }
    for (const Fp4& coeff : batch.univariate_round_coeffs) transcript.observe_ext(coeff);
    std::vector<Fp4> r{transcript.sample_ext()};
    if (const Fp4 sum = sum_over_domain(params.l_skip, batch.univariate_round_coeffs); sum != claim) {
        return reject(Kind::kUnivariateSum, kStage, "", claim, sum);
    }
    claim = horner(batch.univariate_round_coeffs, r[0]);

    IntegerInterpolation interpolation(params.max_constraint_degree + 1);
    std::vector<Fp4> evals(params.max_constraint_degree + 2);
    for (const std::vector<Fp4>& sent : batch.sumcheck_round_polys) {
        for (const Fp4& eval : sent) transcript.observe_ext(eval);
        r.push_back(transcript.sample_ext());
        evals[0] = claim - sent[0];
        std::ranges::copy(sent, evals.begin() + 1);
        claim = interpolation.at(evals, r.back());
    }

    // Commitment 0 holds all common mains, the others the remaining parts: the order of observation.
    for (const CommitmentLayout& commitment : layout.commitments) {
        for (const PartRef& part : commitment.parts) observe_openings(context, transcript, part);
    }
    const Fp4 expected = claim_from_openings(context, xi, r, beta, lambda, mu);
    if (claim != expected) {
        return reject(Kind::kConstraintClaim, kStage, "", expected, claim);
    }
    return r;
}

}  // namespace whorl::verifier
