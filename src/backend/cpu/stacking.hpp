// The stacked opening reduction (PROTOCOL.md section 14; prover/stacked_cells.hpp).
#pragma once

#include <array>
#include <span>
#include <vector>

#include "backend/cpu/buffer.hpp"
#include "prover/input.hpp"
#include "prover/stacked_cells.hpp"

namespace whorl::cpu {

class StackedReduction {
public:
    /// r: the opening point of the batch sumcheck, r_0 … r_n_max.
    StackedReduction(const ProverInput& input, const Fp4& lambda, std::span<const Fp4> r);

    /// The 2(N − 1) + 1 coefficients of s_0.
    std::vector<Fp4> univariate_message();
    void fold_univariate(const Fp4& u0);
    /// s_i(1), s_i(2).
    std::array<Fp4, 2> round_message();
    void fold(const Fp4& u);
    /// [commitment][stacked column], after all rounds.
    std::vector<std::vector<Fp4>> openings() const { return cells_.openings(); }

private:
    // Of one height.
    struct Tables {
        ExtTable eq_columns, rot_columns;  // the two weighted sums
        ExtTable eq_kernel, rot_kernel;    // after the univariate round
    };

    void exhaust(std::size_t g);

    const ProverInput& input_;
    std::vector<Fp4> r_;
    std::vector<Fp4> u_;
    std::vector<StackedGroup> groups_;
    std::vector<Tables> tables_;  // one per group
    StackedCells cells_;
};

}  // namespace whorl::cpu
