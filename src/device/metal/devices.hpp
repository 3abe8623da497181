// Metal's list of GPUs.
#pragma once

#include <vector>

#include "device/metal/objects.hpp"

namespace whorl::gpu::metal {

/// In Metal's order, but the system's default GPU first; empty where there is none.
std::vector<Ref<MTL::Device>> all_devices();
/// Why it cannot be used; empty where it can.
std::string problem_of(const MTL::Device& device);
/// "macOS, Version 14.5 (Build 23F79)".
std::string system_version();

}  // namespace whorl::gpu::metal
