#include "prover/stacked_cells.hpp"

#include <map>

#include "transforms/univariate_skip.hpp"

namespace whorl {

std::vector<StackedGroup> stacked_groups(const ProverInput& input, const Fp4& lambda) {
    const unsigned l = input.params().l_skip;
    std::map<unsigned, StackedGroup, std::greater<>> groups;
    const Fp4 lambda_squared = lambda.square();
    Fp4 weight = Fp4::one();
    for (std::uint32_t c = 0; c < input.layout.commitments.size(); ++c) {
        const CommitmentLayout& commitment = input.layout.commitments[c];
        for (const StackedSlice& slice : commitment.stack.slices) {
            const PartRef& part = commitment.parts[slice.matrix];
            StackedGroup& group = groups[slice.log_height];
            const bool need_rot = input.air(part.trace).need_rot;
            group.columns.push_back({part, slice.column, c, need_rot, weight});
            group.has_rot |= need_rot;
            weight *= lambda_squared;
        }
    }
    std::vector<StackedGroup> out;
    for (auto& [log_height, group] : groups) {
        group.log_height = log_height;
        group.n_lift = log_height > l ? log_height - l : 0;
        out.push_back(std::move(group));
    }
    return out;
}

StackedKernels::StackedKernels(unsigned l_skip, unsigned log_height, std::span<const Fp4> r)
    : l_skip_(l_skip),
      n_(static_cast<int>(log_height) - static_cast<int>(l_skip)),
      point_(opening_point(l_skip, log_height, r)),
      shifted_(point_.r[0] * two_adic_generator(point_.log_domain)) {}

StackedKernels::Factors StackedKernels::bind(const Fp4& u0) const {
    const Fp4 indicator = in_uni(l_skip_, n_, u0);
    return {indicator * eq_uni(point_.log_domain, u0, point_.r[0]), indicator * eq_uni(point_.log_domain, u0, shifted_),
            eq_uni_at_one(l_skip_, u0) * eq_uni_at_one(l_skip_, shifted_)};
}

StackedKernels::Polynomials StackedKernels::polynomials() const {
    Polynomials out{eq_uni_coefficients(point_.log_domain, point_.r[0]),
                    eq_uni_coefficients(point_.log_domain, shifted_), eq_uni_coefficients(l_skip_, Fp4::one())};
    for (Fp4& x : out.difference) x *= eq_uni_at_one(l_skip_, shifted_);
    if (n_ < 0) {
        const std::vector<Fp4> indicator = in_uni_coefficients(l_skip_, n_);
        for (std::vector<Fp4>* kernel : {&out.eq, &out.rot}) {
            *kernel = multiply_polynomials(*kernel, indicator);
            kernel->resize(std::size_t{1} << l_skip_);
        }
    }
    return out;
}

StackedKernels::Values StackedKernels::at(std::span<const Fp4> u) const {
    const std::span<const Fp4> bound = u.first(point_.r.size());
    const Fp4 indicator = in_uni(l_skip_, n_, u[0]);
    return {indicator * eq_prism(point_.log_domain, bound, point_.r),
            indicator * rot_kernel_prism(point_.log_domain, bound, point_.r)};
}

std::vector<Fp4> stacked_univariate_message(unsigned l_skip, std::span<const Fp4> r,
                                            std::span<const StackedGroup> groups,
                                            std::span<const StackedBlockSums> sums) {
    const std::size_t n = std::size_t{1} << l_skip;
    std::vector<Fp4> message(2 * (n - 1) + 1);
    const std::vector<Fp> shift{Fp::one()};
    const auto add_product = [&](const std::vector<Fp4>& block_sums, const std::vector<Fp4>& kernel) {
        const std::vector<Fp4> table = coefficients_from_cosets(l_skip, shift, std::span(&block_sums, 1));
        add_scaled(message, multiply_polynomials(table, kernel), Fp4::one());
    };
    for (std::size_t g = 0; g < groups.size(); ++g) {
        const auto kernels = StackedKernels(l_skip, groups[g].log_height, r).polynomials();
        add_product(sums[g].eq, kernels.eq);
        if (groups[g].has_rot) add_product(sums[g].rot, kernels.rot);
        if (groups[g].has_rot_across_blocks()) add_product(sums[g].difference, kernels.difference);
    }
    return message;
}

std::vector<Fp4> block_row_weights(unsigned l_skip, unsigned log_height, const Fp4& u0) {
    std::vector<Fp4> basis = lagrange_basis_at(l_skip, u0);
    if (log_height >= l_skip) return basis;
    std::vector<Fp4> out;
    for (std::size_t z = 0; z < basis.size(); z += std::size_t{1} << (l_skip - log_height)) out.push_back(basis[z]);
    return out;
}

StackedCells::StackedCells(const ProverInput& input, const Fp4& lambda, std::span<const Fp4> r)
    : input_(input), lambda_(lambda), r_(r.begin(), r.end()), cells_(input.layout.commitments.size()) {}

void StackedCells::add(const StackedGroup& group, std::span<const Fp4> values, std::span<const Fp4> u) {
    const auto kernels = StackedKernels(input_.params().l_skip, group.log_height, r_).at(u);
    const Fp4 with_rot = kernels.eq + kernels.rot * lambda_;
    for (std::uint32_t c = 0; c < cells_.size(); ++c) {
        Cells added;
        for (std::size_t i = 0; i < group.columns.size(); ++i) {
            const StackedColumn& column = group.columns[i];
            if (column.commitment != c) continue;
            added.q.push_back(values[i]);
            added.weight.push_back(column.weight * (column.need_rot ? with_rot : kernels.eq));
        }
        if (added.q.empty()) continue;
        // Taller columns are stacked before shorter ones, so a group's cells end where those present begin.
        added.q.insert(added.q.end(), cells_[c].q.begin(), cells_[c].q.end());
        added.weight.insert(added.weight.end(), cells_[c].weight.begin(), cells_[c].weight.end());
        cells_[c] = std::move(added);
    }
}

std::array<Fp4, 2> StackedCells::round_message() {
    std::array<Fp4, 2> message{};
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

void StackedCells::fold(const Fp4& u) {
    for (Cells& cells : cells_) {
        for (std::vector<Fp4>* values : {&cells.q, &cells.weight}) {
            for (std::size_t i = 0; i < values->size() / 2; ++i) {
                (*values)[i] = (*values)[2 * i] + u * ((*values)[2 * i + 1] - (*values)[2 * i]);
            }
            values->resize(values->size() / 2);
        }
    }
}

std::vector<std::vector<Fp4>> StackedCells::openings() const {
    std::vector<std::vector<Fp4>> out;
    for (std::size_t c = 0; c < cells_.size(); ++c) {
        out.push_back(cells_[c].q);
        out.back().resize(input_.layout.commitments[c].stack.width);
    }
    return out;
}

}  // namespace whorl
