#include "engine/gpus.hpp"

#ifdef WHORL_HAS_SIM
#include "backend/gpu/compiled/sim/sim_gpu.hpp"
#endif
#ifdef WHORL_HAS_METAL
#include "backend/gpu/compiled/metal/metal_gpus.hpp"
#endif
#ifdef WHORL_HAS_CUDA
#include "backend/gpu/compiled/cuda/cuda_gpus.hpp"
#endif

namespace whorl {
namespace {

#ifdef __APPLE__
[[maybe_unused]] constexpr bool kIsApple = true;
#else
[[maybe_unused]] constexpr bool kIsApple = false;
#endif

constexpr GpuFamily kFamilies[] = {
    {.name = "metal",
     .devices = "Apple GPUs",
#ifdef WHORL_HAS_METAL
     .make_runtime = gpu::metal::make_runtime,
     .list_devices = gpu::metal::list_devices,
     .device_problem = gpu::metal::device_problem},
#else
     .absence = kIsApple ? "this build has no Metal (scripts/bootstrap.sh metal fetches what it takes)"
                         : "Metal is for Apple GPUs, on macOS",
     .is_expected = kIsApple},
#endif
    {.name = "cuda",
     .devices = "NVIDIA GPUs",
#ifdef WHORL_HAS_CUDA
     .make_runtime = gpu::cuda::make_runtime,
     .list_devices = gpu::cuda::list_devices,
     .device_problem = gpu::cuda::device_problem},
#else
     .absence = "this build has no CUDA (configure with -DWHORL_CUDA=ON and a toolkit)",
     .is_expected = !kIsApple},
#endif
};

constexpr SimulatedGpu kSimulatedGpu{
#ifdef WHORL_HAS_SIM
    .make_runtime = [] { return gpu::sim::make_runtime(); }};
#else
    .absence = "this build has no simulated GPU (configure with -DWHORL_SIM=ON)"};
#endif

}  // namespace

std::span<const GpuFamily> gpu_families() {
    return kFamilies;
}

const SimulatedGpu& simulated_gpu() {
    return kSimulatedGpu;
}

}  // namespace whorl
