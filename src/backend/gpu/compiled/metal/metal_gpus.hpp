// Apple GPUs with all kernels. The functions are those of device/metal/metal_runtime.hpp.
#pragma once

#include <memory>

#include "device/metal/kernel_text.hpp"
#include "device/metal/metal_runtime.hpp"
#include "device/runtime.hpp"

namespace whorl::gpu::metal {

/// All kernels of src/kernels; cmake/Metal.cmake writes the definition.
KernelText kernel_text();

std::unique_ptr<Runtime> make_runtime(unsigned index);

}  // namespace whorl::gpu::metal
