// LogUp's fraction tree and the sumchecks down its layers (PROTOCOL.md section 12).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <whorl/proof.hpp>

#include "backend/cpu/buffer.hpp"
#include "prover/gkr_rounds.hpp"
#include "prover/input.hpp"

namespace whorl {
struct GkrTables;
}

namespace whorl::cpu {

/// The cells of one layer, those of even and of odd index apart: children of node i are even[i] and odd[i]. Padding, the fractions
/// 0 / q with one q a layer that come after the cells in use, is not stored, but for a few cells up to whole vectors.
struct FractionLayer {
    ExtTable p_even, p_odd, q_even, q_odd;
    Fp4 padding_q;
};

class FractionTree {
public:
    /// Evaluates all interactions and builds every layer. Precondition: the input has interactions.
    FractionTree(const ProverInput& input, const Fp4& alpha, const Fp4& beta);
    /// The words that the leaves and all layers take.
    static std::uint64_t num_words(unsigned num_layers, std::uint64_t num_cells);

    /// Denominator of the root.
    Fp4 root() const;
    /// Children of the root.
    GkrLayerClaims root_claims() const;

    /// Starts the sumcheck of layer j ≥ 1 at `point` (j coordinates), whose claim P + λ·Q is what the claims of the layer
    /// above say at `mu`.
    void begin_layer(unsigned layer, const Fp4& lambda, std::span<const Fp4> point, const GkrLayerClaims& above,
                     const Fp4& mu);
    /// s(1), s(2), s(3) of the next round.
    std::array<Fp4, 3> round_message();
    void fold(const Fp4& r);
    /// After all rounds; frees the layer.
    GkrLayerClaims layer_claims();

private:
    void build_leaves(const ProverInput& input, const Fp4& alpha, const Fp4& beta);
    void build_layers();
    /// The cells of one parity that are stored of a layer with `total` of them, `used` of which are in use.
    static std::size_t num_stored(std::size_t used, std::size_t total);
    /// The children of layer `layer`: the layer below, or the leaves.
    GkrTables children_of(unsigned layer) const;
    bool is_above_leaves(unsigned layer) const { return layer + 1 == num_layers_; }

    unsigned num_layers_ = 0;
    /// Leaf numerators lie in F.
    WordBuffer leaf_p_even_, leaf_p_odd_;
    ExtTable leaf_q_even_, leaf_q_odd_;
    Fp4 leaf_padding_q_;
    std::vector<FractionLayer> layers_;  // [j], 1 ≤ j < num_layers_; layer num_layers_ is the leaves

    // The sumcheck under way: Σ_x eq(x)·(P0·q1 + P1·q0) with P = p + λ/2·q, so that λ·q0·q1 needs no term of its own.
    unsigned layer_ = 0;
    GkrRounds rounds_;
    Fp4 half_lambda_;
    Fp4 padding_q_;               // of the layer below
    ExtTable eq_;                 // over the variables after the current one
    ExtTable p0_, p1_, q0_, q1_;  // folded tables; before the first fold the layer's own are read
};

}  // namespace whorl::cpu
