// The failure of a device that has nothing to do with what it computes.
#pragma once

#include "device/runtime.hpp"

namespace whorl::gpu {

/// There is less memory than was asked for: nothing is wrong with the device.
struct DeviceMemoryError : DeviceError {
    using DeviceError::DeviceError;
};

}  // namespace whorl::gpu
