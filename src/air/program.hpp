// An AIR's constraint DAG as straight-line code over registers: what a backend runs on every row.
//
// A program computes linear functionals of DAG nodes: sum f is Σ coefficient · node over its accumulate instructions. The
// coefficients (powers of λ, β, block weights) come at run time; which node gets which is listed in `terms`.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <whorl/key.hpp>

namespace whorl {

struct ConstraintProgram {
    enum class Op : std::uint8_t {
        kAdd,            // dst = a + b
        kSub,            // dst = a − b
        kMul,            // dst = a · b
        kNeg,            // dst = −a
        kAddConstant,    // dst = a + constant[b]
        kConstantMinus,  // dst = constant[b] − a
        kMulConstant,    // dst = a · constant[b]
        kAccumulate,     // sum[dst] += coefficient[b] · a
        kStore,          // output[dst] = a
    };
    /// Operands a and b are inputs below num_inputs, registers from there on; dst of arithmetic is a register.
    struct Instruction {
        Op op;
        std::uint32_t dst = 0, a = 0, b = 0;
    };
    struct Input {
        enum class Kind : std::uint8_t { kVariable, kIsFirstRow, kIsLastRow, kIsTransition };
        Kind kind = Kind::kVariable;
        Variable variable;  ///< kVariable: preprocessed or main
    };
    /// A constant: the value of a DAG node that reads no trace.
    struct Constant {
        std::uint32_t node = 0;
        bool is_negated = false;
    };
    /// coefficient[i] multiplies node terms[i].node in sum terms[i].sum.
    struct Term {
        std::uint32_t sum = 0;
        std::uint32_t node = 0;
    };

    std::vector<Input> inputs;
    std::vector<Constant> constants;
    std::vector<Instruction> code;
    std::vector<Term> terms;           ///< terms of nodes that read the trace, in the order of coefficients
    std::vector<Term> constant_terms;  ///< terms of nodes that do not
    std::uint32_t num_registers = 0;
    std::uint32_t num_sums = 0;
    std::uint32_t num_outputs = 0;

    std::uint32_t num_inputs() const { return static_cast<std::uint32_t>(inputs.size()); }
};

/// What to compute from a DAG: terms (node, sum), in any order and with repeats allowed, and nodes to store.
struct ProgramRequest {
    std::vector<ConstraintProgram::Term> terms;
    /// Output i is node stores[i]; a node without trace reads is not stored and comes back in `constant_outputs`.
    std::vector<std::uint32_t> stores;
    std::uint32_t num_sums = 0;
};

/// Compiles programs of one AIR, each in time that its own nodes take. The AIR must outlive it.
class ProgramCompiler {
public:
    explicit ProgramCompiler(const AirVerifyingKey& air);
    ConstraintProgram compile(const ProgramRequest& request);
    /// Whether each node reads the trace.
    const std::vector<bool>& reads_trace() const { return reads_trace_; }

private:
    const AirVerifyingKey& air_;
    std::vector<bool> reads_trace_;
    std::vector<std::uint32_t> place_, last_use_;  // scratch
};
ConstraintProgram compile_program(const AirVerifyingKey& air, const ProgramRequest& request);

/// Whether each node reads a trace column or a selector.
std::vector<bool> nodes_reading_trace(const AirVerifyingKey& air);
/// Values of all DAG nodes that read no trace (others 0), given the public values.
std::vector<Fp> constant_node_values(const AirVerifyingKey& air, const std::vector<bool>& reads_trace,
                                     std::span<const Fp> public_values);

/// True degree bound of a node in the trace columns and selectors (not the `degree` of the key, which may be larger).
std::vector<std::uint32_t> node_degrees(const AirVerifyingKey& air);

}  // namespace whorl
