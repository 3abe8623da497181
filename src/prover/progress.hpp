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
    ProgressMeter(std::function<void(const Progress&)> listener, const StageWork& work)
        : listener_(std::move(listener)), work_(work) {}

    /// The next stage, by its name for the caller and its share of the work.
    void begin(std::string_view stage, double StageWork::* share);
    /// `fraction` of the stage is done.
    void reach(double fraction);
    /// The whole proof is done.
    void finish();

private:
    void tell(double done);

    std::function<void(const Progress&)> listener_;
    StageWork work_;
    std::string_view stage_;
    double before_ = 0;      // work of the stages before
    double stage_work_ = 0;  // of this one
    double told_ = 0;
};

}  // namespace whorl
