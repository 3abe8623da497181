// Generated kernels that were compiled with the tests.
#pragma once

#include <string_view>

#include "device/sim/kernels.hpp"

namespace whorl::gpu {

/// Null for a kernel of another key than those that tests/gpu/generated/CMakeLists.txt lists.
sim::KernelBody find_generated_kernel(std::string_view name);

}  // namespace whorl::gpu
