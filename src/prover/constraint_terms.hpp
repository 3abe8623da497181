// The batched zerocheck and LogUp sumcheck without the heavy part (PROTOCOL.md sections 13 and 19.3 – 19.4): which sums a
// backend has to take over a trace, and how messages follow from them.
//
// A trace has two summands: zerocheck, Σ λ^i c_i, and LogUp, the pair Σ w·count and Σ w·denominator (without α). A backend
// supplies Σ_x eq(x)·sum(·, x), x running over the hypercube variables that are left: in round 0 at the points of cosets
// g^c·D (g the field's generator; coset 0 is D itself), later at X = 1, 2, … for the first of those variables.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <whorl/field.hpp>

#include "air/program.hpp"
#include "prover/input.hpp"

namespace whorl {

/// The challenges that fix the claim.
struct BatchChallenges {
    Fp4 beta;
    Fp4 lambda;
    std::vector<Fp4> xi;  ///< l_skip + n_global coordinates
};

/// Linear functionals of an AIR's DAG nodes, as far as the key decides them.
struct Summand {
    std::uint32_t num_sums = 0;
    std::vector<ConstraintProgram::Term> terms;           ///< different ones by (sum, node): nodes that read the trace
    std::vector<ConstraintProgram::Term> constant_terms;  ///< likewise: nodes that do not
    unsigned degree = 0;                                  ///< of the sums, in every variable

    bool is_empty() const { return terms.empty() && constant_terms.empty(); }
    /// Where `term` is among `terms`.
    std::size_t find(const ConstraintProgram::Term& term) const;
};
struct AirSummands {
    Summand zerocheck, logup;
    std::vector<bool> reads_trace;  ///< of each node
};
AirSummands air_summands(const AirVerifyingKey& air);

/// A summand's weights in one proof.
struct SummandWeights {
    std::vector<Fp4> coefficients;   ///< one for each term
    std::vector<Fp4> sum_constants;  ///< what the constant terms add to each sum
};

/// The coset g^c·D.
Fp coset_shift(std::size_t coset);

class ConstraintTerms {
public:
    /// `summands` of every sorted trace's AIR must outlive this.
    ConstraintTerms(const ProverInput& input, const BatchChallenges& challenges,
                    std::vector<const AirSummands*> summands);

    const Summand& zerocheck(std::size_t trace) const { return traces_[trace].summands->zerocheck; }
    const Summand& logup(std::size_t trace) const { return traces_[trace].summands->logup; }
    const std::vector<Fp4>& zerocheck_coefficients(std::size_t trace) const {
        return traces_[trace].zerocheck_weights.coefficients;
    }
    const std::vector<Fp4>& logup_coefficients(std::size_t trace) const {
        return traces_[trace].logup_weights.coefficients;
    }
    /// Values of all nodes that read no trace.
    const std::vector<Fp>& node_values(std::size_t trace) const { return traces_[trace].node_values; }

    /// Cosets 1 … this many: on D itself the constraints vanish.
    std::size_t num_zerocheck_cosets(std::size_t trace) const;
    /// Cosets 0 … this many − 1.
    std::size_t num_logup_cosets(std::size_t trace) const;
    /// values[coset][sum][z], each Σ_x eq(x)·sum(shift·w^z, x) over the terms (constant terms are added here).
    using CosetValues = std::vector<std::vector<std::vector<Fp4>>>;
    void set_zerocheck_values(std::size_t trace, CosetValues values);
    void set_logup_values(std::size_t trace, CosetValues values);

    /// Per sorted trace: the sums over D of the two LogUp summands, without powers of μ.
    struct SumTerms {
        std::vector<Fp4> numerators, denominators;
    };
    SumTerms sum_terms() const;
    /// The (d + 1)(N − 1) + 1 coefficients of s_0.
    std::vector<Fp4> univariate_message(const Fp4& mu);
    void fold_univariate(const Fp4& r0);

    /// Rounds folded, the univariate one included.
    unsigned round() const { return round_; }
    /// Whether the next message needs sums over this trace: a variable is left.
    bool is_active(std::size_t trace) const { return round_ <= traces_[trace].n_lift; }
    /// The points X = 1 … this many determine a trace's sums, given its claim.
    unsigned num_points(std::size_t trace) const;
    /// A trace's sums at X: [X − 1][sum], for the num_points() of an active trace.
    struct RoundSums {
        std::vector<std::vector<Fp4>> zerocheck, logup;
    };
    /// s_j(1), …, s_j(d + 1) from the sums of every trace (those of others than active ones are not looked at).
    std::vector<Fp4> round_message(std::span<const RoundSums> sums);
    void fold(const Fp4& r);

private:
    struct Trace {
        const AirSummands* summands = nullptr;
        unsigned n_lift = 0;
        Fp numerator_scale;  // one over the repetitions of a short trace
        std::vector<Fp> node_values;
        SummandWeights zerocheck_weights, logup_weights;

        // Round 0, coefficients in Z of zerocheck, numerator and denominator; without and with the eq kernel.
        std::array<std::vector<Fp4>, 3> sum_polys, message_polys;
        // Later rounds: the three sums in one, Σ factor·sum.
        std::array<Fp4, 3> factors;
        Fp4 claim;               // Σ_x eq(x)·sum over the variables left
        std::vector<Fp4> evals;  // of this round's polynomial at 0, 1, …
        Fp4 exhausted;           // the summand once no variable is left, times later challenges
    };

    /// The coordinate of Z for zerocheck. Without a skip variable (l_skip 0) there is none and the kernel is 1 at any value; ξ
    /// may then be empty.
    Fp4 skip_xi() const { return input_.params().l_skip == 0 ? Fp4() : challenges_.xi[0]; }
    void bind_logup(std::size_t trace, std::size_t first_block);
    void close_if_exhausted(Trace& trace);

    const ProverInput& input_;
    BatchChallenges challenges_;
    std::vector<Trace> traces_;
    Fp4 mu_;
    Fp4 prefix_;  // ∏ eq1(ξ, r) over past rounds but the univariate one
    unsigned round_ = 0;
};

}  // namespace whorl
