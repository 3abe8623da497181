// Kernels as pipelines.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>

#include "device/metal/kernel_text.hpp"
#include "device/metal/objects.hpp"
#include "device/runtime.hpp"

namespace whorl::gpu::metal {

/// A compiled text and the pipelines made from it, each when it is first asked for. Threads may share it.
class Library {
public:
    /// Errors: DeviceError with the compiler's messages.
    Library(MTL::Device& device, const std::string& text);
    /// From what Apple's compiler made ahead of time. Errors: DeviceError.
    Library(MTL::Device& device, std::span<const std::byte> compiled);

    /// Errors: DeviceError where there is no such kernel, or the GPU cannot run as many of its threads in a threadgroup.
    Ref<MTL::ComputePipelineState> pipeline(const KernelInfo& kernel);

private:
    Ref<MTL::Device> device_;
    Ref<MTL::Library> library_;
    std::mutex mutex_;
    std::map<std::string, Ref<MTL::ComputePipelineState>, std::less<>> pipelines_;
};

/// The kernels on a device: one library for all its runtimes of the moment.
std::shared_ptr<Library> library_of(MTL::Device& device, const KernelText& kernels);

/// Compiles on a thread of its own. A compilation that is still under way when it is given up goes on to its end unseen.
class LibraryCompilation final : public Compilation {
public:
    LibraryCompilation(MTL::Device& device, std::string text, std::span<const KernelInfo> kernels);

    State state() override;
    std::string problem() const override;
    /// Null before it is ready, and for a kernel that is not of this text.
    Ref<MTL::ComputePipelineState> pipeline(const KernelInfo& kernel) const;

private:
    struct Shared;
    std::shared_ptr<Shared> shared_;
};

}  // namespace whorl::gpu::metal
