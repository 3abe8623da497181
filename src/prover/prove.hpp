// A whole proof: the stages in order, over any backend (PROTOCOL.md section 11).
#pragma once

#include "prover/backend.hpp"
#include "prover/batch_constraints.hpp"
#include "prover/logup_gkr.hpp"
#include "prover/stacked_reduction.hpp"
#include "prover/whir.hpp"

namespace whorl {

/// Observes the statement: key, commitments, heights, public values.
template <Backend B>
void observe_preamble(B& backend, typename B::Transcript& transcript, const ProverInput& input,
                      const typename B::Commitments& commitments, Proof& proof) {
    const VerifyingKey& vk = *input.vk;
    for (const Fp x : vk.pre_hash) transcript.observe(x);
    transcript.observe_hash(commitments.root(0));
    backend.send(commitments.root(0), &proof.common_main_commit);

    // Sorted positions by AIR, and the commitment that each AIR's own parts start at.
    std::vector<int> position(vk.airs.size(), -1);
    std::vector<std::size_t> first_commitment(input.traces.size());
    std::size_t next = 1;
    for (std::size_t t = 0; t < input.traces.size(); ++t) {
        const AirVerifyingKey& air = input.air(t);
        position[input.layout.traces[t].air_id] = static_cast<int>(t);
        first_commitment[t] = next;
        next += (air.preprocessed ? 1 : 0) + air.width.cached_mains.size();
    }
    proof.trace_vdata.resize(vk.airs.size());
    proof.public_values.resize(vk.airs.size());
    for (std::size_t i = 0; i < vk.airs.size(); ++i) {
        const AirVerifyingKey& air = vk.airs[i];
        const bool is_present = position[i] >= 0;
        if (!air.is_required) transcript.observe(is_present ? Fp::one() : Fp::zero());
        if (!is_present) continue;
        const std::size_t t = static_cast<std::size_t>(position[i]);
        std::size_t commitment = first_commitment[t];
        TraceVData& vdata = proof.trace_vdata[i].emplace();
        vdata.log_height = input.log_height(t);
        if (air.preprocessed) {
            // The statement holds the key's commitment, openings are made from the trace: they must agree.
            backend.require_preprocessed(static_cast<std::uint32_t>(i), commitments.root(commitment),
                                         air.preprocessed->commit);
            for (const Fp x : air.preprocessed->commit) transcript.observe(x);
            ++commitment;
        } else {
            transcript.observe(Fp::from_canonical(vdata.log_height));
        }
        vdata.cached_commitments.resize(air.width.cached_mains.size());
        for (Digest& destination : vdata.cached_commitments) {
            transcript.observe_hash(commitments.root(commitment));
            backend.send(commitments.root(commitment), &destination);
            ++commitment;
        }
        proof.public_values[i] = input.traces[t]->public_values;
        for (const Fp x : proof.public_values[i]) transcript.observe(x);
    }
}

template <Backend B>
Proof prove_on(B& backend, const ProverInput& input) {
    const Span span(input.telemetry, "stark_prove_excluding_trace");
    const auto begin = [&](std::string_view stage, double StageWork::* share) {
        if (input.progress != nullptr) input.progress->begin(stage, share);
    };
    Proof proof;
    typename B::Transcript transcript =
        backend.transcript(input.transcript != nullptr ? *input.transcript : Transcript());
    const typename B::Commitments commitments = [&] {
        const Span commit(input.telemetry, "prover.main_trace_commit");
        begin("prover.main_trace_commit", &StageWork::commit);
        return backend.commit(input);
    }();
    observe_preamble(backend, transcript, input, commitments, proof);
    std::vector<typename B::Ext> r;
    {
        const Span constraints(input.telemetry, "prover.rap_constraints");
        begin("logup_gkr", &StageWork::logup_gkr);
        auto logup = prove_logup_gkr(backend, transcript, input, proof.gkr);
        begin("batch_constraints", &StageWork::batch_constraints);
        r = prove_batch_constraints(backend, transcript, input, std::move(logup), proof.batch_constraint);
    }
    {
        const Span openings(input.telemetry, "prover.openings");
        begin("stacked_reduction", &StageWork::stacked_reduction);
        const auto u = prove_stacked_reduction(backend, transcript, input, r, proof.stacking);
        begin("whir", &StageWork::whir);
        prove_whir(backend, transcript, input, commitments, u, proof.whir);
    }
    backend.finish();
    if (input.transcript != nullptr) *input.transcript = transcript.host();
    if (input.progress != nullptr) input.progress->finish();
    return proof;
}

}  // namespace whorl
