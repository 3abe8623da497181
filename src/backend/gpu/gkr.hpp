// LogUp's fraction tree and the sumchecks down its layers (PROTOCOL.md section 12).
//
// Large layers live on the device, where a round is one submission: one pass that folds with the last challenge and sums
// for the next message. Small layers, at the top of the tree, and the last rounds of every sumcheck are left to the host,
// which takes less time for them than a submission does.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include <whorl/proof.hpp>

#include "backend/gpu/device.hpp"
#include "backend/gpu/eq_heaps.hpp"
#include "backend/gpu/kernels.hpp"
#include "prover/gkr_rounds.hpp"

namespace whorl::gpu {

/// The bottom layer: 2^num_layers cells in natural order.
struct FractionLeaves {
    unsigned num_layers = 0;
    Buffer p;                      ///< numerators, one word each
    Buffer q;                      ///< denominators
    std::int64_t num_kernels = 0;  ///< recorded, not yet submitted, that fill the leaves
};
/// Takes the buffers and records what sets the cells from `num_cells` on to 0/α.
FractionLeaves take_fraction_leaves(Device& device, unsigned num_layers, std::uint64_t num_cells, const Fp4& alpha);

/// Where the work of a round is done. Never changes a value.
struct FractionTuning {
    /// Layers and tables of at most 2^log_host_cells ≥ 4 cells are the host's. Measured: a round over 2^6 cells takes a
    /// Zen 4 core 9 µs.
    unsigned log_host_cells = 7;
    /// A round has at most 2^log_max_groups threadgroups.
    unsigned log_max_groups = 11;
    /// The host adds the parts of a round's sums where there are no more than these.
    std::uint64_t max_host_parts = 64;
};

class FractionTree {
public:
    /// Builds every layer, in one submission with what is recorded for the leaves. Precondition: num_layers ≥ 1.
    FractionTree(Device& device, FractionLeaves leaves, const FractionTuning& tuning = {});

    /// Denominator of the root.
    Fp4 root() const;
    /// Children of the root.
    GkrLayerClaims root_claims() const;

    /// Starts the sumcheck of layer j ≥ 1 at `point` (j coordinates), whose claim P + λ·Q is what the claims of the layer
    /// above say at `mu`. Layers come in ascending order.
    void begin_layer(unsigned layer, const Fp4& lambda, std::span<const Fp4> point, const GkrLayerClaims& above,
                     const Fp4& mu);
    /// s(1), s(2), s(3) of the next round.
    std::array<Fp4, 3> round_message();
    void fold(const Fp4& r);
    /// After all rounds.
    GkrLayerClaims layer_claims();

private:
    struct Cells {
        std::vector<Fp4> p, q;
    };
    // h(1) and the leading coefficient of h (prover/gkr_rounds.hpp).
    struct Sums {
        Fp4 at_1, leading;
    };
    // Where the children of layer_ come from.
    enum class Children { kLeaves, kLeafPairs, kLayer };

    void build();
    Children children() const;
    const Kernel<GkrRoundParams>& round_kernel() const;
    Sums sum_on_host() const;
    Sums sum_on_device();

    Device& device_;
    FractionTuning tuning_;
    unsigned num_layers_;
    FractionLeaves leaves_;
    std::vector<Buffer> layers_;      // [j]: those on the device that are stored
    std::vector<Cells> host_layers_;  // [j]: those on the host

    // The sumcheck under way, with P0 = p0 + λ·q0 in place of p0, so that λ·q0·q1 needs no term of its own.
    unsigned layer_ = 0;
    Fp4 lambda_;
    GkrRounds rounds_;
    Cells cells_;                // once the host has taken over; else empty
    Buffer table_;               // after the first fold on the device
    std::optional<EqHeaps> eq_;  // over all variables but the first
    Fp4 r_;                      // not yet folded with on the device
};

}  // namespace whorl::gpu
