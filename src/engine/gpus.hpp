// The makers of GPUs that a build serves.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <whorl/device.hpp>

#include "device/runtime.hpp"

namespace whorl {

/// GPUs of one maker: "NAME:0", "NAME:1", …
struct GpuFamily {
    std::string_view name = {};
    std::string_view devices = {};  ///< what they are called together
    std::string_view absence = {};  ///< why the build does not serve them; empty where it does
    bool is_expected = true;        ///< on this system: listed even where the build does not serve them
    // Null where the build does not serve them.
    std::unique_ptr<gpu::Runtime> (*make_runtime)(unsigned index) = nullptr;
    std::vector<DeviceReport> (*list_devices)() = nullptr;
    std::string (*device_problem)(unsigned index) = nullptr;  ///< why a GPU cannot be used; empty where it can
};

/// By preference.
std::span<const GpuFamily> gpu_families();

/// The simulated GPU, which no family has: "gpu" never means it.
struct SimulatedGpu {
    std::string_view absence = {};                              ///< as GpuFamily::absence
    std::unique_ptr<gpu::Runtime> (*make_runtime)() = nullptr;  ///< null where the build has none
};
const SimulatedGpu& simulated_gpu();

}  // namespace whorl
