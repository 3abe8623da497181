// The trace columns of a proof as the device sees them.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include <whorl/key.hpp>

#include "backend/gpu/device.hpp"
#include "prover/input.hpp"

namespace whorl::gpu {

/// Traces are wrapped where host and device share memory, and copied otherwise.
class DeviceTraces {
public:
    DeviceTraces(Device& device, const ProverInput& input);
    ~DeviceTraces();
    DeviceTraces(const DeviceTraces&) = delete;
    DeviceTraces& operator=(const DeviceTraces&) = delete;

    /// Where a column starts; its height is that of its trace.
    Address column(const PartRef& part, std::size_t column) const;
    /// The column that a variable of trace t reads (its offset aside).
    Address column(std::uint32_t trace, const Variable& variable) const;

private:
    Device& device_;
    const ProverInput& input_;
    std::vector<Buffer> buffers_;
    std::vector<Address> wrapped_;
    std::map<std::tuple<std::uint32_t, PartRef::Kind, std::uint32_t>, Address> parts_;  // (trace, kind, cached)
};

}  // namespace whorl::gpu
