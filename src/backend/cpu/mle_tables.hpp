// A trace after the skip variable is bound: one multilinear table for each opened column, and the constraint programs run over them.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "backend/cpu/buffer.hpp"
#include "backend/cpu/interpreter.hpp"
#include "prover/input.hpp"

namespace whorl::cpu {

/// Tables in the order of the openings (per part in proof order: T_0, T_0 rotated, T_1, …; without the rotated ones where
/// the AIR needs none), then is_first, is_last, is_transition.
class MleTables {
public:
    MleTables() = default;
    /// Binds Z at the point whose Lagrange basis values over D are `basis`.
    MleTables(const ProverInput& input, std::uint32_t trace, std::span<const Fp4> basis);

    /// [X − 1][sum]: Σ_x eq[x]·sum(X, x) at X = 1, …, num_points, X being bit 0 of the row.
    std::vector<std::vector<Fp4>> round_sums(const ProgramArgs& args, unsigned num_points, const ExtTable& eq) const;
    void fold(const Fp4& r);
    /// All column tables at row 0.
    std::vector<Fp4> values() const;

private:
    const std::uint32_t* table_of(const ConstraintProgram::Input& input) const;
    const std::uint32_t* table(std::size_t i) const { return words_.data() + i * 4 * stride_; }

    WordBuffer words_;
    std::size_t stride_ = 0;
    std::size_t rows_ = 0;
    std::size_t num_columns_ = 0;
    std::size_t rows_per_column_ = 1;       // tables for each column: 2 with rotations
    std::vector<std::size_t> main_offset_;  // first column of main part i, DAG order
    std::size_t preprocessed_offset_ = 0;
};

}  // namespace whorl::cpu
