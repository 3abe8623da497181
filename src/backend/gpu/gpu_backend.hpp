// A GPU as a Backend (prover/backend.hpp): operations are recorded kernels; messages come back to the host, whose sponge
// makes the challenges.
#pragma once

#include <cstdint>
#include <vector>

#include "backend/gpu/commitment.hpp"
#include "backend/gpu/constraints.hpp"
#include "backend/gpu/device.hpp"
#include "backend/gpu/generated.hpp"
#include "backend/gpu/gkr.hpp"
#include "backend/gpu/ntt.hpp"
#include "backend/gpu/programs.hpp"
#include "backend/gpu/resident.hpp"
#include "backend/gpu/stacking.hpp"
#include "backend/gpu/traces.hpp"
#include "backend/gpu/transcript.hpp"
#include "backend/gpu/whir.hpp"
#include "prover/input.hpp"

namespace whorl::gpu {

/// For one proof. Everything passed by reference or pointer must outlive it.
class GpuBackend {
public:
    using Base = Fp;
    using Ext = Fp4;
    using Hash = Digest;
    using Indices = std::vector<std::uint32_t>;
    using Transcript = GpuTranscript;
    using FractionTree = gpu::FractionTree;
    using ConstraintBatch = gpu::ConstraintBatch;
    using StackedReduction = gpu::StackedReduction;
    using Whir = WhirProver;
    using Commitments = StackedCommitments;

    /// Brings the traces to the device, but for residents. Without `generated` all constraint programs are interpreted.
    GpuBackend(Device& device, const Residents& residents, ProgramCache& programs, const GeneratedPrograms* generated,
               const ProverInput& input);

    GpuTranscript transcript(const whorl::Transcript& from) { return GpuTranscript(device_, from); }
    StackedCommitments commit(const ProverInput& input) {
        return StackedCommitments(device_, roots_, traces_, residents_, input);
    }
    void require_preprocessed(std::uint32_t air_id, const Digest& found, const Digest& expected) const {
        // Roots reach the host with the commitments; those of a dry run are no values.
        if (!device_.is_planning()) require_preprocessed_commitment(air_id, found, expected);
    }
    FractionTree fraction_tree(const ProverInput& input, const Fp4& alpha, const Fp4& beta);
    ConstraintBatch constraint_batch(const ProverInput& input, const Fp4& beta, const Fp4& lambda,
                                     const std::vector<Fp4>& xi) {
        return ConstraintBatch(device_, traces_, programs_, input, {beta, lambda, xi}, {}, generated_);
    }
    StackedReduction stacked_reduction(const ProverInput& input, const Fp4& lambda, const std::vector<Fp4>& r) {
        return StackedReduction(device_, traces_, input, lambda, r);
    }
    WhirProver whir(const ProverInput& input, const StackedCommitments& commitments, const std::vector<Fp4>& u,
                    const Fp4& mu) {
        return WhirProver(device_, roots_, traces_, input, commitments, u, mu);
    }

    template <class T>
    void send(const T& value, T* destination) const {
        *destination = value;
    }
    void finish() const {}

private:
    Device& device_;
    const Residents& residents_;
    ProgramCache& programs_;
    const GeneratedPrograms* generated_;
    DeviceTraces traces_;
    NttRoots roots_;
};

}  // namespace whorl::gpu
