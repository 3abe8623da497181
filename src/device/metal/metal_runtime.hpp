// Apple GPUs through Metal 3: Apple silicon, macOS 14 and later.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <whorl/device_types.hpp>

#include "device/metal/kernel_text.hpp"
#include "device/runtime.hpp"

namespace whorl::gpu::metal {

/// The GPU that Metal lists as `index`, with a command queue of its own and these kernels. The environment variable
/// WHORL_METAL_CAPTURE=FILE.gputrace records all its work for Xcode, WHORL_METAL_COMPILE=1 compiles the kernels' text even
/// where the build embeds a library of them.
/// Errors: DeviceError with device_problem(), or with what Metal says of kernels that it cannot compile.
std::unique_ptr<Runtime> make_runtime(unsigned index, const KernelText& kernels);

/// Every GPU that Metal lists, usable or not; where there is none, one report that says so.
std::vector<DeviceReport> list_devices();
/// Why GPU `index` cannot be used; empty where it can.
std::string device_problem(unsigned index);

}  // namespace whorl::gpu::metal
