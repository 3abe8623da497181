#include "device/metal/memory.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <iterator>

namespace whorl::gpu::metal {
namespace {

constexpr MTL::ResourceOptions kShared = MTL::ResourceStorageModeShared | MTL::ResourceHazardTrackingModeUntracked;
constexpr MTL::ResourceOptions kPrivate = MTL::ResourceStorageModePrivate | MTL::ResourceHazardTrackingModeUntracked;

// The last entry that does not start behind `address`; the map's end where there is none.
template <class Map>
auto at_or_before(const Map& map, Address address) {
    const auto next = map.upper_bound(address);
    return next == map.begin() ? map.end() : std::prev(next);
}

}  // namespace

std::uint64_t Memory::free_bytes() const {
    const std::uint64_t taken = device_.currentAllocatedSize();
    return total_bytes() - std::min(total_bytes(), taken);
}

DeviceMemoryError Memory::too_little(std::uint64_t bytes) const {
    return DeviceMemoryError(
        fmt::format("{} bytes of memory asked for, {} of {} are free", bytes, free_bytes(), total_bytes()));
}

Address Memory::add(Ref<MTL::Buffer> buffer, bool is_wrapped) {
    const Address first = buffer->gpuAddress();
    const std::uint64_t bytes = buffer->length();
    resources_[first] = {std::move(buffer), first, bytes, is_wrapped};
    return first;
}

Block Memory::allocate(std::uint64_t bytes, MTL::StorageMode mode) {
    bytes = std::max<std::uint64_t>(bytes, 1);
    if (bytes > free_bytes()) throw too_little(bytes);
    if (bytes > max_buffer()) {
        throw DeviceMemoryError(fmt::format("{} bytes of memory asked for at once, at most {}", bytes, max_buffer()));
    }
    auto buffer = NS::TransferPtr(device_.newBuffer(bytes, mode == MTL::StorageModePrivate ? kPrivate : kShared));
    if (!buffer) throw too_little(bytes);
    auto* host = mode == MTL::StorageModePrivate ? nullptr : static_cast<std::byte*>(buffer->contents());
    const std::uint32_t id = ++next_block_;
    blocks_[id] = add(std::move(buffer), false);
    return {id, bytes, host};
}

void Memory::release(const Block& block) {
    const auto at = blocks_.find(block.id);
    resources_.erase(at->second);
    blocks_.erase(at);
}

Address Memory::bind(const Block& block, std::uint64_t offset, std::uint64_t bytes) {
    const Address first = blocks_.at(block.id) + offset;
    parts_[first] = first + bytes;
    return first;
}

Address Memory::wrap(const void* host, std::uint64_t bytes) {
    Ref<MTL::Buffer> buffer;
    std::uint64_t offset = 0;
    if (bytes >= kMinWrapped) {
        const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
        const auto begin = reinterpret_cast<std::uintptr_t>(host);
        offset = begin % page;
        const std::uint64_t length = (offset + bytes + page - 1) / page * page;
        if (length > max_buffer()) {
            throw DeviceMemoryError(
                fmt::format("{} bytes of host memory to be used at once, at most {}", length, max_buffer()));
        }
        buffer =
            NS::TransferPtr(device_.newBuffer(reinterpret_cast<const void*>(begin - offset), length, kShared, nullptr));
    }
    if (!buffer) {
        buffer = copy_of(host, bytes);
        offset = 0;
    }
    const Address resource = add(std::move(buffer), true);
    wrapped_[resource + offset] = resource;
    parts_[resource + offset] = resource + offset + bytes;
    return resource + offset;
}

void Memory::unbind(Address address) {
    parts_.erase(address);
    const auto at = wrapped_.find(address);
    if (at == wrapped_.end()) return;
    resources_.erase(at->second);
    wrapped_.erase(at);
}

Ref<MTL::Buffer> Memory::copy_of(const void* host, std::uint64_t bytes) {
    auto buffer = NS::TransferPtr(device_.newBuffer(host, bytes, kShared));
    if (!buffer) throw too_little(bytes);
    return buffer;
}

const Memory::Resource& Memory::resource_at(Address address) const {
    const auto at = at_or_before(resources_, address);
    if (at == resources_.end() || address >= at->second.first + at->second.bytes) {
        throw DeviceError(fmt::format("address {:#x} is not inside a buffer", address));
    }
    return at->second;
}

Range Memory::part_at(Address address) const {
    const auto at = at_or_before(parts_, address);
    return at != parts_.end() && address < at->second ? Range{at->first, at->second} : kEverywhere;
}

}  // namespace whorl::gpu::metal
