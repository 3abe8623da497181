// The simulated device with all kernels, compiled as host code.
#pragma once

#include <memory>
#include <string_view>

#include "device/runtime.hpp"
#include "device/sim/kernels.hpp"
#include "device/sim/sim_runtime.hpp"

namespace whorl::gpu::sim {

/// Null for a name that is not in the lists of src/kernels.
KernelBody find_kernel(std::string_view name);

std::unique_ptr<Runtime> make_runtime(const Options& options = {});

}  // namespace whorl::gpu::sim
