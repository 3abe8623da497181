// LogUp's leaves on the device: every interaction of every trace on every row (PROTOCOL.md section 12).
#pragma once

#include <cstdint>

#include "backend/gpu/device.hpp"
#include "backend/gpu/programs.hpp"
#include "backend/gpu/traces.hpp"
#include "prover/input.hpp"

namespace whorl::gpu {

/// Leaf evaluation as recorded; what it owns must stay until the submission.
struct RecordedLeaves {
    std::int64_t num_kernels = 0;
    Buffer registers;
};
/// Records the evaluation of all interactions: numerators (one word each) and denominators (extension elements) of every
/// cell of every LogupBlock, in natural order, short traces repeated; cells behind the blocks are left alone.
/// Precondition: the input has interactions.
[[nodiscard]] RecordedLeaves evaluate_leaves(Device& device, const DeviceTraces& traces, const ProverInput& input,
                                             ProgramCache& programs, const Fp4& alpha, const Fp4& beta, Address leaf_p,
                                             Address leaf_q);

}  // namespace whorl::gpu
