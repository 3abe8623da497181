// NVIDIA GPUs with all kernels, compiled by nvcc. The functions are those of device/cuda/cuda_runtime.hpp.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <whorl/device_types.hpp>

#include "device/cuda/cuda_runtime.hpp"
#include "device/cuda/kernels.hpp"
#include "device/runtime.hpp"

namespace whorl::gpu::cuda {

/// All kernels of src/kernels.
KernelSet kernel_set();

std::unique_ptr<Runtime> make_runtime(unsigned index);
std::vector<DeviceReport> list_devices();
std::string device_problem(unsigned index);

}  // namespace whorl::gpu::cuda
