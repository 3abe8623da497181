// The WHIR opening of all stacked columns at one point (PROTOCOL.md section 15).
//
// Everything stays in coefficients. With f the coefficients of the polynomial and w the dual weights, w[j] = Σ over b ⊇ j of
// weight(b), the claim is Σ_j f[j]·w[j]: the weight möb(u, ·) becomes eq(u, ·), and a query at z adds γ·z^j.
#pragma once

#include <array>
#include <span>
#include <vector>

#include <whorl/proof.hpp>

#include "backend/cpu/buffer.hpp"
#include "backend/cpu/commitment.hpp"
#include "prover/input.hpp"

namespace whorl::cpu {

class WhirProver {
public:
    /// u: the point u_0 … u_n_stack.
    WhirProver(const ProverInput& input, std::span<const StackedCommitment* const> commitments, std::span<const Fp4> u,
               const Fp4& mu);

    /// s(1), s(2).
    std::array<Fp4, 2> round_message();
    void fold(const Fp4& alpha);

    /// After k folds, unless it was the last round: commits to the folded polynomial.
    Digest commit_codeword();
    /// The folded polynomial, as a univariate one, at z0.
    Fp4 ood_value(const Fp4& z0);
    /// Adds the out-of-domain point (unless it was the last round) and the queries to the claim, and moves on to the next
    /// round. Query q is the leaf indices[q] of the round's code.
    void bind_queries(std::span<const std::uint32_t> indices, const Fp4& gamma);
    /// The folded polynomial's coefficients.
    std::vector<Fp4> final_poly() const;

    /// Openings of the code that the current round queries.
    void open_initial(std::span<const std::uint32_t> indices, WhirProof& proof) const;
    void open_codeword(std::span<const std::uint32_t> indices, WhirProof& proof) const;

private:
    const ProverInput& input_;
    std::span<const StackedCommitment* const> commitments_;
    unsigned round_ = 0;
    ExtTable f_, w_;
    std::vector<CodeMatrix> codewords_;  // of rounds 1, 2, …
    std::vector<Fp4> ood_points_;
};

}  // namespace whorl::cpu
