// The CPU as a Backend (prover/backend.hpp): values are numbers, operations compute at once on the calling TBB arena.
#pragma once

#include <vector>

#include <whorl/transcript.hpp>

#include "backend/cpu/commitment.hpp"
#include "backend/cpu/constraints.hpp"
#include "backend/cpu/gkr.hpp"
#include "backend/cpu/stacking.hpp"
#include "backend/cpu/whir.hpp"
#include "prover/input.hpp"

namespace whorl::cpu {

/// The smallest witness for `num_bits` bits; `transcript` is left as it was.
Fp find_pow_witness(const Transcript& transcript, unsigned num_bits);

class CpuTranscript {
public:
    explicit CpuTranscript(const Transcript& host) : host_(host) {}

    const Transcript& host() const { return host_; }
    void observe(Fp value) { host_.observe(value); }
    void observe_ext(const Fp4& value) { host_.observe_ext(value); }
    void observe_hash(const Digest& hash) { host_.observe(hash); }
    Fp4 sample_ext() { return host_.sample_ext(); }
    std::vector<std::uint32_t> sample_indices(unsigned num_bits, std::uint32_t count);
    Fp grind(unsigned num_bits);

private:
    Transcript host_;
};

class CpuBackend {
public:
    using Base = Fp;
    using Ext = Fp4;
    using Hash = Digest;
    using Indices = std::vector<std::uint32_t>;
    using Transcript = CpuTranscript;
    using FractionTree = cpu::FractionTree;
    using ConstraintBatch = cpu::ConstraintBatch;
    using StackedReduction = cpu::StackedReduction;
    using Whir = WhirProver;
    struct Commitments {
        std::vector<StackedCommitment> made;            // in this proof
        std::vector<const StackedCommitment*> stacked;  // all
        Digest root(std::size_t i) const { return stacked[i]->root(); }
    };

    CpuTranscript transcript(const whorl::Transcript& from) const { return CpuTranscript(from); }
    Commitments commit(const ProverInput& input) const;
    void require_preprocessed(std::uint32_t air_id, const Digest& found, const Digest& expected) const {
        require_preprocessed_commitment(air_id, found, expected);
    }
    FractionTree fraction_tree(const ProverInput& input, const Fp4& alpha, const Fp4& beta) const {
        return FractionTree(input, alpha, beta);
    }
    ConstraintBatch constraint_batch(const ProverInput& input, const Fp4& beta, const Fp4& lambda,
                                     const std::vector<Fp4>& xi) const {
        return ConstraintBatch(input, {beta, lambda, xi});
    }
    StackedReduction stacked_reduction(const ProverInput& input, const Fp4& lambda, const std::vector<Fp4>& r) const {
        return StackedReduction(input, lambda, r);
    }
    WhirProver whir(const ProverInput& input, const Commitments& commitments, const std::vector<Fp4>& u,
                    const Fp4& mu) const {
        return WhirProver(input, commitments.stacked, u, mu);
    }

    template <class T>
    void send(const T& value, T* destination) const {
        *destination = value;
    }
    void finish() const {}
};

}  // namespace whorl::cpu
