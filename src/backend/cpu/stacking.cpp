#include "backend/cpu/stacking.hpp"

#include <algorithm>

#include "backend/cpu/columns.hpp"
#include "backend/cpu/parallel.hpp"
#include "backend/cpu/tile.hpp"
#include "backend/cpu/vector_ops.hpp"
#include "poly/prismalinear.hpp"
#include "transforms/univariate_skip.hpp"

namespace whorl::cpu {
namespace {

// a·X, X⁴ = 11.
Fp4 times_x(const Fp4& a) {
    return {a.c[3] * Fp::from_canonical(Fp4::kNonResidue), a.c[0], a.c[1], a.c[2]};
}

// out[x] = Σ_z basis[z]·table[x·N + z].
ExtTable bind_skip_variable(const ExtTable& table, unsigned l, std::span<const Fp4> basis) {
    const std::size_t n = std::size_t{1} << l;
    const std::size_t num_blocks = table.size() / n;
    ExtTable out(num_blocks);
    parallel_chunks((num_blocks + kTileBlocks - 1) / kTileBlocks, 1, [&](std::size_t begin, std::size_t end) {
        std::vector<std::uint32_t> tile(n * kTileBlocks), folded(4 * kTileBlocks);
        for (std::size_t t = begin; t < end; ++t) {
            const std::size_t first = t * kTileBlocks;
            const std::size_t blocks = std::min(kTileBlocks, num_blocks - first);
            std::array<Fp4, kTileBlocks> sums{};
            // Each plane is a base-field column: Σ_c X^c·(its fold).
            for (unsigned c = 4; c-- > 0;) {
                load_tile({table.data() + c * table.stride(), table.size()}, l, first, blocks, 0, n, tile.data());
                fold_tile(tile.data(), basis, folded.data(), kTileBlocks);
                for (std::size_t x = 0; x < blocks; ++x) {
                    Fp4 value;
                    for (unsigned e = 0; e < 4; ++e) value.c[e] = Fp::from_montgomery(folded[e * kTileBlocks + x]);
                    sums[x] = times_x(sums[x]) + value;
                }
            }
            for (std::size_t x = 0; x < blocks; ++x) out.set(first + x, sums[x]);
        }
    });
    return out;
}

// eq[x − 1] − eq[x], cyclically: rot − eq on the cube.
ExtTable rotated_difference(const ExtTable& eq) {
    ExtTable out(eq.size());
    parallel_chunks(eq.size(), 4096, [&](std::size_t begin, std::size_t end) {
        for (std::size_t x = begin; x < end; ++x) out.set(x, eq.at((x + eq.size() - 1) & (eq.size() - 1)) - eq.at(x));
    });
    return out;
}

}  // namespace

StackedReduction::StackedReduction(const ProverInput& input, const Fp4& lambda, std::span<const Fp4> r)
    : input_(input), r_(r.begin(), r.end()), groups_(stacked_groups(input, lambda)), cells_(input, lambda, r) {
    const unsigned l = input.params().l_skip;
    for (const StackedGroup& group : groups_) {
        const std::size_t height = std::size_t{1} << group.log_height;
        std::vector<const std::uint32_t*> rotating, still;
        std::vector<Fp4> rotating_eq, rotating_rot, still_eq;
        for (const StackedColumn& column : group.columns) {
            (column.need_rot ? rotating : still).push_back(column_words(input.part(column.part), column.column));
            (column.need_rot ? rotating_eq : still_eq).push_back(column.weight);
            if (column.need_rot) rotating_rot.push_back(column.weight * lambda);
        }
        Tables& tables = tables_.emplace_back();
        tables.eq_columns = ExtTable(height);
        tables.rot_columns = ExtTable(height);
        ExtTable& eq_columns = tables.eq_columns;
        ExtTable& rot_columns = tables.rot_columns;
        eq_columns.fill_zero();
        rot_columns.fill_zero();
        add_linear_combination(still, still_eq, eq_columns.data(), eq_columns.stride(), height);
        add_two_linear_combinations(rotating, rotating_eq, rotating_rot, eq_columns.data(), rot_columns.data(),
                                    eq_columns.stride(), height);
        if (group.log_height < l) {
            // Strided, as the column is stacked.
            const auto spread = [&](const ExtTable& in) {
                ExtTable out(std::size_t{1} << l);
                out.fill_zero();
                for (std::size_t i = 0; i < height; ++i) out.set(i << (l - group.log_height), in.at(i));
                return out;
            };
            eq_columns = spread(eq_columns);
            rot_columns = spread(rot_columns);
        }
    }
}

std::vector<Fp4> StackedReduction::univariate_message() {
    const unsigned l = input_.params().l_skip;
    const std::size_t n = std::size_t{1} << l;
    std::vector<StackedBlockSums> sums(groups_.size());
    for (std::size_t g = 0; g < groups_.size(); ++g) {
        const StackedGroup& group = groups_[g];
        const ExtTable eq = eq_table(StackedKernels(l, group.log_height, r_).cube(), Fp4::one());
        sums[g].eq = sum_blocks(tables_[g].eq_columns, eq, n);
        if (group.has_rot) sums[g].rot = sum_blocks(tables_[g].rot_columns, eq, n);
        if (group.has_rot_across_blocks())
            sums[g].difference = sum_blocks(tables_[g].rot_columns, rotated_difference(eq), n);
    }
    return stacked_univariate_message(l, r_, groups_, sums);
}

void StackedReduction::fold_univariate(const Fp4& u0) {
    const unsigned l = input_.params().l_skip;
    u_.push_back(u0);
    const std::vector<Fp4> basis = lagrange_basis_at(l, u0);
    for (std::size_t g = 0; g < groups_.size(); ++g) {
        const StackedGroup& group = groups_[g];
        if (group.n_lift == 0) continue;
        Tables& tables = tables_[g];
        const StackedKernels kernels(l, group.log_height, r_);
        const auto factors = kernels.bind(u0);
        tables.eq_columns = bind_skip_variable(tables.eq_columns, l, basis);
        tables.eq_kernel = eq_table(kernels.cube(), factors.eq);
        if (group.has_rot) {
            tables.rot_columns = bind_skip_variable(tables.rot_columns, l, basis);
            tables.rot_kernel = eq_table(kernels.cube(), factors.rot);
            add_tables(tables.rot_kernel, rotated_difference(eq_table(kernels.cube(), factors.difference)));
        }
    }
    // Shortest first, as cells_ asks.
    for (std::size_t g = groups_.size(); g-- > 0;) {
        if (groups_[g].n_lift == 0) exhaust(g);
    }
}

// Turns the columns of a group, all of whose variables are bound, into cells.
void StackedReduction::exhaust(std::size_t g) {
    const StackedGroup& group = groups_[g];
    const ExtTable weights = eq_table_over(block_row_weights(input_.params().l_skip, group.log_height, u_[0]),
                                           std::span<const Fp4>(u_).subspan(1, group.n_lift));
    std::vector<const std::uint32_t*> words;
    for (const StackedColumn& column : group.columns)
        words.push_back(column_words(input_.part(column.part), column.column));
    std::vector<Fp4> values(words.size());
    dot_columns(words, weights, values);
    cells_.add(group, values, u_);
    tables_[g] = {};
}

std::array<Fp4, 2> StackedReduction::round_message() {
    std::array<Fp4, 2> message = cells_.round_message();
    const auto add = [&](const QuadraticMessage& m) {
        message[0] += m.at_1;
        message[1] += m.at_2;
    };
    for (std::size_t g = 0; g < groups_.size(); ++g) {
        if (groups_[g].n_lift < u_.size()) continue;
        add(quadratic_message(tables_[g].eq_columns, tables_[g].eq_kernel));
        if (groups_[g].has_rot) add(quadratic_message(tables_[g].rot_columns, tables_[g].rot_kernel));
    }
    return message;
}

void StackedReduction::fold(const Fp4& u) {
    cells_.fold(u);
    const std::size_t round = u_.size();
    u_.push_back(u);
    for (std::size_t g = 0; g < groups_.size(); ++g) {
        if (groups_[g].n_lift < round) continue;
        if (groups_[g].n_lift == round) {
            exhaust(g);
            continue;
        }
        Tables& tables = tables_[g];
        tables.eq_columns = fold_pairs(tables.eq_columns, u);
        tables.eq_kernel = fold_pairs(tables.eq_kernel, u);
        if (groups_[g].has_rot) {
            tables.rot_columns = fold_pairs(tables.rot_columns, u);
            tables.rot_kernel = fold_pairs(tables.rot_kernel, u);
        }
    }
}

}  // namespace whorl::cpu
