// The memory of the simulated device.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <vector>

#include "device/sim/dispatch.hpp"

namespace whorl::gpu::sim {

/// Parts of all simulated devices of the process. Entries are only read while bound. An address is the number of a bound
/// part and a byte offset in it, so that kernels are kept inside the part.
class PartTable final : public AddressSpace {
public:
    Address bind(std::byte* bytes, u64 size);
    void unbind(Address address);
    Part resolve(Address address, u64 size) const override;
    u64 part_of(Address address) const override { return address >> kOffsetBits; }

private:
    static constexpr unsigned kOffsetBits = 40;
    static constexpr std::size_t kMaxParts = std::size_t{1} << 16;
    struct Bound {
        std::byte* bytes = nullptr;
        u64 size = 0;
    };

    std::mutex mutex_;
    std::array<Bound, kMaxParts> parts_{};
    std::vector<std::uint32_t> free_;
    std::uint32_t next_ = 1;  // address 0 is nothing
};

PartTable& parts();

}  // namespace whorl::gpu::sim
