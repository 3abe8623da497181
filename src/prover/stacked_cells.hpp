// The stacked opening reduction (PROTOCOL.md section 14) as far as it is the same on every device.
//
// The kernels of a column depend on its trace's height alone, so the columns of one height enter as two vectors,
// Σ_j λ^2j t_j and Σ_j λ^(2j+1) t_j. Once the variables of a height are bound, each of its columns is a single cell of the stacked
// matrix, and the remaining rounds are a sumcheck over those cells.
#pragma once

#include <array>
#include <span>
#include <vector>

#include "poly/prismalinear.hpp"
#include "prover/input.hpp"

namespace whorl {

struct StackedColumn {
    PartRef part;
    std::uint32_t column = 0;
    std::uint32_t commitment = 0;
    bool need_rot = false;
    Fp4 weight;  ///< λ^2j
};

/// The columns of one trace height.
struct StackedGroup {
    unsigned log_height = 0;
    unsigned n_lift = 0;
    bool has_rot = false;                ///< some column needs its rotation
    std::vector<StackedColumn> columns;  ///< in protocol order

    /// Whether the rotated columns leave their block of N rows.
    bool has_rot_across_blocks() const { return has_rot && n_lift != 0; }
};

/// All columns by height, tallest first.
std::vector<StackedGroup> stacked_groups(const ProverInput& input, const Fp4& lambda);

/// The kernels of a height: eq, and κ_rot for the rotated columns, against the opening point. On the cube both are combinations of
/// eq[x] = eq(cube(), x) and of eq[x − 1] − eq[x], cyclically.
class StackedKernels {
public:
    StackedKernels(unsigned l_skip, unsigned log_height, std::span<const Fp4> r);

    /// r_1 … r_n_lift.
    std::span<const Fp4> cube() const { return std::span<const Fp4>(point_.r).subspan(1); }
    /// With Z bound to u0: the kernels are at.eq·eq[x], and at.rot·eq[x] + at.difference·(eq[x − 1] − eq[x]).
    struct Factors {
        Fp4 eq, rot, difference;
    };
    Factors bind(const Fp4& u0) const;
    /// The same as polynomials in Z.
    struct Polynomials {
        std::vector<Fp4> eq, rot, difference;
    };
    Polynomials polynomials() const;
    /// Both kernels at (u_0; u_1 … u_n_lift), the first coordinates of `u`.
    struct Values {
        Fp4 eq, rot;
    };
    Values at(std::span<const Fp4> u) const;

private:
    unsigned l_skip_;
    int n_;  // log_height − l_skip
    OpeningPoint point_;
    Fp4 shifted_;  // point_.r[0]·w
};

/// For one height, Σ_x weights[x]·table[x·N + z] for z < N: of the eq vector with eq[x], of the rotated vector with eq[x] (if
/// has_rot) and with eq[x − 1] − eq[x] (if has_rot_across_blocks).
struct StackedBlockSums {
    std::vector<Fp4> eq, rot, difference;
};
/// The 2(N − 1) + 1 coefficients of s_0.
std::vector<Fp4> stacked_univariate_message(unsigned l_skip, std::span<const Fp4> r,
                                            std::span<const StackedGroup> groups,
                                            std::span<const StackedBlockSums> sums);

/// The Lagrange basis of D at u0, at the points where a column of this height has rows.
std::vector<Fp4> block_row_weights(unsigned l_skip, unsigned log_height, const Fp4& u0);

/// The stacked cells of columns whose variables are all bound. They are the last cells of their commitment, because
/// taller columns are stacked first.
class StackedCells {
public:
    StackedCells(const ProverInput& input, const Fp4& lambda, std::span<const Fp4> r);

    /// Adds the columns of `group`, shorter groups first; values[i] is column i at `u`.
    void add(const StackedGroup& group, std::span<const Fp4> values, std::span<const Fp4> u);
    /// The cells' part of s_i(1), s_i(2).
    std::array<Fp4, 2> round_message();
    void fold(const Fp4& u);
    /// [commitment][stacked column], after all rounds.
    std::vector<std::vector<Fp4>> openings() const;

private:
    struct Cells {
        std::vector<Fp4> q, weight;  // the weight of each in the claim
    };

    const ProverInput& input_;
    Fp4 lambda_;
    std::vector<Fp4> r_;
    std::vector<Cells> cells_;  // one per commitment
};

}  // namespace whorl
