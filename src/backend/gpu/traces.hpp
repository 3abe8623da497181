// The trace columns of a proof as the device sees them.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include <whorl/key.hpp>

#include "backend/gpu/device.hpp"
#include "prover/input.hpp"

namespace whorl::gpu {

/// The columns of a matrix in device memory, in pieces of whole columns.
struct DeviceColumns {
    std::vector<Address> pieces;
    std::size_t columns_per_piece = 0;
    std::size_t num_columns = 0;
    std::uint64_t column_bytes = 0;

    /// Where a column starts.
    Address column(std::size_t c) const {
        return pieces.at(c / columns_per_piece) + c % columns_per_piece * column_bytes;
    }
    /// How many columns lie end to end from this one on.
    std::size_t num_adjacent(std::size_t c) const;
};
/// Cuts a matrix that is larger than the device takes in one buffer between columns, and has `bring` bring each piece.
/// Errors: DeviceError with the figures for a column that is larger than any buffer may be.
DeviceColumns bring_columns(const DeviceInfo& device, const Matrix& matrix,
                            const std::function<Address(const void* words, std::uint64_t bytes)>& bring);

/// What is wrong with the place of a matrix that a caller has on the device, as what was found; empty where nothing is.
std::string place_problem(const Device& device, const Matrix& matrix);
/// A copy on the host of such a matrix. Errors: DeviceError.
Matrix copy_to_host(Device& device, const Matrix& matrix);

class Residents;

/// Addresses that are unbound in the end.
class BoundAddresses {
public:
    explicit BoundAddresses(Runtime& runtime) : runtime_(runtime) {}
    ~BoundAddresses() {
        for (const Address address : addresses_) runtime_.unbind(address);
    }
    BoundAddresses(const BoundAddresses&) = delete;
    BoundAddresses& operator=(const BoundAddresses&) = delete;

    Address add(Address address) {
        addresses_.push_back(address);
        return address;
    }

private:
    Runtime& runtime_;
    std::vector<Address> addresses_;
};

/// Traces are wrapped where host and device share memory, and copied otherwise; committed parts that stay on the device are
/// neither, nor are matrices that the caller has there.
class DeviceTraces {
public:
    /// Errors: as bring_columns; InputError (words on the device that are no field elements).
    DeviceTraces(Device& device, const Residents& residents, const ProverInput& input);

    /// Their height is that of their trace.
    const DeviceColumns& part(const PartRef& part) const { return parts_.at({part.trace, part.kind, part.cached}); }
    /// The column that a variable of trace t reads (its offset aside).
    Address column(std::uint32_t trace, const Variable& variable) const {
        return part(input_.part_of(trace, variable)).column(variable.index);
    }

private:
    // Where a kernel leaves what it found in columns on the device.
    struct WordCheck {
        PartRef part;
        Mailbox<std::uint32_t> found;
    };

    DeviceColumns bring_part(const PartRef& part);
    Address bring(const void* words, std::uint64_t bytes);
    Address import(const PartRef& part, const DeviceMemory& memory, std::uint64_t bytes);
    void require_elements() const;

    Device& device_;
    const ProverInput& input_;
    std::vector<WordCheck> word_checks_;
    std::vector<Buffer> buffers_;
    BoundAddresses wrapped_;
    std::map<std::tuple<std::uint32_t, PartRef::Kind, std::uint32_t>, DeviceColumns> parts_;  // (trace, kind, cached)
};

}  // namespace whorl::gpu
