#include "device/metal/capture.hpp"

#include <fmt/format.h>

#include "device/runtime.hpp"

namespace whorl::gpu::metal {

Capture::Capture(MTL::CommandQueue& queue, const std::string& path) {
    const AutoreleasePool pool;
    MTL::CaptureManager* manager = MTL::CaptureManager::sharedCaptureManager();
    if (!manager->supportsDestination(MTL::CaptureDestinationGPUTraceDocument)) {
        throw DeviceError("Metal records GPU traces only where the environment has MTL_CAPTURE_ENABLED=1");
    }
    const auto descriptor = NS::TransferPtr(MTL::CaptureDescriptor::alloc()->init());
    descriptor->setCaptureObject(&queue);
    descriptor->setDestination(MTL::CaptureDestinationGPUTraceDocument);
    descriptor->setOutputURL(NS::URL::fileURLWithPath(ns_string(path)));
    NS::Error* error = nullptr;
    if (!manager->startCapture(descriptor.get(), &error)) {
        throw DeviceError(fmt::format("Metal cannot record a GPU trace in \"{}\": {}", path, text_of(error)));
    }
}

Capture::~Capture() {
    const AutoreleasePool pool;
    MTL::CaptureManager::sharedCaptureManager()->stopCapture();
}

}  // namespace whorl::gpu::metal
