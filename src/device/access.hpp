// What a dispatch does with memory, as its kernel's list declares it (kernels/types.h).
#pragma once

#include <cstddef>
#include <cstring>

#include "device/runtime.hpp"

namespace whorl::gpu {

/// An address among a kernel's parameters.
struct AddressUse {
    std::size_t index = 0;  ///< among the u64 fields
    Address address = 0;
    bool is_read = false, is_written = false;  ///< the memory there
    /// The memory whose addresses are found there.
    bool is_named_read = false, is_named_written = false;
};

/// Calls work(use) for each address in `params`, in their order.
template <class Work>
void for_each_address(const KernelInfo& kernel, const std::byte* params, const Work& work) {
    for (std::size_t i = 0; kernel.access[i] != '\0'; ++i) {
        const char letter = kernel.access[i];
        if (letter == '-') continue;
        AddressUse use;
        use.index = i;
        std::memcpy(&use.address, params + i * sizeof(Address), sizeof(Address));
        use.is_read = letter != 'w';
        use.is_written = letter == 'w' || letter == 'x' || letter == 'T';
        use.is_named_read = letter == 't' || letter == 'T';
        use.is_named_written = letter == 'T';
        work(use);
    }
}

}  // namespace whorl::gpu
