// Buffers.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "foundation.hpp"
#include "memory.hpp"
#include "object.hpp"

namespace fake_metal {

enum class StorageMode : std::uint8_t { kShared = 0, kManaged = 1, kPrivate = 2 };

/// MTLResourceOptions.
struct ResourceOptions {
    explicit ResourceOptions(std::uint64_t bits);
    StorageMode storage;
    bool is_tracked;
};

class Buffer final : public Object {
public:
    Buffer(std::uint64_t length, ResourceOptions options);
    /// Of the host's memory, without a copy.
    Buffer(const void* host, std::uint64_t length, ResourceOptions options);
    ~Buffer() override;

    /// Misuse for private memory.
    void* contents();
    std::uint64_t device_address() const { return reinterpret_cast<std::uint64_t>(memory_.device()); }
    std::uint64_t length() const { return memory_.bytes(); }
    bool is_wrapped() const { return memory_.is_wrapped(); }
    bool is_tracked() const { return options_.is_tracked; }
    DeviceMemory& memory() { return memory_; }
    const DeviceMemory& memory() const { return memory_; }
    /// Takes over what the host's memory holds when a command buffer, whose number is given, first uses it.
    void refresh(std::uint64_t command_buffer);
    void set_label(const String* label) { label_ = text_of(label); }
    String* label() const { return make_string(label_); }
    /// For messages: "buffer 'label'".
    std::string name() const;

private:
    ResourceOptions options_;
    DeviceMemory memory_;
    std::string label_;
    std::uint64_t last_command_buffer_ = 0;  // that used memory of the host
};

/// Bytes of all buffers.
std::uint64_t allocated_bytes();

/// What kernels may reach, and whether they may write it.
struct ResidentBuffer {
    Buffer* buffer;
    bool is_writable;
};
using Residency = std::vector<ResidentBuffer>;

/// From now on kernels of a command buffer, whose number is given, reach these buffers and no others.
void make_resident(const Residency& residency, std::uint64_t command_buffer);

/// What an access to an address did wrong.
std::string describe_access(const std::byte* address, bool is_write);

}  // namespace fake_metal
