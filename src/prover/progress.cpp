#include "prover/progress.hpp"

#include <algorithm>
#include <cmath>

#include "machine/stop.hpp"
#include "prover/input.hpp"

namespace whorl {

// From the spans of keccakf and of the LogUp benchmark (whorl bench): a word of code encoded and hashed, a leaf of a tree, a cell of
// the LogUp table with all its layers, a node of the constraints on a row, a stacked cell, a word of WHIR's codewords, a hash of
// grinding.
StageWork estimate_work(const ProofShape& shape) {
    constexpr double kCodeWord = 14, kLeaf = 300, kLogupCell = 60, kNode = 1.2, kStackedCell = 3, kWhirWord = 40;
    constexpr double kWitness = 60;
    const SystemParams& params = shape.params();
    const auto pow2 = [](std::uint32_t exponent) { return std::ldexp(1.0, static_cast<int>(exponent)); };
    const double stacked_height = pow2(params.log_stacked_height());
    const double code_height = pow2(params.log_codeword_height());
    const double leaves = std::ldexp(code_height, -static_cast<int>(params.whir.k));
    StageWork work;
    for (std::size_t c = 0; c < shape.layout.commitments.size(); ++c) {
        if (shape.is_committed[c]) continue;
        work.commit += kCodeWord * code_height * shape.layout.commitments[c].stack.width + kLeaf * leaves;
    }
    if (shape.layout.has_interactions()) {
        work.logup_gkr =
            kLogupCell * pow2(shape.layout.num_gkr_layers(params)) + kWitness * pow2(params.logup.pow_bits);
    }
    for (std::size_t t = 0; t < shape.layout.traces.size(); ++t) {
        const double rows = pow2(std::max(shape.log_height(t), params.l_skip));
        const double degree = shape.air(t).max_constraint_degree;
        work.batch_constraints += kNode * rows * static_cast<double>(shape.air(t).nodes.size()) * std::max(degree, 1.0);
    }
    const double stacked_cells = stacked_height * static_cast<double>(shape.layout.total_stacked_width());
    work.stacked_reduction = kStackedCell * stacked_cells;
    const WhirParams& whir = params.whir;
    const double grinding = pow2(whir.mu_pow_bits) + whir.num_rounds() * (whir.k * pow2(whir.folding_pow_bits) +
                                                                          pow2(whir.query_phase_pow_bits));
    work.whir = kStackedCell * stacked_cells + kWhirWord * code_height + kWitness * grinding;
    return work;
}

void ProgressMeter::begin(std::string_view stage, double StageWork::* share) {
    before_ += stage_work_;
    stage_work_ = work_.*share;
    stage_ = stage;
    tell(before_);
}

void ProgressMeter::reach(double fraction) {
    tell(before_ + fraction * stage_work_);
}

void ProgressMeter::finish() {
    tell(work_.total());
}

void ProgressMeter::tell(double done) {
    check_stop();
    if (!listener_) return;
    told_ = std::max(told_, std::min(done / work_.total(), 1.0));
    listener_({.fraction = told_, .stage = stage_});
}

}  // namespace whorl
