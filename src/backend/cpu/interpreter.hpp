// Runs constraint programs (air/program.hpp) on blocks of rows: over the base field for rows and for points of the skip
// domain, over the extension for the later sumcheck rounds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <whorl/field.hpp>

#include "air/program.hpp"

namespace whorl::cpu {

/// Rows in a block of base-field values; a slot is kBaseBlock words.
inline constexpr std::size_t kBaseBlock = 64;
/// Rows in a block of extension values; a slot is four planes of kExtBlock words.
inline constexpr std::size_t kExtBlock = 16;
inline constexpr std::size_t kExtSlot = 4 * kExtBlock;

/// What a program needs besides its inputs.
struct ProgramArgs {
    const ConstraintProgram* program = nullptr;
    std::span<const Fp> constants;       ///< one per program constant, sign applied
    std::span<const Fp4> coefficients;   ///< one per program term
    std::span<const Fp4> sum_constants;  ///< initial value of each sum
};

/// Inputs: slot i at inputs + i · kBaseBlock. registers: num_registers slots. sums: [num_sums][4][kBaseBlock].
/// outputs[i]: where output i of this block goes (kBaseBlock words); may be empty when the program stores nothing.
void run_base(const ProgramArgs& args, const std::uint32_t* inputs, std::uint32_t* registers, std::uint32_t* sums,
              std::span<std::uint32_t* const> outputs);

/// The same over the extension: slots of kExtSlot words; sums: [num_sums][4][kExtBlock]. The program stores nothing.
void run_ext(const ProgramArgs& args, const std::uint32_t* inputs, std::uint32_t* registers, std::uint32_t* sums);

/// Σ_x weights[x]·sums[f][x] added to totals[f]; weights are planes `stride` apart, `block` long.
void add_weighted_sums(const std::uint32_t* sums, std::size_t num_sums, std::size_t block, const std::uint32_t* weights,
                       std::size_t stride, Fp4* totals);

/// Program constants and initial sums from the AIR's constant nodes and coefficients[sum][node].
std::vector<Fp> program_constants(const ConstraintProgram& program, std::span<const Fp> node_values);

}  // namespace whorl::cpu
