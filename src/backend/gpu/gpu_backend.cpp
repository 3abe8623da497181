#include "backend/gpu/gpu_backend.hpp"

#include "backend/gpu/leaves.hpp"
#include "prover/backend.hpp"

namespace whorl::gpu {

static_assert(Backend<GpuBackend>);

GpuBackend::GpuBackend(Device& device, const Residents& residents, ProgramCache& programs,
                       const GeneratedPrograms* generated, const ProverInput& input)
    : device_(device),
      residents_(residents),
      programs_(programs),
      generated_(generated),
      traces_(device, residents, input),
      roots_(device, input.params().log_codeword_height(), NttDirection::kForward) {
    device.recorder().submit_and_wait(1);
}

FractionTree GpuBackend::fraction_tree(const ProverInput& input, const Fp4& alpha, const Fp4& beta) {
    FractionLeaves leaves =
        take_fraction_leaves(device_, input.layout.num_gkr_layers(input.params()), input.layout.num_logup_cells, alpha);
    const RecordedLeaves recorded =
        evaluate_leaves(device_, traces_, input, programs_, alpha, beta, leaves.p.address(), leaves.q.address());
    leaves.num_kernels += recorded.num_kernels;
    return FractionTree(device_, std::move(leaves));
}

}  // namespace whorl::gpu
