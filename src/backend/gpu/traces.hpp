// The trace columns of a proof as the device sees them.
#pragma once

#include <cstdint>
#include <map>
#include <tuple>
#include <vector>

#include <whorl/key.hpp>

#include "backend/gpu/device.hpp"
#include "prover/input.hpp"

namespace whorl::gpu {

/// Traces are wrapped where host and device share memory, and copied otherwise. A matrix larger than the device takes in one
/// buffer is cut between columns.
class DeviceTraces {
public:
    /// Errors: DeviceError with the figures for a column that is larger than any buffer may be.
    DeviceTraces(Device& device, const ProverInput& input);
    ~DeviceTraces();
    DeviceTraces(const DeviceTraces&) = delete;
    DeviceTraces& operator=(const DeviceTraces&) = delete;

    /// Where a column starts; its height is that of its trace.
    Address column(const PartRef& part, std::size_t column) const;
    /// How many columns lie end to end from this one on.
    std::size_t num_adjacent(const PartRef& part, std::size_t column) const;
    /// The column that a variable of trace t reads (its offset aside).
    Address column(std::uint32_t trace, const Variable& variable) const;

private:
    struct Part {
        std::vector<Address> pieces;
        std::size_t columns_per_piece = 0;
        std::size_t num_columns = 0;
    };
    Part bring(const Matrix& matrix);
    const Part& pieces(const PartRef& part) const { return parts_.at({part.trace, part.kind, part.cached}); }
    Address bring(const void* words, std::uint64_t bytes);

    Device& device_;
    const ProverInput& input_;
    std::vector<Buffer> buffers_;
    std::vector<Address> wrapped_;
    std::map<std::tuple<std::uint32_t, PartRef::Kind, std::uint32_t>, Part> parts_;  // (trace, kind, cached)
};

}  // namespace whorl::gpu
