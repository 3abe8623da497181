// The stacked opening reduction (PROTOCOL.md section 14; prover/stacked_cells.hpp).
//
// The trace is read twice: for the two weighted sums of each height, and for the values of its columns once the variables
// of the height are bound. The rounds in between work on those sums, one submission each; cells are the host's.
#pragma once

#include <array>
#include <span>
#include <vector>

#include "backend/gpu/device.hpp"
#include "backend/gpu/traces.hpp"
#include "prover/input.hpp"
#include "prover/stacked_cells.hpp"

namespace whorl::gpu {

class StackedReduction {
public:
    /// r: the opening point of the batch sumcheck, r_0 … r_n_max.
    StackedReduction(Device& device, const DeviceTraces& traces, const ProverInput& input, const Fp4& lambda,
                     std::span<const Fp4> r);

    /// The 2(N − 1) + 1 coefficients of s_0.
    std::vector<Fp4> univariate_message();
    void fold_univariate(const Fp4& u0);
    /// s_i(1), s_i(2).
    std::array<Fp4, 2> round_message();
    void fold(const Fp4& u);
    /// [commitment][stacked column], after all rounds.
    std::vector<std::vector<Fp4>> openings();

private:
    // Of one height.
    struct Tables {
        Buffer sums;    // the weighted sums: one, or two where has_rot
        Buffer eq;      // on the cube of the opening point
        Buffer rounds;  // with Z bound: each sum, followed by its kernel
    };
    struct Combination;
    struct Dots;
    struct Message;

    Combination combine(const StackedGroup& group) const;
    Dots start_dots(const StackedGroup& group) const;
    void record_row_weights(const Dots& dots) const;
    void record_dots(const Dots& dots) const;
    void record_message(Message& message) const;
    std::array<Fp4, 2> run_round();

    Device& device_;
    const DeviceTraces& traces_;
    unsigned l_;
    Fp4 lambda_;
    std::vector<Fp4> r_;
    std::vector<Fp4> u_;
    std::vector<StackedGroup> groups_;
    std::vector<Tables> tables_;     // one per group
    std::int64_t num_recorded_ = 0;  // kernels not yet submitted
    StackedCells cells_;
};

}  // namespace whorl::gpu
