#include "prover/progress.hpp"

#include <algorithm>
#include <cmath>

#include "machine/stop.hpp"
#include "prover/input.hpp"

namespace whorl {

// Nanoseconds of one core with AVX2, from the spans of keccakf and of the LogUp benchmark (whorl bench): a word of code encoded and
// hashed, a leaf of a tree, a cell of the LogUp table with all its layers, a node of the constraints on a row, a stacked cell.
StageWork estimate_work(const ProverInput& input) {
    constexpr double kCodeWord = 14, kLeaf = 300, kLogupCell = 60, kNode = 1.2, kStackedCell = 3, kWhirWord = 40;
    const SystemParams& params = input.params();
    const double stacked_height = std::ldexp(1.0, static_cast<int>(params.log_stacked_height()));
    const double code_height = std::ldexp(1.0, static_cast<int>(params.log_codeword_height()));
    const double leaves = std::ldexp(code_height, -static_cast<int>(params.whir.k));
    StageWork work;
    for (const CommitmentLayout& commitment : input.layout.commitments) {
        if (input.committed(commitment.parts[0]) != nullptr) continue;
        work.commit += kCodeWord * code_height * commitment.stack.width + kLeaf * leaves;
    }
    if (input.layout.has_interactions()) {
        work.logup_gkr = kLogupCell * std::ldexp(1.0, static_cast<int>(input.layout.num_gkr_layers(input.params())));
    }
    for (std::size_t t = 0; t < input.traces.size(); ++t) {
        const double rows = std::ldexp(1.0, static_cast<int>(std::max(input.log_height(t), params.l_skip)));
        const double degree = input.air(t).max_constraint_degree;
        work.batch_constraints += kNode * rows * static_cast<double>(input.air(t).nodes.size()) * std::max(degree, 1.0);
    }
    const double stacked_cells = stacked_height * static_cast<double>(input.layout.total_stacked_width());
    work.stacked_reduction = kStackedCell * stacked_cells;
    work.whir = kStackedCell * stacked_cells + kWhirWord * code_height;
    return work;
}

void ProgressMeter::begin(std::string_view stage, double work) {
    before_ += work_;
    work_ = work;
    stage_ = stage;
    tell(before_);
}

void ProgressMeter::reach(double fraction) {
    tell(before_ + fraction * work_);
}

void ProgressMeter::finish() {
    tell(total_);
}

void ProgressMeter::tell(double done) {
    check_stop();
    if (!listener_) return;
    told_ = std::max(told_, std::min(done / total_, 1.0));
    listener_({.fraction = told_, .stage = stage_});
}

}  // namespace whorl
