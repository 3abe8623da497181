// The invariants of a verifying key, whether it was read, generated or built by hand. Users call check_key (whorl/key.hpp).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include <whorl/key.hpp>

namespace whorl {

/// The first invariant that a key breaks.
struct KeyFault {
    enum class Section : std::uint8_t { kParams, kAirs, kHeightConstraints };

    Section section = Section::kParams;
    std::size_t air_id = 0;  ///< kAirs
    std::string what;        ///< e.g. "node 17, left operand"
    std::string expected;
    std::string found;
};

std::optional<KeyFault> find_key_fault(const VerifyingKey& vk);

}  // namespace whorl
