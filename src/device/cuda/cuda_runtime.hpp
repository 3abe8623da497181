// NVIDIA GPUs through the CUDA runtime, which is linked statically and looks for the driver when it is first called: a
// program with this room starts on machines that have none. Calls make their device the calling thread's current one.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <whorl/device_types.hpp>

#include "device/cuda/kernels.hpp"
#include "device/runtime.hpp"

namespace whorl::gpu::cuda {

/// The GPU that the driver counts as `index`, with a stream of its own and these kernels. The environment variable WHORL_CUDA_SYNC=1 makes
/// it wait after each command, so that errors name the kernel. Errors: DeviceError with device_problem().
std::unique_ptr<Runtime> make_runtime(unsigned index, const KernelSet& set);

/// Every GPU that the driver shows, usable or not; where there is none, one report that says why. Asks each GPU for its
/// free memory, which takes a moment and some of that memory.
std::vector<DeviceReport> list_devices(const KernelSet& set);
/// Why GPU `index` cannot be used, with advice; empty where it can. Touches no other GPU.
std::string device_problem(unsigned index, const KernelSet& set);

}  // namespace whorl::gpu::cuda
