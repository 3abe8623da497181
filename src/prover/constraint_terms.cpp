#include "prover/constraint_terms.hpp"

#include <algorithm>
#include <tuple>

#include "poly/prismalinear.hpp"
#include "transforms/univariate_skip.hpp"

namespace whorl {
namespace {

using Term = ConstraintProgram::Term;

enum SumKind : std::size_t { kZero, kNumerator, kDenominator, kNumSumKinds };

bool term_precedes(const Term& a, const Term& b) {
    return std::tie(a.sum, a.node) < std::tie(b.sum, b.node);
}

Summand make_summand(std::uint32_t num_sums, std::vector<Term> terms, const std::vector<bool>& reads_trace,
                     std::span<const std::uint32_t> degrees) {
    Summand out;
    out.num_sums = num_sums;
    std::ranges::sort(terms, term_precedes);
    const auto is_same = [](const Term& a, const Term& b) { return a.sum == b.sum && a.node == b.node; };
    terms.erase(std::ranges::unique(terms, is_same).begin(), terms.end());
    for (const Term& term : terms) {
        (reads_trace[term.node] ? out.terms : out.constant_terms).push_back(term);
        out.degree = std::max(out.degree, degrees[term.node]);
    }
    return out;
}

}  // namespace

std::size_t Summand::find(const Term& term) const {
    return static_cast<std::size_t>(std::ranges::lower_bound(terms, term, term_precedes) - terms.begin());
}

AirSummands air_summands(const AirVerifyingKey& air) {
    AirSummands out;
    out.reads_trace = nodes_reading_trace(air);
    const std::vector<std::uint32_t> degrees = node_degrees(air);
    std::vector<Term> terms;
    for (const std::uint32_t node : air.constraint_idx) terms.push_back({0, node});
    out.zerocheck = make_summand(1, std::move(terms), out.reads_trace, degrees);
    terms = {};
    for (const SymbolicInteraction& interaction : air.interactions) {
        terms.push_back({0, interaction.count});
        for (const std::uint32_t node : interaction.message) terms.push_back({1, node});
    }
    out.logup = make_summand(2, std::move(terms), out.reads_trace, degrees);
    return out;
}

Fp coset_shift(std::size_t coset) {
    return Fp::from_canonical(31).pow(coset);
}

ConstraintTerms::ConstraintTerms(const ProverInput& input, const BatchChallenges& challenges,
                                 std::vector<const AirSummands*> summands)
    : input_(input), challenges_(challenges), traces_(input.traces.size()) {
    std::size_t first_block = 0;
    for (std::uint32_t t = 0; t < traces_.size(); ++t) {
        Trace& trace = traces_[t];
        const AirVerifyingKey& air = input.air(t);
        trace.summands = summands[t];
        trace.n_lift = input.n_lift(t);
        trace.numerator_scale = Fp::half().pow(input.log_repetitions(t));
        trace.node_values = constant_node_values(air, trace.summands->reads_trace, input.traces[t]->public_values);
        SummandWeights& zerocheck = trace.zerocheck_weights;
        zerocheck.sum_constants.resize(1);
        Fp4 power = Fp4::one();
        for (const std::uint32_t node : air.constraint_idx) {
            if (trace.summands->reads_trace[node]) {
                zerocheck.coefficients.push_back(power);
            } else {
                zerocheck.sum_constants[0] += power * trace.node_values[node];
            }
            power *= challenges_.lambda;
        }
        bind_logup(t, first_block);
        first_block += air.interactions.size();
    }
}

void ConstraintTerms::bind_logup(std::size_t t, std::size_t first_block) {
    Trace& trace = traces_[t];
    const AirVerifyingKey& air = input_.air(t);
    const Summand& logup = trace.summands->logup;
    SummandWeights& weights = trace.logup_weights;
    weights.coefficients.resize(logup.terms.size());
    weights.sum_constants.resize(2);
    const auto add = [&](const Term& term, const Fp4& weight) {
        if (trace.summands->reads_trace[term.node]) {
            weights.coefficients[logup.find(term)] += weight;
        } else {
            weights.sum_constants[term.sum] += weight * trace.node_values[term.node];
        }
    };
    const unsigned block_vars = input_.params().l_skip + trace.n_lift;
    for (std::size_t i = 0; i < air.interactions.size(); ++i) {
        const SymbolicInteraction& interaction = air.interactions[i];
        const std::uint64_t start = input_.layout.logup_blocks[first_block + i].start;
        const std::span<const Fp4> block_xi =
            std::span(challenges_.xi).subspan(block_vars, input_.params().l_skip + input_.layout.n_logup - block_vars);
        const Fp4 weight = eq_bits(block_xi, start >> block_vars);
        add({0, interaction.count}, weight);
        Fp4 beta_power = weight;
        for (const std::uint32_t node : interaction.message) {
            add({1, node}, beta_power);
            beta_power *= challenges_.beta;
        }
        weights.sum_constants[1] += beta_power * Fp::from_canonical(interaction.bus_index + 1u);
    }
}

std::size_t ConstraintTerms::num_zerocheck_cosets(std::size_t trace) const {
    return zerocheck(trace).degree < 2 ? 0 : zerocheck(trace).degree - 1;
}

std::size_t ConstraintTerms::num_logup_cosets(std::size_t trace) const {
    return logup(trace).is_empty() ? 0 : std::max(logup(trace).degree, 1u);
}

void ConstraintTerms::set_zerocheck_values(std::size_t t, CosetValues values) {
    Trace& trace = traces_[t];
    const unsigned l = input_.params().l_skip;
    std::vector<Fp> shifts;
    std::vector<std::vector<Fp4>> quotients;
    for (std::size_t c = 0; c < values.size(); ++c) {
        shifts.push_back(coset_shift(c + 1));
        const Fp zerofier_inverse = (shifts.back().pow2k(l) - Fp::one()).inverse();
        quotients.push_back(std::move(values[c][0]));
        for (Fp4& v : quotients.back()) v = (v + trace.zerocheck_weights.sum_constants[0]) * zerofier_inverse;
    }
    trace.sum_polys[kZero] = multiply_by_vanishing(l, coefficients_from_cosets(l, shifts, quotients));
    trace.message_polys[kZero] = multiply_polynomials(trace.sum_polys[kZero], eq_uni_coefficients(l, skip_xi()));
}

void ConstraintTerms::set_logup_values(std::size_t t, CosetValues values) {
    Trace& trace = traces_[t];
    const unsigned l = input_.params().l_skip;
    const std::vector<Fp4> kernel = eq_sharp_coefficients(std::span<const Fp4>(challenges_.xi).first(l));
    std::vector<Fp> shifts;
    for (std::size_t c = 0; c < values.size(); ++c) shifts.push_back(coset_shift(c));
    for (std::size_t f = 0; f < 2; ++f) {
        std::vector<std::vector<Fp4>> of_sum;
        for (auto& coset : values) {
            for (Fp4& v : coset[f]) v += trace.logup_weights.sum_constants[f];
            of_sum.push_back(std::move(coset[f]));
        }
        trace.sum_polys[kNumerator + f] = coefficients_from_cosets(l, shifts, of_sum);
        trace.message_polys[kNumerator + f] = multiply_polynomials(trace.sum_polys[kNumerator + f], kernel);
    }
    for (Fp4& c : trace.message_polys[kNumerator]) c = c * trace.numerator_scale;
}

ConstraintTerms::SumTerms ConstraintTerms::sum_terms() const {
    const unsigned l = input_.params().l_skip;
    SumTerms terms;
    for (const Trace& trace : traces_) {
        terms.numerators.push_back(sum_over_domain(l, trace.message_polys[kNumerator]));
        terms.denominators.push_back(sum_over_domain(l, trace.message_polys[kDenominator]));
    }
    return terms;
}

std::vector<Fp4> ConstraintTerms::univariate_message(const Fp4& mu) {
    const SystemParams& params = input_.params();
    std::vector<Fp4> sum((params.max_constraint_degree + 1) * ((std::size_t{1} << params.l_skip) - 1) + 1);
    const std::size_t size = sum.size();
    for (std::size_t t = 0; t < traces_.size(); ++t) {
        Trace& trace = traces_[t];
        trace.factors[kZero] = mu.pow(2 * traces_.size() + t);
        trace.factors[kNumerator] = mu.pow(2 * t);
        trace.factors[kDenominator] = trace.factors[kNumerator] * mu;
        for (std::size_t f = 0; f < kNumSumKinds; ++f) {
            add_scaled(sum, trace.message_polys[f], trace.factors[f]);
            trace.message_polys[f] = {};
        }
    }
    // Whole cosets give a few more coefficients than the degree allows; those are zero.
    sum.resize(size);
    return sum;
}

void ConstraintTerms::fold_univariate(const Fp4& r0) {
    const unsigned l = input_.params().l_skip;
    const std::span<const Fp4> xi = challenges_.xi;
    const Fp4 eq = eq_uni(l, skip_xi(), r0);
    const Fp4 eq_sharp = eq_sharp_uni(xi.first(l), r0);
    prefix_ = Fp4::one();
    round_ = 1;
    for (Trace& trace : traces_) {
        trace.factors[kZero] *= eq;
        trace.factors[kNumerator] *= eq_sharp * trace.numerator_scale;
        trace.factors[kDenominator] *= eq_sharp;
        trace.claim = Fp4();
        for (std::size_t f = 0; f < kNumSumKinds; ++f) {
            trace.claim += trace.factors[f] * horner(trace.sum_polys[f], r0);
            trace.sum_polys[f] = {};
        }
        close_if_exhausted(trace);
    }
}

// With no variable left the claim is the summand itself.
void ConstraintTerms::close_if_exhausted(Trace& trace) {
    if (round_ == trace.n_lift + 1) trace.exhausted = prefix_ * trace.claim;
}

unsigned ConstraintTerms::num_points(std::size_t trace) const {
    return std::max(zerocheck(trace).degree, logup(trace).degree);
}

std::vector<Fp4> ConstraintTerms::round_message(std::span<const RoundSums> sums) {
    const SystemParams& params = input_.params();
    const unsigned num_values = params.max_constraint_degree + 1;
    std::vector<Fp4> message(num_values);
    // The message of active traces, without the kernel.
    std::vector<Fp4> active(num_values);
    const Fp4 xi = challenges_.xi[params.l_skip + round_ - 1];
    const Fp4 eq_at_0_inverse = (Fp4::one() - xi).inverse();
    for (std::size_t t = 0; t < traces_.size(); ++t) {
        Trace& trace = traces_[t];
        if (!is_active(t)) {
            for (unsigned x = 1; x <= num_values; ++x) message[x - 1] += trace.exhausted * Fp::from_canonical(x);
            continue;
        }
        const unsigned degree = num_points(t);
        trace.evals.assign(degree + 1, Fp4());
        for (unsigned x = 1; x <= degree; ++x) {
            const auto add = [&](std::size_t factor, const std::vector<Fp4>& values, const SummandWeights& weights) {
                for (std::size_t f = 0; f < values.size(); ++f) {
                    trace.evals[x] += trace.factors[factor + f] * (values[f] + weights.sum_constants[f]);
                }
            };
            add(kZero, sums[t].zerocheck[x - 1], trace.zerocheck_weights);
            add(kNumerator, sums[t].logup[x - 1], trace.logup_weights);
        }
        // claim = eq1(ξ, 0)·h(0) + eq1(ξ, 1)·h(1); ξ = 1 has negligible probability.
        trace.evals[0] = degree == 0 ? trace.claim : (trace.claim - xi * trace.evals[1]) * eq_at_0_inverse;
        for (unsigned x = 1; x <= num_values; ++x) {
            active[x - 1] += x <= degree ? trace.evals[x] : interpolate_at(trace.evals, Fp4(Fp::from_canonical(x)));
        }
    }
    for (unsigned x = 1; x <= num_values; ++x) {
        message[x - 1] += prefix_ * eq1(xi, Fp4(Fp::from_canonical(x))) * active[x - 1];
    }
    return message;
}

void ConstraintTerms::fold(const Fp4& r) {
    const Fp4 eq = eq1(challenges_.xi[input_.params().l_skip + round_ - 1], r);
    prefix_ *= eq;
    ++round_;
    for (Trace& trace : traces_) {
        if (round_ > trace.n_lift + 1) {
            trace.exhausted *= r;
            continue;
        }
        trace.claim = interpolate_at(trace.evals, r);
        close_if_exhausted(trace);
    }
}

}  // namespace whorl
