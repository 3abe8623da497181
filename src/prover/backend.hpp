// What a device must offer for the stage drivers to prove on it.
//
// The drivers own the order of the protocol: what is observed, sampled and sent, when. A backend owns the values and the
// mathematics. Its values may be numbers (on the CPU an Ext is an Fp4) or handles to memory that the host has not seen yet;
// drivers therefore never look at one, they pass it on. Values reach the proof through send(): by the time finish()
// returns, every destination has been written. Operations may record and return; only finish() must wait.
#pragma once

#include <concepts>
#include <cstdint>
#include <span>
#include <vector>

#include <whorl/proof.hpp>

#include "prover/input.hpp"

namespace whorl {

/// The transcript of PROTOCOL.md section 4 over a backend's values. `observe` of an Fp is for values that the host knows:
/// key, heights, public values.
template <class T, class B>
concept BackendTranscript =
    requires(T& t, Fp known, const typename B::Ext& ext, const typename B::Hash& hash, unsigned bits, std::uint32_t n) {
        t.observe(known);
        t.observe_ext(ext);
        t.observe_hash(hash);
        { t.sample_ext() } -> std::same_as<typename B::Ext>;
        { t.sample_indices(bits, n) } -> std::same_as<typename B::Indices>;  // n samples of `bits` bits
        { t.grind(bits) } -> std::same_as<typename B::Base>;                 // the smallest witness, observed
    };

template <class B>
concept Backend = requires(B& b, const ProverInput& input, typename B::Ext& ext, typename B::Commitments& commitments,
                           std::vector<typename B::Ext>& exts) {
    typename B::Base;         // a field element
    typename B::Ext;          // an extension element
    typename B::Hash;         // a digest
    typename B::Indices;      // query indices
    typename B::Commitments;  // all stacked commitments of a proof, with what opening them takes
    typename B::FractionTree;
    typename B::ConstraintBatch;
    typename B::StackedReduction;
    typename B::Whir;
    requires BackendTranscript<typename B::Transcript, B>;

    { b.commit(input) } -> std::same_as<typename B::Commitments>;
    { b.fraction_tree(input, ext, ext) } -> std::same_as<typename B::FractionTree>;
    { b.constraint_batch(input, ext, ext, exts) } -> std::same_as<typename B::ConstraintBatch>;
    { b.stacked_reduction(input, ext, exts) } -> std::same_as<typename B::StackedReduction>;
    { b.whir(input, commitments, exts, ext) } -> std::same_as<typename B::Whir>;
    b.send(ext, static_cast<Fp4*>(nullptr));
    b.finish();
};

/// Observes a value and sends it to the proof: what a prover does with every message.
template <Backend B>
void send_ext(B& backend, typename B::Transcript& transcript, const typename B::Ext& value, Fp4* destination) {
    transcript.observe_ext(value);
    backend.send(value, destination);
}

}  // namespace whorl
