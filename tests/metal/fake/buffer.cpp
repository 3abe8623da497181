#include "buffer.hpp"

#include <algorithm>
#include <map>
#include <mutex>

#include "fake_metal.hpp"

namespace fake_metal {
namespace {

struct BufferTable {
    std::recursive_mutex mutex;
    std::map<std::uint64_t, Buffer*> by_address;
};
BufferTable& table() {
    static auto* instance = new BufferTable;
    return *instance;
}

void add(Buffer* buffer) {
    const std::lock_guard lock(table().mutex);
    table().by_address.emplace(buffer->device_address(), buffer);
}

}  // namespace

ResourceOptions::ResourceOptions(std::uint64_t bits)
    : storage(static_cast<StorageMode>(bits >> 4 & 15)), is_tracked((bits >> 8 & 3) != 1) {
    if (storage == StorageMode::kManaged) misuse("managed storage on a device with unified memory");
    if (storage > StorageMode::kPrivate) misuse("buffers cannot be memoryless");
}

Buffer::Buffer(std::uint64_t length, ResourceOptions options)
    : Object("MTLBuffer"), options_(options), memory_(length, options.storage == StorageMode::kShared) {
    add(this);
}

Buffer::Buffer(const void* host, std::uint64_t length, ResourceOptions options)
    : Object("MTLBuffer"), options_(options), memory_(host, length) {
    add(this);
}

Buffer::~Buffer() {
    check_unused(*this);
    const std::lock_guard lock(table().mutex);
    table().by_address.erase(device_address());
}

void* Buffer::contents() {
    if (memory_.host() == nullptr) misuse("contents of {}, which is private", name());
    return memory_.host();
}

void Buffer::refresh(std::uint64_t command_buffer) {
    if (std::exchange(last_command_buffer_, command_buffer) != command_buffer) memory_.refresh();
}

std::string Buffer::name() const {
    return fmt::format("buffer '{}'", label_);
}

std::uint64_t allocated_bytes() {
    const std::lock_guard lock(table().mutex);
    std::uint64_t sum = 0;
    for (const auto& [address, buffer] : table().by_address) sum += buffer->length();
    return sum;
}

std::size_t num_live_buffers() {
    const std::lock_guard lock(table().mutex);
    return table().by_address.size();
}

void make_resident(const Residency& residency, std::uint64_t command_buffer) {
    const std::lock_guard lock(table().mutex);
    for (const ResidentBuffer& resident : residency) {
        if (resident.buffer->is_wrapped()) resident.buffer->refresh(command_buffer);
    }
    for (const auto& [address, buffer] : table().by_address) {
        Access access = Access::kNone;
        for (const ResidentBuffer& resident : residency) {
            if (resident.buffer == buffer)
                access = std::max(access, resident.is_writable ? Access::kReadWrite : Access::kRead);
        }
        buffer->memory().allow(access);
    }
}

std::string describe_access(const std::byte* address, bool is_write) {
    const std::lock_guard lock(table().mutex);
    const auto& buffers = table().by_address;
    const char* verb = is_write ? "written" : "read";
    const auto nearest = std::ranges::min_element(
        buffers, {}, [&](const auto& entry) { return entry.second->memory().distance(address); });
    if (nearest != buffers.end()) {
        const Buffer& buffer = *nearest->second;
        const std::uint64_t distance = buffer.memory().distance(address);
        if (distance == 0) {
            if (buffer.memory().access() == Access::kRead) return buffer.name() + " written though declared read";
            return buffer.name() + " not made resident";
        }
        constexpr std::uint64_t kNear = std::uint64_t{1} << 20;
        if (distance < kNear) {
            const bool is_before = address < buffer.memory().device();
            return fmt::format("outside of every buffer: {} {} bytes {} {}", verb, distance,
                               is_before ? "before" : "behind the last of", buffer.name());
        }
    }
    return fmt::format("outside of every buffer: {} at {:#x}", verb, reinterpret_cast<std::uint64_t>(address));
}

}  // namespace fake_metal
