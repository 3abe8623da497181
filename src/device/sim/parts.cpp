#include "device/sim/parts.hpp"

#include <fmt/format.h>

#include <stdexcept>

namespace whorl::gpu::sim {

Address PartTable::bind(std::byte* bytes, u64 size) {
    const std::lock_guard lock(mutex_);
    std::uint32_t slot;
    if (!free_.empty()) {
        slot = free_.back();
        free_.pop_back();
    } else {
        if (next_ == kMaxParts) throw DeviceError("sim: too many buffers bound at once");
        // unbind(), which destructors call, takes no memory: there is room for all slots.
        if (free_.capacity() <= next_) free_.reserve(2 * (std::size_t{next_} + 1));
        slot = next_++;
    }
    parts_[slot] = {bytes, size};
    return u64{slot} << kOffsetBits;
}

void PartTable::unbind(Address address) {
    const std::lock_guard lock(mutex_);
    const std::uint32_t slot = static_cast<std::uint32_t>(address >> kOffsetBits);
    parts_[slot] = {};
    free_.push_back(slot);
}

AddressSpace::Part PartTable::resolve(Address address, u64 size) const {
    const u64 slot = address >> kOffsetBits;
    const u64 offset = address & ((u64{1} << kOffsetBits) - 1);
    if (slot >= kMaxParts || parts_[slot].bytes == nullptr || offset > parts_[slot].size ||
        size > parts_[slot].size - offset) {
        throw std::runtime_error(fmt::format("address {:#x} (+{} bytes) is not inside a buffer", address, size));
    }
    return {parts_[slot].bytes + offset, parts_[slot].size - offset, slot};
}

PartTable& parts() {
    static PartTable table;
    return table;
}

}  // namespace whorl::gpu::sim
