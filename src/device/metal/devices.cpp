// Which GPUs there are, and why one cannot be used.
#include "device/metal/devices.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "device/metal/metal_runtime.hpp"

namespace whorl::gpu::metal {
namespace {

constexpr const char* kNoDevice = "Metal shows no GPU (a virtual machine, or a session without access to it?)";

std::string no_such_device(std::size_t count) {
    return count == 0 ? kNoDevice : fmt::format("Metal counts its GPUs from 0 to {}", count - 1);
}

}  // namespace

std::vector<Ref<MTL::Device>> all_devices() {
    const AutoreleasePool pool;
    std::vector<Ref<MTL::Device>> devices;
    if (auto preferred = NS::TransferPtr(MTL::CreateSystemDefaultDevice())) devices.push_back(std::move(preferred));
    const auto listed = NS::TransferPtr(MTL::CopyAllDevices());
    for (NS::UInteger i = 0; listed && i < listed->count(); ++i) {
        auto* device = listed->object<MTL::Device>(i);
        const bool is_known = std::ranges::any_of(
            devices, [&](const auto& known) { return known->registryID() == device->registryID(); });
        if (!is_known) devices.push_back(NS::RetainPtr(device));
    }
    return devices;
}

std::string problem_of(const MTL::Device& device) {
    // metal-cpp has no const on what only asks.
    auto& asked = const_cast<MTL::Device&>(device);
    if (!device.hasUnifiedMemory() || !asked.supportsFamily(MTL::GPUFamilyApple7)) {
        return "whorl needs an Apple GPU (M1 or later)";
    }
    if (!asked.supportsFamily(MTL::GPUFamilyMetal3)) return "whorl needs Metal 3 (macOS 14 or later)";
    return {};
}

std::string system_version() {
    const AutoreleasePool pool;
    // "Version 14.5 (Build 23F79)"
    return "macOS, " + text_of(NS::ProcessInfo::processInfo()->operatingSystemVersionString());
}

std::string device_problem(unsigned index) {
    const std::vector<Ref<MTL::Device>> devices = all_devices();
    return index < devices.size() ? problem_of(*devices[index].get()) : no_such_device(devices.size());
}

std::vector<DeviceReport> list_devices() {
    const std::vector<Ref<MTL::Device>> devices = all_devices();
    if (devices.empty())
        return {{.id = "metal", .name = "Apple GPUs", .driver = system_version(), .problem = kNoDevice}};
    const AutoreleasePool pool;
    std::vector<DeviceReport> reports;
    for (std::size_t i = 0; i < devices.size(); ++i) {
        const MTL::Device& device = *devices[i].get();
        const std::uint64_t memory = device.recommendedMaxWorkingSetSize();
        reports.push_back({.id = fmt::format("metal:{}", i),
                           .name = text_of(device.name()),
                           .memory_bytes = memory,
                           .free_bytes = memory - std::min<std::uint64_t>(memory, device.currentAllocatedSize()),
                           .driver = system_version(),
                           .problem = problem_of(device)});
    }
    return reports;
}

}  // namespace whorl::gpu::metal
