// The memory that kernels reach, and what an address is part of.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "device/memory_error.hpp"
#include "device/metal/encoder_order.hpp"
#include "device/metal/objects.hpp"

namespace whorl::gpu::metal {

class Memory {
public:
    explicit Memory(MTL::Device& device) : device_(device) {}

    struct Resource {
        Ref<MTL::Buffer> buffer;
        Address first = 0;
        std::uint64_t bytes = 0;
        bool is_wrapped = false;  ///< the host's memory, or a copy of it: kernels only read it
    };

    /// Errors: DeviceError (without the device's name) with the figures where there is not as much, or not at once.
    Block allocate(std::uint64_t bytes, MTL::StorageMode mode);
    void release(const Block& block);
    Address bind(const Block& block, std::uint64_t offset, std::uint64_t bytes);
    /// Memory of at least kMinWrapped bytes is used in place, with the rest of its first and last page; less is copied, and so
    /// is what Metal does not take, such as memory of several mappings.
    Address wrap(const void* host, std::uint64_t bytes);
    bool is_wrapped(Address address) const { return wrapped_.contains(address); }
    void unbind(Address address);

    /// A buffer for an upload that is released with the last command buffer that uses it.
    Ref<MTL::Buffer> copy_of(const void* host, std::uint64_t bytes);

    std::uint64_t total_bytes() const { return device_.recommendedMaxWorkingSetSize(); }
    std::uint64_t free_bytes() const;
    std::uint64_t max_buffer() const { return device_.maxBufferLength(); }

    /// The buffer that an address lies in. Errors: DeviceError where it lies in none.
    const Resource& resource_at(Address address) const;
    const std::map<Address, Resource>& resources() const { return resources_; }
    /// The bound part that an address lies in; everywhere where it lies in none.
    Range part_at(Address address) const;

private:
    static constexpr std::uint64_t kMinWrapped = 64 * 1024;

    Address add(Ref<MTL::Buffer> buffer, bool is_wrapped);
    DeviceMemoryError too_little(std::uint64_t bytes) const;

    MTL::Device& device_;
    std::map<Address, Resource> resources_;    // by first address
    std::map<std::uint32_t, Address> blocks_;  // where a block starts
    std::map<Address, Address> parts_;         // bound: first address and end
    std::map<Address, Address> wrapped_;       // bound address to its resource's first
    std::uint32_t next_block_ = 0;
};

}  // namespace whorl::gpu::metal
