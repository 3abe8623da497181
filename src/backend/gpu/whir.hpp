// The WHIR opening of all stacked columns at one point (PROTOCOL.md section 15).
//
// Everything stays in coefficients. With f the coefficients of the polynomial and w the dual weights, w[j] = Σ over b ⊇ j of
// weight(b), the claim is Σ_j f[j]·w[j]: the weight möb(u, ·) becomes eq(u, ·), and a query at z adds γ·z^j. A round is one
// submission, in which f and w are folded with the last challenge and summed in the same pass.
#pragma once

#include <array>
#include <optional>
#include <span>
#include <vector>

#include <whorl/proof.hpp>

#include "backend/gpu/commitment.hpp"
#include "backend/gpu/device.hpp"
#include "backend/gpu/eq_heaps.hpp"
#include "backend/gpu/ntt.hpp"
#include "backend/gpu/traces.hpp"
#include "prover/input.hpp"

namespace whorl::gpu {

class WhirProver {
public:
    /// u: the point u_0 … u_n_stack. `roots`: forward, for params.log_codeword_height(). What is passed by reference stays.
    WhirProver(Device& device, const NttRoots& roots, const DeviceTraces& traces, const ProverInput& input,
               const StackedCommitments& commitments, std::span<const Fp4> u, const Fp4& mu);

    /// s(1), s(2).
    std::array<Fp4, 2> round_message();
    void fold(const Fp4& alpha) { alpha_ = alpha; }

    /// After k folds, unless it was the last round: commits to the folded polynomial.
    Digest commit_codeword();
    /// The folded polynomial, as a univariate one, at z0.
    Fp4 ood_value(const Fp4& z0);
    /// Adds the out-of-domain point (unless it was the last round) and the queries to the claim, and moves on to the next
    /// round. Query q is the leaf indices[q] of the round's code.
    void bind_queries(std::span<const std::uint32_t> indices, const Fp4& gamma);
    /// The folded polynomial's coefficients.
    std::vector<Fp4> final_poly();

    /// Openings of the code that the current round queries.
    void open_initial(std::span<const std::uint32_t> indices, WhirProof& proof) const;
    void open_codeword(std::span<const std::uint32_t> indices, WhirProof& proof) const;

private:
    // Powers of the out-of-domain point (kernels/whir_params.h).
    struct PointPowers {
        Buffer low, high;
    };

    void combine_stacked_columns(const DeviceTraces& traces, const Fp4& mu);
    void record_fold();
    void submit_and_wait(std::int64_t num_kernels);
    void release_scratch();
    std::uint32_t num_low() const { return (log_size_ + 1) / 2; }

    Device& device_;
    const ProverInput& input_;
    const NttRoots& roots_;
    const StackedCommitments& commitments_;
    unsigned round_ = 0;
    unsigned log_size_;         // of f_ and w_
    std::optional<Fp4> alpha_;  // a challenge that f_ and w_ are yet to be folded with
    Buffer f_, w_;
    PointPowers point_powers_;
    std::vector<ExtCodeword> codewords_;  // of rounds 1, 2, …

    std::int64_t num_recorded_ = 0;  // kernels not yet submitted
    std::vector<Buffer> scratch_;    // what they use and nothing later does
    std::optional<EqHeaps> heaps_;
};

}  // namespace whorl::gpu
