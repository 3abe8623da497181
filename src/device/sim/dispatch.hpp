// Carries out one command on the host, over whatever memory its addresses mean.
#pragma once

#include <cstddef>
#include <cstdint>

#include "device/runtime.hpp"
#include "device/sim/kernels.hpp"

namespace whorl::gpu::sim {

/// What the addresses mean that a kernel is given and that it finds in memory.
class AddressSpace {
public:
    /// Memory from an address to the end of what was bound there.
    struct Part {
        std::byte* bytes = nullptr;
        u64 size = 0;
        u64 id = 0;  ///< of what was bound
    };
    virtual ~AddressSpace() = default;
    /// Errors: std::runtime_error where `size` bytes are not inside a part.
    virtual Part resolve(Address address, u64 size) const = 0;
    /// The id of the part that the address lies in; in none: an id that no part has.
    virtual u64 part_of(Address address) const = 0;
};

class RaceCheck;

/// A command of `submission`, whose kernels are those that `find_kernel` knows. Threadgroups of a kernel run in parallel on the calling TBB arena; the threads of a group that
/// has barriers take turns in an order drawn from `seed`. Races are looked for where `races` is given, for which the stage has
/// begun. Errors: DeviceError naming the kernel, for whatever it does that a device would not report.
void run_command(const Submission& submission, const Command& command, FindKernel find_kernel,
                 const AddressSpace& memory, std::uint64_t seed, RaceCheck* races = nullptr);

}  // namespace whorl::gpu::sim
