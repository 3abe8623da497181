// From the name of a device to the device.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <whorl/error.hpp>

#include "device/runtime.hpp"

namespace whorl {

/// Whether `device` means the CPU backend.
inline bool is_cpu(std::string_view device) {
    return device == "cpu";
}
/// The GPU of that name. Errors: kInvalidArgument for a name that means nothing, kMachine for a device that is not there,
/// with the names of those that are.
Result<std::unique_ptr<gpu::Runtime>> open_gpu(const std::string& device);
/// Checks the name alone, and that such a device is there. Errors: as open_gpu().
Result<void> check_device(const std::string& device);

}  // namespace whorl
