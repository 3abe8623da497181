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
#include "transforms/univariate_skip.hpp"

namespace whorl::cpu {
namespace {

using InputKind = ConstraintProgram::Input::Kind;

// A program with its run-time values.
struct BoundProgram {
    ConstraintProgram program;
    std::vector<Fp> constants;
    std::vector<Fp4> coefficients;
    std::vector<Fp4> no_constants;  // constant terms are added by ConstraintTerms

    ProgramArgs args() const { return {&program, constants, coefficients, no_constants}; }
};

BoundProgram bind_program(const AirVerifyingKey& air, const Summand& summand, std::span<const Fp4> coefficients,
                          std::span<const Fp> node_values) {
    BoundProgram bound;
    bound.program = compile_program(air, {summand.terms, {}, summand.num_sums});
    bound.constants = program_constants(bound.program, node_values);
    for (const auto& term : bound.program.terms) bound.coefficients.push_back(coefficients[summand.find(term)]);
    bound.no_constants.resize(summand.num_sums);
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

std::vector<AirSummands> summands_of(const ProverInput& input) {
    std::vector<AirSummands> out;
    for (std::size_t t = 0; t < input.traces.size(); ++t) out.push_back(air_summands(input.air(t)));
    return out;
}

std::vector<const AirSummands*> pointers_to(const std::vector<AirSummands>& summands) {
    std::vector<const AirSummands*> out;
    for (const AirSummands& s : summands) out.push_back(&s);
    return out;
}

}  // namespace

// One trace's share of the batch.
struct ConstraintBatch::Trace {
    std::uint32_t index = 0;  // sorted position
    BoundProgram zerocheck, logup;
    MleTables tables;
    ExtTable eq;  // over the hypercube variables after the current one

    ConstraintTerms::CosetValues evaluate_cosets(const ProverInput& input, const BoundProgram& bound,
                                                 const ExtTable& weights, std::size_t first_coset,
                                                 std::size_t num_cosets) const;
};

// values[coset][sum][z] = Σ_x weights[x]·sum(shift·w^z, x).
ConstraintTerms::CosetValues ConstraintBatch::Trace::evaluate_cosets(const ProverInput& input,
                                                                     const BoundProgram& bound, const ExtTable& weights,
                                                                     std::size_t first_coset,
                                                                     std::size_t num_cosets) const {
    const ConstraintProgram& program = bound.program;
    const unsigned l = input.params().l_skip;
    const SkipDomain domain(l);
    const std::size_t n = domain.size();
    const std::size_t height = input.traces[index]->height();
    const std::size_t num_blocks = std::size_t{1} << input.n_lift(index);
    const std::size_t num_sums = program.num_sums;
    const std::size_t slab_stride = program.num_inputs() * kBaseBlock;
    static_assert(kBaseBlock == kTileBlocks);
    std::vector<ColumnView> columns;
    for (const auto& in : program.inputs) {
        columns.push_back(in.kind == InputKind::kVariable ? column_of(input, index, in.variable) : ColumnView{});
    }

    ConstraintTerms::CosetValues totals(num_cosets, {num_sums, std::vector<Fp4>(n)});
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
                for (std::size_t f = 0; f < num_sums; ++f) totals[c][f][z] += part[(c * n + z) * num_sums + f];
            }
        }
    });
    return totals;
}

ConstraintBatch::ConstraintBatch(const ProverInput& input, const BatchChallenges& challenges)
    : input_(input),
      challenges_(challenges),
      summands_(summands_of(input)),
      terms_(input, challenges, pointers_to(summands_)) {
    for (std::uint32_t t = 0; t < input.traces.size(); ++t) {
        auto trace = std::make_unique<Trace>();
        trace->index = t;
        const AirVerifyingKey& air = input.air(t);
        const std::vector<Fp>& node_values = terms_.node_values(t);
        trace->zerocheck = bind_program(air, terms_.zerocheck(t), terms_.zerocheck_coefficients(t), node_values);
        trace->logup = bind_program(air, terms_.logup(t), terms_.logup_coefficients(t), node_values);
        traces_.push_back(std::move(trace));
    }
}

ConstraintBatch::~ConstraintBatch() = default;

void ConstraintBatch::evaluate_round0() {
    for (const auto& trace : traces_) {
        const std::uint32_t t = trace->index;
        trace->eq = eq_table(std::span<const Fp4>(challenges_.xi).subspan(input_.params().l_skip, input_.n_lift(t)),
                             Fp4::one());
        // Tiles read whole blocks of weights.
        const ExtTable& eq = trace->eq;
        ExtTable weights(std::max(eq.size(), kTileBlocks));
        weights.fill_zero();
        for (unsigned c = 0; c < 4; ++c) {
            std::copy_n(eq.data() + c * eq.stride(), eq.size(), weights.data() + c * weights.stride());
        }
        if (const std::size_t num_cosets = terms_.num_zerocheck_cosets(t); num_cosets != 0) {
            terms_.set_zerocheck_values(t, trace->evaluate_cosets(input_, trace->zerocheck, weights, 1, num_cosets));
        }
        if (const std::size_t num_cosets = terms_.num_logup_cosets(t); num_cosets != 0) {
            terms_.set_logup_values(t, trace->evaluate_cosets(input_, trace->logup, weights, 0, num_cosets));
        }
    }
}

void ConstraintBatch::fold_univariate(const Fp4& r0) {
    terms_.fold_univariate(r0);
    const std::vector<Fp4> basis = lagrange_basis_at(input_.params().l_skip, r0);
    for (const auto& trace : traces_) trace->tables = MleTables(input_, trace->index, basis);
}

std::vector<Fp4> ConstraintBatch::round_message() {
    std::vector<ConstraintTerms::RoundSums> sums(traces_.size());
    for (const auto& trace : traces_) {
        const std::uint32_t t = trace->index;
        if (!terms_.is_active(t)) continue;
        trace->eq = sum_pairs(trace->eq);
        const unsigned num_points = terms_.num_points(t);
        sums[t].zerocheck = trace->tables.round_sums(trace->zerocheck.args(), num_points, trace->eq);
        sums[t].logup = trace->tables.round_sums(trace->logup.args(), num_points, trace->eq);
    }
    return terms_.round_message(sums);
}

void ConstraintBatch::fold(const Fp4& r) {
    for (const auto& trace : traces_) {
        if (terms_.is_active(trace->index)) trace->tables.fold(r);
    }
    terms_.fold(r);
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
