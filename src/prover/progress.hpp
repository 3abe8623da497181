// How far a proof is, by what its stages usually take.
#pragma once

#include <functional>
#include <string_view>

#include <whorl/prove.hpp>

#include "proof/layout.hpp"

namespace whorl {

struct ProofShape;

/// The stages of prove_on, in nanoseconds of one core with AVX2, roughly.
struct StageWork {
    double commit = 0;
    double logup_gkr = 0;
    double batch_constraints = 0;
    double stacked_reduction = 0;
    double whir = 0;

    double total() const { return commit + logup_gkr + batch_constraints + stacked_reduction + whir; }
};
/// From widths, heights, constraints and grinding.
StageWork estimate_work(const ProofShape& shape);

/// Tells a caller where the proof is. Does nothing without a caller; every call here also asks whether the proof shall stop.
class ProgressMeter {
public:
    ProgressMeter() = default;
    ProgressMeter(std::function<void(const Progress&)> listener, double total)
        : listener_(std::move(listener)), total_(total) {}

    /// The next stage, which is `work` of the total.
    void begin(std::string_view stage, double work);
    /// `fraction` of the stage is done.
    void reach(double fraction);
    /// The whole proof is done.
    void finish();

private:
    void tell(double done);

    std::function<void(const Progress&)> listener_;
    double total_ = 1;
    std::string_view stage_;
    double before_ = 0;  // work of the stages before
    double work_ = 0;    // of this one
    double told_ = 0;
};

}  // namespace whorl
