#include "backend/cpu/constraints.hpp"

#include <algorithm>
#include <mutex>

#include "backend/cpu/buffer.hpp"
#include "backend/cpu/columns.hpp"
#include "backend/cpu/interpreter.hpp"
#include "backend/cpu/mle_tables.hpp"
#include "backend/cpu/parallel.hpp"
#include "backend/cpu/tile.hpp"
#include "backend/cpu/vector_ops.hpp"
#include "poly/prismalinear.hpp"
#include "poly/univariate_skip.hpp"

namespace whorl::cpu {
namespace {

using InputKind = ConstraintProgram::Input::Kind;

// The cosets of round 0 are g^c·D with the field's generator g; c = 0 is D itself.
Fp coset_shift(std::size_t c) {
    return Fp::from_canonical(31).pow(c);
}

// A program with its run-time values and the number of points that determine its sums.
struct BoundProgram {
    ConstraintProgram program;
    std::vector<Fp> constants;
    std::vector<Fp4> coefficients;
    std::vector<Fp4> sum_constants;
    unsigned degree = 0;  // of the sums, in every variable

    bool is_empty() const { return program.terms.empty() && program.constant_terms.empty(); }
    ProgramArgs args() const { return {&program, constants, coefficients, sum_constants}; }
};

// weights[sum][node]; nodes with weight appear in `request`.
BoundProgram bind_program(const AirVerifyingKey& air, const ProgramRequest& request,
                          const std::vector<std::vector<Fp4>>& weights, std::vector<Fp4> sum_constants,
                          std::span<const Fp> node_values, std::span<const std::uint32_t> degrees) {
    BoundProgram bound;
    bound.program = compile_program(air, request);
    bound.constants = program_constants(bound.program, node_values);
    for (const auto& term : bound.program.terms) {
        bound.coefficients.push_back(weights[term.sum][term.node]);
        bound.degree = std::max(bound.degree, degrees[term.node]);
    }
    bound.sum_constants = std::move(sum_constants);
    for (const auto& term : bound.program.constant_terms) {
        bound.sum_constants[term.sum] += weights[term.sum][term.node] * node_values[term.node];
    }
    return bound;
}

// Rows of a selector on the lifted trace, as a tile.
void load_selector_tile(InputKind kind, std::size_t height, unsigned l, std::size_t first_block, std::size_t num_blocks,
                        std::uint32_t* tile) {
    const std::size_t n = std::size_t{1} << l;
    const std::uint32_t one = Fp::one().montgomery();
    for (std::size_t z = 0; z < n; ++z) {
        for (std::size_t x = 0; x < kTileBlocks; ++x) {
            const std::size_t row = ((first_block + x) * n + z) & (height - 1);
            const bool is_last = row == height - 1;
            const bool value = kind == InputKind::kIsFirstRow  ? row == 0
                               : kind == InputKind::kIsLastRow ? is_last
                                                               : !is_last;
            tile[z * kTileBlocks + x] = value && x < num_blocks ? one : 0;
        }
    }
}

}  // namespace

// One trace's share of the batch.
struct ConstraintBatch::Trace {
    std::uint32_t index = 0;  // sorted position
    unsigned n_lift = 0;
    BoundProgram zerocheck;  // sum 0: Σ λ^i c_i
    BoundProgram logup;      // sum 0: Σ w·count, sum 1: Σ w·denominator without α
    Fp numerator_scale;      // one over the repetitions of a short trace

    // Round 0, coefficients in Z, kernels included.
    std::vector<Fp4> zerocheck_poly, numerator_poly, denominator_poly;
    // Later rounds.
    MleTables tables;
    ExtTable eq;  // over the hypercube variables after the current one
    Fp4 eq_prefix, eq_sharp_prefix;
    Fp4 exhausted;  // the folded summand, once no variable is left, times later challenges

    void bind(const ProverInput& input, const BatchChallenges& challenges, std::size_t first_logup_block);
    std::vector<std::vector<Fp4>> evaluate_cosets(const ProverInput& input, const BoundProgram& bound,
                                                  const ExtTable& weights, std::size_t first_coset,
                                                  std::size_t num_cosets) const;
    void round0(const ProverInput& input, const BatchChallenges& challenges);
    Fp4 combine(std::size_t num_traces, const Fp4& mu, const Fp4& zero, const Fp4& numerator,
                const Fp4& denominator) const;
};

void ConstraintBatch::Trace::bind(const ProverInput& input, const BatchChallenges& challenges,
                                  std::size_t first_logup_block) {
    const AirVerifyingKey& air = input.air(index);
    const unsigned l = input.params().l_skip;
    n_lift = input.n_lift(index);
    numerator_scale = Fp::half().pow(input.log_repetitions(index));
    const std::vector<Fp> node_values = constant_node_values(air, input.traces[index]->public_values);
    const std::vector<std::uint32_t> degrees = node_degrees(air);

    ProgramRequest request;
    request.num_sums = 1;
    std::vector<std::vector<Fp4>> weights(1, std::vector<Fp4>(air.nodes.size()));
    Fp4 power = Fp4::one();
    for (const std::uint32_t node : air.constraint_idx) {
        request.terms.push_back({0, node});
        weights[0][node] = power;
        power *= challenges.lambda;
    }
    zerocheck = bind_program(air, request, weights, std::vector<Fp4>(1), node_values, degrees);

    request = {};
    request.num_sums = 2;
    weights.assign(2, std::vector<Fp4>(air.nodes.size()));
    std::vector<Fp4> sum_constants(2);
    for (std::size_t i = 0; i < air.interactions.size(); ++i) {
        const SymbolicInteraction& interaction = air.interactions[i];
        const std::uint64_t start = input.layout.logup_blocks[first_logup_block + i].start;
        const unsigned block_vars = l + n_lift;
        const Fp4 w = eq_bits(std::span(challenges.xi).subspan(block_vars, input.layout.n_logup + l - block_vars),
                              start >> block_vars);
        request.terms.push_back({0, interaction.count});
        weights[0][interaction.count] += w;
        Fp4 beta_power = w;
        for (const std::uint32_t node : interaction.message) {
            request.terms.push_back({1, node});
            weights[1][node] += beta_power;
            beta_power *= challenges.beta;
        }
        sum_constants[1] += beta_power * Fp::from_canonical(interaction.bus_index + 1u);
    }
    logup = bind_program(air, request, weights, std::move(sum_constants), node_values, degrees);
}

// values[(coset, sum)][z] = Σ_x weights[x]·sum(shift·w^z, x), sums fastest.
std::vector<std::vector<Fp4>> ConstraintBatch::Trace::evaluate_cosets(const ProverInput& input,
                                                                      const BoundProgram& bound,
                                                                      const ExtTable& weights, std::size_t first_coset,
                                                                      std::size_t num_cosets) const {
    const ConstraintProgram& program = bound.program;
    const unsigned l = input.params().l_skip;
    const SkipDomain domain(l);
    const std::size_t n = domain.size();
    const std::size_t height = input.traces[index]->height();
    const std::size_t num_blocks = std::size_t{1} << n_lift;
    const std::size_t num_sums = program.num_sums;
    const std::size_t slab_stride = program.num_inputs() * kBaseBlock;
    static_assert(kBaseBlock == kTileBlocks);
    std::vector<ColumnView> columns;
    for (const auto& in : program.inputs) {
        columns.push_back(in.kind == InputKind::kVariable ? column_of(input, index, in.variable) : ColumnView{});
    }

    std::vector<std::vector<Fp4>> totals(num_cosets * num_sums, std::vector<Fp4>(n));
    std::mutex mutex;
    parallel_chunks((num_blocks + kTileBlocks - 1) / kTileBlocks, 1, [&](std::size_t begin, std::size_t end) {
        WordBuffer slab(n * slab_stride);
        std::vector<std::uint32_t> tile(n * kTileBlocks);
        std::vector<std::uint32_t> registers(std::size_t{program.num_registers} * kBaseBlock);
        std::vector<std::uint32_t> sums(num_sums * 4 * kBaseBlock);
        std::vector<Fp4> part(num_cosets * n * num_sums);
        for (std::size_t t = begin; t < end; ++t) {
            const std::size_t first = t * kTileBlocks;
            const std::size_t blocks = std::min(kTileBlocks, num_blocks - first);
            for (std::size_t c = 0; c < num_cosets; ++c) {
                for (std::size_t i = 0; i < program.inputs.size(); ++i) {
                    const auto& in = program.inputs[i];
                    if (in.kind == InputKind::kVariable) {
                        load_tile(columns[i], l, first, blocks, in.variable.offset, n, tile.data());
                    } else {
                        load_selector_tile(in.kind, height, l, first, blocks, tile.data());
                    }
                    std::uint32_t* out = slab.data() + i * kBaseBlock;
                    if (first_coset + c == 0) {
                        for (std::size_t z = 0; z < n; ++z) {
                            std::copy_n(tile.data() + z * kTileBlocks, kTileBlocks, out + z * slab_stride);
                        }
                    } else {
                        domain.to_coset(tile.data(), coset_shift(first_coset + c), out, slab_stride);
                    }
                }
                for (std::size_t z = 0; z < n; ++z) {
                    run_base(bound.args(), slab.data() + z * slab_stride, registers.data(), sums.data(), {});
                    add_weighted_sums(sums.data(), num_sums, kBaseBlock, weights.data() + first, weights.stride(),
                                      part.data() + (c * n + z) * num_sums);
                }
            }
        }
        const std::lock_guard lock(mutex);
        for (std::size_t c = 0; c < num_cosets; ++c) {
            for (std::size_t z = 0; z < n; ++z) {
                for (std::size_t f = 0; f < num_sums; ++f)
                    totals[c * num_sums + f][z] += part[(c * n + z) * num_sums + f];
            }
        }
    });
    return totals;
}

void ConstraintBatch::Trace::round0(const ProverInput& input, const BatchChallenges& challenges) {
    const unsigned l = input.params().l_skip;
    const std::span<const Fp4> xi = challenges.xi;
    eq = eq_table(xi.subspan(l, n_lift), Fp4::one());
    // Tiles read whole blocks of weights.
    ExtTable weights(std::max(eq.size(), kTileBlocks));
    weights.fill_zero();
    for (unsigned c = 0; c < 4; ++c) {
        std::copy_n(eq.data() + c * eq.stride(), eq.size(), weights.data() + c * weights.stride());
    }

    // On D the constraints vanish, so degree − 1 other cosets determine the quotient by Z^N − 1.
    if (zerocheck.degree >= 2) {
        const std::size_t num_cosets = zerocheck.degree - 1;
        std::vector<std::vector<Fp4>> values = evaluate_cosets(input, zerocheck, weights, 1, num_cosets);
        std::vector<Fp> shifts;
        for (std::size_t c = 0; c < num_cosets; ++c) {
            shifts.push_back(coset_shift(c + 1));
            const Fp zerofier_inverse = (shifts.back().pow2k(l) - Fp::one()).inverse();
            for (Fp4& v : values[c]) v = v * zerofier_inverse;
        }
        const auto polynomial = multiply_by_vanishing(l, coefficients_from_cosets(l, shifts, values));
        zerocheck_poly = multiply_polynomials(polynomial, eq_uni_coefficients(l, xi[0]));
    }
    if (!logup.is_empty()) {
        const std::size_t num_cosets = std::max(logup.degree, 1u);
        const std::vector<std::vector<Fp4>> values = evaluate_cosets(input, logup, weights, 0, num_cosets);
        std::vector<Fp> shifts;
        std::vector<std::vector<Fp4>> numerators, denominators;
        for (std::size_t c = 0; c < num_cosets; ++c) {
            shifts.push_back(coset_shift(c));
            numerators.push_back(values[2 * c]);
            denominators.push_back(values[2 * c + 1]);
        }
        const std::vector<Fp4> kernel = eq_sharp_coefficients(xi.first(l));
        numerator_poly = multiply_polynomials(coefficients_from_cosets(l, shifts, numerators), kernel);
        for (Fp4& c : numerator_poly) c = c * numerator_scale;
        denominator_poly = multiply_polynomials(coefficients_from_cosets(l, shifts, denominators), kernel);
    }
}

// μ-weighted sum of the three summands.
Fp4 ConstraintBatch::Trace::combine(std::size_t num_traces, const Fp4& mu, const Fp4& zero, const Fp4& numerator,
                                    const Fp4& denominator) const {
    return mu.pow(2 * index) * (numerator + mu * denominator) + mu.pow(2 * num_traces + index) * zero;
}

ConstraintBatch::ConstraintBatch(const ProverInput& input, const BatchChallenges& challenges)
    : input_(input), challenges_(challenges) {
    std::size_t first_block = 0;
    for (std::uint32_t t = 0; t < input.traces.size(); ++t) {
        auto trace = std::make_unique<Trace>();
        trace->index = t;
        trace->bind(input, challenges_, first_block);
        first_block += input.air(t).interactions.size();
        traces_.push_back(std::move(trace));
    }
}

ConstraintBatch::~ConstraintBatch() = default;

void ConstraintBatch::evaluate_round0() {
    for (const auto& trace : traces_) trace->round0(input_, challenges_);
}

ConstraintBatch::SumTerms ConstraintBatch::sum_terms() const {
    SumTerms terms;
    for (const auto& trace : traces_) {
        terms.numerators.push_back(sum_over_domain(input_.params().l_skip, trace->numerator_poly));
        terms.denominators.push_back(sum_over_domain(input_.params().l_skip, trace->denominator_poly));
    }
    return terms;
}

std::vector<Fp4> ConstraintBatch::univariate_message(const Fp4& mu) {
    mu_ = mu;
    const SystemParams& params = input_.params();
    std::vector<Fp4> sum((params.max_constraint_degree + 1) * ((std::size_t{1} << params.l_skip) - 1) + 1);
    const std::size_t size = sum.size();
    for (const auto& trace : traces_) {
        add_scaled(sum, trace->numerator_poly, mu.pow(2 * trace->index));
        add_scaled(sum, trace->denominator_poly, mu.pow(2 * trace->index + 1));
        add_scaled(sum, trace->zerocheck_poly, mu.pow(2 * traces_.size() + trace->index));
    }
    // Whole cosets give a few more coefficients than the degree allows; those are zero.
    sum.resize(size);
    return sum;
}

void ConstraintBatch::fold_univariate(const Fp4& r0) {
    const unsigned l = input_.params().l_skip;
    const std::span<const Fp4> xi = challenges_.xi;
    const Fp4 eq0 = eq_uni(l, xi[0], r0);
    const Fp4 eq_sharp0 = eq_sharp_uni(xi.first(l), r0);
    const std::vector<Fp4> basis = lagrange_basis_at(l, r0);
    for (const auto& trace : traces_) {
        trace->eq_prefix = eq0;
        trace->eq_sharp_prefix = eq_sharp0;
        trace->tables = MleTables(input_, trace->index, basis);
        trace->zerocheck_poly = {};
        trace->numerator_poly = {};
        trace->denominator_poly = {};
    }
    round_ = 1;
}

std::vector<Fp4> ConstraintBatch::round_message() {
    const SystemParams& params = input_.params();
    const unsigned num_values = params.max_constraint_degree + 1;
    std::vector<Fp4> message(num_values);
    for (const auto& trace : traces_) {
        if (round_ > trace->n_lift) {
            // No variable left: the folded summand, taken once more when none is left for the first time.
            if (round_ == trace->n_lift + 1) {
                const Fp4 zero = trace->tables.evaluate(trace->zerocheck.args())[0];
                const std::vector<Fp4> logup = trace->tables.evaluate(trace->logup.args());
                trace->exhausted = trace->combine(traces_.size(), mu_, trace->eq_prefix * zero,
                                                  trace->eq_sharp_prefix * logup[0] * trace->numerator_scale,
                                                  trace->eq_sharp_prefix * logup[1]);
            }
            for (unsigned x = 1; x <= num_values; ++x) message[x - 1] += trace->exhausted * Fp::from_canonical(x);
            continue;
        }
        const Fp4 xi = challenges_.xi[params.l_skip + round_ - 1];
        trace->eq = sum_pairs(trace->eq);
        // [point][sum] at 0, 1, …, degree.
        const auto zero = trace->tables.round_sums(trace->zerocheck.args(), trace->zerocheck.degree, trace->eq);
        const auto logup = trace->tables.round_sums(trace->logup.args(), trace->logup.degree, trace->eq);
        for (unsigned x = 1; x <= num_values; ++x) {
            const Fp4 point(Fp::from_canonical(x));
            const auto at = [&](const std::vector<std::vector<Fp4>>& sums, std::size_t f) {
                return x < sums.size() ? sums[x][f] : [&] {
                    std::vector<Fp4> evals;
                    for (const auto& s : sums) evals.push_back(s[f]);
                    return interpolate_at(evals, point);
                }();
            };
            const Fp4 eq = eq1(xi, point);
            message[x - 1] += trace->combine(traces_.size(), mu_, trace->eq_prefix * eq * at(zero, 0),
                                             trace->eq_sharp_prefix * eq * at(logup, 0) * trace->numerator_scale,
                                             trace->eq_sharp_prefix * eq * at(logup, 1));
        }
    }
    return message;
}

void ConstraintBatch::fold(const Fp4& r) {
    for (const auto& trace : traces_) {
        if (round_ > trace->n_lift) {
            trace->exhausted *= r;
            continue;
        }
        const Fp4 eq = eq1(challenges_.xi[input_.params().l_skip + round_ - 1], r);
        trace->eq_prefix *= eq;
        trace->eq_sharp_prefix *= eq;
        trace->tables.fold(r);
    }
    ++round_;
}

std::vector<std::vector<std::vector<Fp4>>> ConstraintBatch::openings() const {
    std::vector<std::vector<std::vector<Fp4>>> out;
    for (const auto& trace : traces_) {
        const AirVerifyingKey& air = input_.air(trace->index);
        const std::vector<Fp4> values = trace->tables.values();
        std::size_t next = 0;
        out.emplace_back();
        for (const PartRef& part : input_.parts(trace->index)) {
            const std::size_t count = std::size_t{part_width(air, part)} * (air.need_rot ? 2 : 1);
            out.back().emplace_back(values.begin() + static_cast<std::ptrdiff_t>(next),
                                    values.begin() + static_cast<std::ptrdiff_t>(next + count));
            next += count;
        }
    }
    return out;
}

}  // namespace whorl::cpu
