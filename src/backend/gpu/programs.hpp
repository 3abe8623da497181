// Constraint programs for GPUs: an AIR's sums cut into many chunks, each small enough for one thread's registers, so that
// there are many more threads than points. Nodes that several chunks need are computed in each.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include <whorl/key.hpp>

#include "air/program.hpp"
#include "backend/gpu/device.hpp"
#include "backend/gpu/traces.hpp"
#include "kernels/program_params.h"
#include "prover/constraint_terms.hpp"

namespace whorl::gpu {

/// {operation, destination, a, b} as in kernels/program_params.h.
using ProgramInstruction = std::array<std::uint32_t, 4>;

/// Chunks over one list of inputs and one of constants.
struct ChunkedProgram {
    std::vector<ConstraintProgram::Input> inputs;
    std::vector<ConstraintProgram::Constant> constants;  ///< from constant 1 on; constant 0 is zero
    std::vector<ProgramInstruction> code;                ///< with kProgramPadding more at the end
    std::vector<ProgramChunk> chunks;
    std::uint32_t num_spilled = 0;  ///< most registers that a chunk has in memory

    std::uint32_t num_chunks() const { return static_cast<std::uint32_t>(chunks.size()); }
};

/// A summand in many more, shorter chunks, for rounds with few points: terms that are themselves sums are taken apart.
struct SplitProgram {
    ChunkedProgram program;
    std::uint32_t num_sums = 0;
    std::uint32_t num_coefficients = 0;
    /// coefficient += factor · coefficient of the summand's `term`.
    struct Share {
        std::uint32_t coefficient = 0;
        std::uint32_t term = 0;
        Fp factor;
    };
    std::vector<Share> shares;
    /// sum += factor · coefficient of `term` · value of `node`, which reads no trace.
    struct ConstantShare {
        std::uint32_t sum = 0;
        std::uint32_t term = 0;
        std::uint32_t node = 0;
        Fp factor;
    };
    std::vector<ConstantShare> constant_shares;

    std::vector<Fp4> coefficients(std::span<const Fp4> of_terms) const;
    /// What the program's sums lack.
    std::vector<Fp4> sum_constants(std::span<const Fp4> of_terms, std::span<const Fp> node_values) const;
};

/// One chunk for each interaction: its sum is the message's part of the denominator, what it stores the count.
struct LeafPrograms {
    ChunkedProgram program;
    std::vector<std::uint32_t> term_nodes;  ///< the node of each coefficient; ascending in every chunk
    std::vector<bool> has_count;            ///< by interaction: the count reads the trace, so it is stored
};

/// All that proving takes of an AIR's constraints.
struct AirPrograms {
    explicit AirPrograms(const AirVerifyingKey& air);

    AirSummands summands;
    /// Chunks by sum; coefficient i is that of the summand's term i.
    ChunkedProgram zerocheck, logup;
    SplitProgram split_zerocheck, split_logup;
    LeafPrograms leaves;
};

/// The programs of a key, made when they are first asked for. The key must outlive it.
class ProgramCache {
public:
    explicit ProgramCache(const VerifyingKey& vk) : vk_(vk), programs_(vk.airs.size()) {}
    const AirPrograms& air(std::uint32_t air_id);

private:
    const VerifyingKey& vk_;
    std::vector<std::unique_ptr<AirPrograms>> programs_;
};

/// The columns behind a program's inputs.
std::vector<InputColumn> input_columns(const ChunkedProgram& program, const DeviceTraces& traces, std::uint32_t trace);
/// The values of a program's constants.
std::vector<Fp> constant_values(const ChunkedProgram& program, std::span<const Fp> node_values);

}  // namespace whorl::gpu
