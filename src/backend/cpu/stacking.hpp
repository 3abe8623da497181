// The stacked opening reduction (PROTOCOL.md section 14).
//
// The kernels of a column depend on its trace's height alone, so the columns of one height enter as two vectors,
// Σ_j λ^2j t_j and Σ_j λ^(2j+1) t_j. Once the variables of a height are bound, each of its columns is a single cell of the stacked
// matrix, and the remaining rounds are a sumcheck over those cells.
#pragma once

#include <array>
#include <span>
#include <vector>

#include "backend/cpu/buffer.hpp"
#include "prover/input.hpp"

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
    std::vector<std::vector<Fp4>> openings() const;

private:
    struct Column {
        const std::uint32_t* words;
        std::uint32_t commitment;
        bool need_rot;
        Fp4 weight;  // λ^2j
    };
    // Columns of one trace height.
    struct Group {
        unsigned log_height = 0;
        unsigned n_lift = 0;
        std::vector<Column> columns;
        bool has_rot = false;
        ExtTable eq_columns, rot_columns;  // the two weighted sums
        ExtTable eq_kernel, rot_kernel;    // after the univariate round
    };
    // The stacked cells, in order, of columns whose variables are all bound: q, and the weight of each in the claim. They
    // are the last cells of their commitment, because taller columns are stacked first.
    struct Cells {
        std::vector<Fp4> q, weight;
    };

    void exhaust(Group& group);

    const ProverInput& input_;
    Fp4 lambda_;
    std::vector<Fp4> r_;
    std::vector<Fp4> u_;
    std::vector<Group> groups_;
    std::vector<Cells> cells_;  // one per commitment
};

}  // namespace whorl::cpu
