// Memory as the device sees it: each buffer between pages that nobody may touch, and accessible only while it is resident.
#pragma once

#include <csetjmp>
#include <cstddef>
#include <cstdint>
#include <string>

namespace fake_metal {

enum class Access : std::uint8_t { kNone, kRead, kReadWrite };

class DeviceMemory {
public:
    /// Memory of the device's own, filled with kPoison. Host-visible memory has two addresses: the host's is always
    /// accessible.
    DeviceMemory(std::uint64_t bytes, bool is_host_visible);
    /// The host's memory, of which the device has a copy that refresh() brings up to date; the device cannot write it.
    DeviceMemory(const void* host, std::uint64_t bytes);
    DeviceMemory(const DeviceMemory&) = delete;
    DeviceMemory& operator=(const DeviceMemory&) = delete;
    ~DeviceMemory();

    std::byte* device() const { return device_; }
    /// Null for private memory.
    std::byte* host() const { return host_; }
    std::uint64_t bytes() const { return bytes_; }
    bool is_wrapped() const { return wrapped_ != nullptr; }
    void refresh();
    void allow(Access access);
    Access access() const { return access_; }

    /// How far an address is from this memory, both ends counted as inside.
    std::uint64_t distance(const std::byte* address) const;

private:
    std::uint64_t bytes_;
    std::byte* device_ = nullptr;
    std::byte* host_ = nullptr;
    const void* wrapped_ = nullptr;
    std::byte* mapping_ = nullptr;  // the device's, without guards
    std::byte* host_mapping_ = nullptr;
    std::uint64_t mapping_bytes_ = 0;
    Access access_ = Access::kReadWrite;
};

/// Where a host thread goes on when a kernel touched what it must not: whoever sets one calls sigsetjmp on `environment`.
struct FaultGuard {
    sigjmp_buf environment;
    const std::byte* address = nullptr;
    bool is_write = false;
};

/// Puts a guard (or null) in force on this host thread; returns the one before.
FaultGuard* exchange_fault_guard(FaultGuard* guard);

}  // namespace fake_metal
