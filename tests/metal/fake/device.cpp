// The device, and the functions of Metal that are no methods.
#include <unistd.h>

#include <cstring>

#include "buffer.hpp"
#include "commands.hpp"
#include "library.hpp"
#include "state.hpp"

namespace fake_metal {
namespace {

class Device final : public Object {
public:
    explicit Device(std::uint32_t index) : Object("MTLDevice"), index_(index) {}

    String* name() const { return make_string("Fake Metal"); }
    std::uint64_t registry_id() const { return 0xFA4E0000 + index_; }
    bool supports_family(std::int64_t family) const {
        constexpr std::int64_t kApple1 = 1001, kApple7 = 1007, kCommon1 = 3001, kCommon3 = 3003, kMetal3 = 5001;
        return family == kMetal3 || (family >= kApple1 && family <= kApple7) ||
               (family >= kCommon1 && family <= kCommon3);
    }
    bool has_unified_memory() const { return true; }
    std::uint64_t memory() const { return options().memory; }
    std::uint64_t allocated() const { return allocated_bytes(); }
    std::uint64_t max_buffer_length() const { return options().max_buffer_length; }
    std::uint64_t max_threadgroup_bytes() const { return 32768; }
    Size max_threads() const { return {1024, 1024, 1024}; }

    CommandQueue* new_queue() { return new CommandQueue; }
    Fence* new_fence() { return new Fence; }
    SharedEvent* new_event() { return new SharedEvent; }

    Buffer* new_buffer(std::uint64_t length, std::uint64_t bits) {
        const ResourceOptions resource_options(bits);
        return takes(length) ? counted(new Buffer(length, resource_options)) : nullptr;
    }
    Buffer* new_copying_buffer(const void* bytes, std::uint64_t length, std::uint64_t bits) {
        Buffer* buffer = new_buffer(length, bits);
        if (buffer != nullptr) std::memcpy(buffer->contents(), bytes, length);
        return buffer;
    }
    Buffer* new_wrapping_buffer(const void* host, std::uint64_t length, std::uint64_t bits, const void* deallocator) {
        const ResourceOptions resource_options(bits);
        if (resource_options.storage != StorageMode::kShared) misuse("the host's memory in a private buffer");
        const auto page = static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
        if (reinterpret_cast<std::uint64_t>(host) % page != 0 || length % page != 0)
            misuse("newBufferWithBytesNoCopy: {} bytes at {}: not whole pages of {}", length, fmt::ptr(host), page);
        if (deallocator != nullptr) misuse("newBufferWithBytesNoCopy: deallocators are not implemented");
        return takes(length) ? counted(new Buffer(host, length, resource_options)) : nullptr;
    }

    Library* new_library(const String* text, const CompileOptions*, Object** error) {
        if (text == nullptr) misuse("newLibraryWithSource: nil");
        return new_library_from_text(text->text(), error);
    }
    Pipeline* new_pipeline_of(const Function* function, Object** error) { return new_pipeline(function, error); }

private:
    /// Whether there is memory for a buffer more.
    static bool takes(std::uint64_t length) {
        const Options now = options();
        if (length == 0) misuse("newBuffer: no bytes");
        if (length > now.max_buffer_length) misuse("newBuffer: {} bytes, at most {}", length, now.max_buffer_length);
        return atomic_counts().buffers < now.max_num_buffers && allocated_bytes() + length <= now.memory;
    }
    static Buffer* counted(Buffer* buffer) {
        ++atomic_counts().buffers;
        return buffer;
    }

    std::uint32_t index_;
};

Array* new_devices() {
    std::vector<Ref<Object>> devices;
    for (std::uint32_t i = 0; i < options().num_devices; ++i) devices.push_back(owned<Object>(new Device(i)));
    return new Array(std::move(devices));
}

}  // namespace

void register_device() {
    class_named("MTLDevice")
        .add<&Device::name>("name")
        .add<&Device::registry_id>("registryID")
        .add<&Device::supports_family>("supportsFamily:")
        .add<&Device::has_unified_memory>("hasUnifiedMemory")
        .add<&Device::memory>("recommendedMaxWorkingSetSize")
        .add<&Device::allocated>("currentAllocatedSize")
        .add<&Device::max_buffer_length>("maxBufferLength")
        .add<&Device::max_threadgroup_bytes>("maxThreadgroupMemoryLength")
        .add<&Device::max_threads>("maxThreadsPerThreadgroup")
        .add<&Device::new_queue>("newCommandQueue")
        .add<&Device::new_fence>("newFence")
        .add<&Device::new_event>("newSharedEvent")
        .add<&Device::new_buffer>("newBufferWithLength:options:")
        .add<&Device::new_copying_buffer>("newBufferWithBytes:length:options:")
        .add<&Device::new_wrapping_buffer>("newBufferWithBytesNoCopy:length:options:deallocator:")
        .add<&Device::new_library>("newLibraryWithSource:options:error:")
        .add<&Device::new_pipeline_of>("newComputePipelineStateWithFunction:error:");
    class_named("MTLBuffer")
        .add<&Buffer::contents>("contents")
        .add<&Buffer::device_address>("gpuAddress")
        .add<&Buffer::length>("length")
        .add<&Buffer::set_label>("setLabel:")
        .add<&Buffer::label>("label");
}

}  // namespace fake_metal

// Apple's names.
// NOLINTBEGIN(readability-identifier-naming)
extern "C" {

void* MTLCreateSystemDefaultDevice() {
    return fake_metal::options().num_devices == 0 ? nullptr : new fake_metal::Device(0);
}
void* MTLCopyAllDevices() {
    return fake_metal::new_devices();
}
void* MTLCopyAllDevicesWithObserver(void**, void*) {
    fake_metal::misuse("MTLCopyAllDevicesWithObserver is not implemented");
}
void MTLRemoveDeviceObserver(const void*) {
    fake_metal::misuse("MTLRemoveDeviceObserver is not implemented");
}

}  // extern "C"
// NOLINTEND(readability-identifier-naming)
