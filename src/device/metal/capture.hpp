// A record of the GPU's work that Xcode opens.
#pragma once

#include <string>

#include "device/metal/objects.hpp"

namespace whorl::gpu::metal {

/// Records what the queue is given, from construction to destruction.
class Capture {
public:
    /// `path` ends in .gputrace and does not exist. Errors: DeviceError with advice where Metal records nothing.
    Capture(MTL::CommandQueue& queue, const std::string& path);
    ~Capture();
    Capture(const Capture&) = delete;
    Capture& operator=(const Capture&) = delete;
};

}  // namespace whorl::gpu::metal
