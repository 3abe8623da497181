#include "backend/cpu/stacking.hpp"

#include <algorithm>
#include <map>

#include "backend/cpu/columns.hpp"
#include "backend/cpu/parallel.hpp"
#include "backend/cpu/tile.hpp"
#include "backend/cpu/vector_ops.hpp"
#include "poly/prismalinear.hpp"
#include "poly/univariate_skip.hpp"

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
    : input_(input), lambda_(lambda), r_(r.begin(), r.end()), cells_(input.layout.commitments.size()) {
    const SystemParams& params = input.params();
    const unsigned l = params.l_skip;
    std::map<unsigned, std::size_t, std::greater<>> group_of;
    for (std::size_t t = 0; t < input.traces.size(); ++t) group_of.try_emplace(input.log_height(t), group_of.size());
    groups_.resize(group_of.size());
    const Fp4 lambda_squared = lambda.square();
    Fp4 weight = Fp4::one();
    for (std::uint32_t c = 0; c < input.layout.commitments.size(); ++c) {
        const CommitmentLayout& commitment = input.layout.commitments[c];
        for (const StackedSlice& slice : commitment.stack.slices) {
            const PartRef& part = commitment.parts[slice.matrix];
            Group& group = groups_[group_of[slice.log_height]];
            const bool need_rot = input.air(part.trace).need_rot;
            group.columns.push_back({column_words(input.part(part), slice.column), c, need_rot, weight});
            group.has_rot |= need_rot;
            weight *= lambda_squared;
        }
    }
    for (const auto& [log_height, g] : group_of) {
        Group& group = groups_[g];
        group.log_height = log_height;
        group.n_lift = log_height > l ? log_height - l : 0;
        const std::size_t height = std::size_t{1} << log_height;
        std::vector<const std::uint32_t*> rotating, still;
        std::vector<Fp4> rotating_eq, rotating_rot, still_eq;
        for (const Column& column : group.columns) {
            (column.need_rot ? rotating : still).push_back(column.words);
            (column.need_rot ? rotating_eq : still_eq).push_back(column.weight);
            if (column.need_rot) rotating_rot.push_back(column.weight * lambda);
        }
        ExtTable eq_columns(height), rot_columns(height);
        eq_columns.fill_zero();
        rot_columns.fill_zero();
        add_linear_combination(still, still_eq, eq_columns.data(), eq_columns.stride(), height);
        add_two_linear_combinations(rotating, rotating_eq, rotating_rot, eq_columns.data(), rot_columns.data(),
                                    eq_columns.stride(), height);
        if (log_height < l) {
            // Strided, as the column is stacked.
            const auto spread = [&](const ExtTable& in) {
                ExtTable out(std::size_t{1} << l);
                out.fill_zero();
                for (std::size_t i = 0; i < height; ++i) out.set(i << (l - log_height), in.at(i));
                return out;
            };
            eq_columns = spread(eq_columns);
            rot_columns = spread(rot_columns);
        }
        group.eq_columns = std::move(eq_columns);
        group.rot_columns = std::move(rot_columns);
    }
}

std::vector<Fp4> StackedReduction::univariate_message() {
    const unsigned l = input_.params().l_skip;
    const std::size_t n = std::size_t{1} << l;
    std::vector<Fp4> sum(2 * (n - 1) + 1);
    const std::vector<Fp> shift{Fp::one()};
    const auto polynomial = [&](const ExtTable& table, const ExtTable& weights) {
        const std::vector<std::vector<Fp4>> values{sum_blocks(table, weights, n)};
        return coefficients_from_cosets(l, shift, values);
    };
    const auto add_product = [&](std::span<const Fp4> a, std::span<const Fp4> b, const Fp4& factor) {
        add_scaled(sum, multiply_polynomials(a, b), factor);
    };
    for (const Group& group : groups_) {
        const OpeningPoint point = opening_point(l, group.log_height, r_);
        const Fp4 shifted = point.r[0] * two_adic_generator(point.log_domain);
        const ExtTable eq = eq_table(std::span<const Fp4>(point.r).subspan(1), Fp4::one());
        std::vector<Fp4> kernel = eq_uni_coefficients(point.log_domain, point.r[0]);
        std::vector<Fp4> kernel_shifted = eq_uni_coefficients(point.log_domain, shifted);
        if (group.log_height < l) {
            const std::vector<Fp4> indicator =
                in_uni_coefficients(l, static_cast<int>(group.log_height) - static_cast<int>(l));
            kernel = multiply_polynomials(kernel, indicator);
            kernel_shifted = multiply_polynomials(kernel_shifted, indicator);
            kernel.resize(n);
            kernel_shifted.resize(n);
        }
        add_product(polynomial(group.eq_columns, eq), kernel, Fp4::one());
        if (!group.has_rot) continue;
        add_product(polynomial(group.rot_columns, eq), kernel_shifted, Fp4::one());
        if (group.n_lift != 0) {
            add_product(polynomial(group.rot_columns, rotated_difference(eq)), eq_uni_coefficients(l, Fp4::one()),
                        eq_uni_at_one(l, shifted));
        }
    }
    return sum;
}

void StackedReduction::fold_univariate(const Fp4& u0) {
    const unsigned l = input_.params().l_skip;
    u_.push_back(u0);
    const std::vector<Fp4> basis = lagrange_basis_at(l, u0);
    for (Group& group : groups_) {
        const OpeningPoint point = opening_point(l, group.log_height, r_);
        const Fp4 shifted = point.r[0] * two_adic_generator(point.log_domain);
        const Fp4 indicator = in_uni(l, static_cast<int>(group.log_height) - static_cast<int>(l), u0);
        group.eq_columns = bind_skip_variable(group.eq_columns, l, basis);
        const auto cube = std::span<const Fp4>(point.r).subspan(1);
        group.eq_kernel = eq_table(cube, indicator * eq_uni(point.log_domain, u0, point.r[0]));
        if (group.has_rot) {
            group.rot_columns = bind_skip_variable(group.rot_columns, l, basis);
            group.rot_kernel = eq_table(cube, indicator * eq_uni(point.log_domain, u0, shifted));
            if (group.n_lift != 0) {
                const ExtTable difference =
                    rotated_difference(eq_table(cube, eq_uni_at_one(l, u0) * eq_uni_at_one(l, shifted)));
                for (std::size_t x = 0; x < difference.size(); ++x) {
                    group.rot_kernel.set(x, group.rot_kernel.at(x) + difference.at(x));
                }
            }
        }
    }
    // Shortest first: cells are put in front of those present.
    for (std::size_t g = groups_.size(); g-- > 0;) {
        if (groups_[g].n_lift == 0) exhaust(groups_[g]);
    }
}

// Turns the columns of a group, all of whose variables are bound, into cells.
void StackedReduction::exhaust(Group& group) {
    const unsigned l = input_.params().l_skip;
    const std::vector<Fp4> basis = lagrange_basis_at(l, u_[0]);
    std::vector<Fp4> first = basis;
    if (group.log_height < l) {
        first.clear();
        for (std::size_t z = 0; z < basis.size(); z += std::size_t{1} << (l - group.log_height))
            first.push_back(basis[z]);
    }
    const ExtTable weights = eq_table_over(first, std::span<const Fp4>(u_).subspan(1, group.n_lift));
    std::vector<const std::uint32_t*> words;
    for (const Column& column : group.columns) words.push_back(column.words);
    std::vector<Fp4> values(words.size());
    dot_columns(words, weights, values);

    const Fp4 eq = group.eq_kernel.at(0);
    const Fp4 rot = group.has_rot ? group.rot_kernel.at(0) * lambda_ : Fp4();
    for (std::uint32_t c = 0; c < cells_.size(); ++c) {
        Cells added;
        bool is_empty = true;
        for (std::size_t i = 0; i < group.columns.size(); ++i) {
            const Column& column = group.columns[i];
            if (column.commitment != c) continue;
            is_empty = false;
            added.q.push_back(values[i]);
            added.weight.push_back(column.weight * (column.need_rot ? eq + rot : eq));
        }
        if (is_empty) continue;
        // Taller columns are stacked before shorter ones, so a group's cells end where those present begin.
        added.q.insert(added.q.end(), cells_[c].q.begin(), cells_[c].q.end());
        added.weight.insert(added.weight.end(), cells_[c].weight.begin(), cells_[c].weight.end());
        cells_[c] = std::move(added);
    }
    group.eq_columns = {};
    group.rot_columns = {};
    group.eq_kernel = {};
    group.rot_kernel = {};
}

std::array<Fp4, 2> StackedReduction::round_message() {
    std::array<Fp4, 2> message{};
    const auto add = [&](const QuadraticMessage& m) {
        message[0] += m.at_1;
        message[1] += m.at_2;
    };
    for (const Group& group : groups_) {
        if (group.n_lift < u_.size()) continue;
        add(quadratic_message(group.eq_columns, group.eq_kernel));
        if (group.has_rot) add(quadratic_message(group.rot_columns, group.rot_kernel));
    }
    for (Cells& cells : cells_) {
        if (cells.q.size() % 2 != 0) {
            cells.q.emplace_back();
            cells.weight.emplace_back();
        }
        for (std::size_t i = 0; i < cells.q.size(); i += 2) {
            message[0] += cells.q[i + 1] * cells.weight[i + 1];
            message[1] += (cells.q[i + 1] + cells.q[i + 1] - cells.q[i]) *
                          (cells.weight[i + 1] + cells.weight[i + 1] - cells.weight[i]);
        }
    }
    return message;
}

void StackedReduction::fold(const Fp4& u) {
    for (Cells& cells : cells_) {
        for (std::size_t i = 0; i < cells.q.size() / 2; ++i) {
            cells.q[i] = cells.q[2 * i] + u * (cells.q[2 * i + 1] - cells.q[2 * i]);
            cells.weight[i] = cells.weight[2 * i] + u * (cells.weight[2 * i + 1] - cells.weight[2 * i]);
        }
        cells.q.resize(cells.q.size() / 2);
        cells.weight.resize(cells.weight.size() / 2);
    }
    const std::size_t round = u_.size();
    u_.push_back(u);
    for (Group& group : groups_) {
        if (group.n_lift < round) continue;
        group.eq_columns = fold_pairs(group.eq_columns, u);
        group.eq_kernel = fold_pairs(group.eq_kernel, u);
        if (group.has_rot) {
            group.rot_columns = fold_pairs(group.rot_columns, u);
            group.rot_kernel = fold_pairs(group.rot_kernel, u);
        }
        if (group.n_lift == round) exhaust(group);
    }
}

std::vector<std::vector<Fp4>> StackedReduction::openings() const {
    std::vector<std::vector<Fp4>> out;
    for (std::size_t c = 0; c < cells_.size(); ++c) {
        out.push_back(cells_[c].q);
        out.back().resize(input_.layout.commitments[c].stack.width);
    }
    return out;
}

}  // namespace whorl::cpu
