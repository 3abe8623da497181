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
#include <whorl/transcript.hpp>

#include "prover/input.hpp"

namespace whorl {

/// The transcript of PROTOCOL.md section 4 over a backend's values. `observe` of an Fp is for values that the host knows:
/// key, heights, public values.
template <class T, class B>
concept BackendTranscript =
    requires(T& t, Fp known, const typename B::Ext& ext, const typename B::Hash& hash, unsigned bits, std::uint32_t n) {
        // As it is now; known to the host when finish() has returned.
        { t.host() } -> std::convertible_to<const Transcript&>;
        t.observe(known);
        t.observe_ext(ext);
        t.observe_hash(hash);
        { t.sample_ext() } -> std::same_as<typename B::Ext>;
        { t.sample_indices(bits, n) } -> std::same_as<typename B::Indices>;  // n samples of `bits` bits
        { t.grind(bits) } -> std::same_as<typename B::Base>;                 // the smallest witness, observed
    };

/// LogUp's fraction tree (PROTOCOL.md section 12). `claims` are the four values p_xi_0, p_xi_1, q_xi_0, q_xi_1 of a layer.
template <class T, class B>
concept BackendFractionTree =
    requires(T& t, unsigned layer, const typename B::Ext& ext, const std::vector<typename B::Ext>& point) {
        { t.root() } -> std::convertible_to<typename B::Ext>;
        { t.root_claims().p_xi_0 } -> std::convertible_to<typename B::Ext>;
        t.begin_layer(layer, ext, point, t.root_claims(), ext);  // layer, λ, point, claims of the layer above, μ
        { t.round_message()[2] } -> std::convertible_to<typename B::Ext>;  // s(1), s(2), s(3)
        t.fold(ext);
        { t.layer_claims().q_xi_1 } -> std::convertible_to<typename B::Ext>;
    };

/// The batched zerocheck and LogUp sumcheck (PROTOCOL.md section 13).
template <class T, class B>
concept BackendConstraintBatch = requires(T& t, const typename B::Ext& ext) {
    t.evaluate_round0();
    { t.sum_terms().numerators[0] } -> std::convertible_to<typename B::Ext>;
    { t.sum_terms().denominators[0] } -> std::convertible_to<typename B::Ext>;
    { t.univariate_message(ext)[0] } -> std::convertible_to<typename B::Ext>;  // given μ: coefficients of s_0
    t.fold_univariate(ext);
    { t.round_message()[0] } -> std::convertible_to<typename B::Ext>;  // s_j(1), …, s_j(d + 1)
    t.fold(ext);
    { t.openings()[0][0][0] } -> std::convertible_to<typename B::Ext>;  // [trace][part][…]
};

/// The stacked opening reduction (PROTOCOL.md section 14).
template <class T, class B>
concept BackendStackedReduction = requires(T& t, const typename B::Ext& ext) {
    { t.univariate_message()[0] } -> std::convertible_to<typename B::Ext>;
    t.fold_univariate(ext);
    { t.round_message()[1] } -> std::convertible_to<typename B::Ext>;  // s(1), s(2)
    t.fold(ext);
    { t.openings()[0][0] } -> std::convertible_to<typename B::Ext>;  // [commitment][stacked column]
};

/// WHIR (PROTOCOL.md section 15).
template <class T, class B>
concept BackendWhir = requires(T& t, const typename B::Ext& ext, const typename B::Indices& indices, WhirProof& proof) {
    { t.round_message()[1] } -> std::convertible_to<typename B::Ext>;  // s(1), s(2)
    t.fold(ext);
    { t.commit_codeword() } -> std::convertible_to<typename B::Hash>;
    { t.ood_value(ext) } -> std::convertible_to<typename B::Ext>;
    { t.final_poly()[0] } -> std::convertible_to<typename B::Ext>;
    t.open_initial(indices, proof);   // rows and paths into the proof
    t.open_codeword(indices, proof);  // values and paths of the current round's code
    t.bind_queries(indices, ext);     // given γ; ends the round
};

template <class B>
concept Backend =
    requires(B& b, const ProverInput& input, typename B::Ext& ext, typename B::Commitments& commitments,
             std::vector<typename B::Ext>& exts, std::uint32_t air_id, const Digest& known, const Transcript& from) {
        typename B::Base;         // a field element
        typename B::Ext;          // an extension element
        typename B::Hash;         // a digest
        typename B::Indices;      // query indices
        typename B::Commitments;  // all stacked commitments of a proof, with what opening them takes
        requires BackendTranscript<typename B::Transcript, B>;
        requires BackendFractionTree<typename B::FractionTree, B>;
        requires BackendConstraintBatch<typename B::ConstraintBatch, B>;
        requires BackendStackedReduction<typename B::StackedReduction, B>;
        requires BackendWhir<typename B::Whir, B>;

        { b.transcript(from) } -> std::same_as<typename B::Transcript>;
        { b.commit(input) } -> std::same_as<typename B::Commitments>;
        { commitments.root(std::size_t{0}) } -> std::convertible_to<typename B::Hash>;
        // Ends the proof with require_preprocessed_commitment's error where the root of an AIR's preprocessed part is not the
        // key's: at once where the host has the root, else by the time finish() returns.
        b.require_preprocessed(air_id, commitments.root(std::size_t{0}), known);
        { b.fraction_tree(input, ext, ext) } -> std::same_as<typename B::FractionTree>;              // α, β
        { b.constraint_batch(input, ext, ext, exts) } -> std::same_as<typename B::ConstraintBatch>;  // β, λ, ξ
        { b.stacked_reduction(input, ext, exts) } -> std::same_as<typename B::StackedReduction>;     // λ, r
        { b.whir(input, commitments, exts, ext) } -> std::same_as<typename B::Whir>;                 // u, μ
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
