// The batched zerocheck and LogUp sumcheck (PROTOCOL.md sections 13 and 19.3 – 19.4).
#pragma once

#include <memory>
#include <vector>

#include <whorl/field.hpp>

#include "prover/constraint_terms.hpp"
#include "prover/input.hpp"

namespace whorl::cpu {

class ConstraintBatch {
public:
    ConstraintBatch(const ProverInput& input, const BatchChallenges& challenges);
    ~ConstraintBatch();

    /// Evaluates every trace on the cosets of round 0.
    void evaluate_round0();
    ConstraintTerms::SumTerms sum_terms() const { return terms_.sum_terms(); }
    /// The (d + 1)(N − 1) + 1 coefficients of s_0.
    std::vector<Fp4> univariate_message(const Fp4& mu) { return terms_.univariate_message(mu); }
    void fold_univariate(const Fp4& r0);
    /// s_j(1), …, s_j(d + 1) of the next round.
    std::vector<Fp4> round_message();
    void fold(const Fp4& r);
    /// [trace][part][…] as BatchConstraintProof::column_openings.
    std::vector<std::vector<std::vector<Fp4>>> openings() const;

private:
    struct Trace;

    const ProverInput& input_;
    BatchChallenges challenges_;
    std::vector<AirSummands> summands_;
    ConstraintTerms terms_;
    std::vector<std::unique_ptr<Trace>> traces_;
};

}  // namespace whorl::cpu
