// From a proof to yes or no.
#pragma once

#include <cstdint>
#include <string>

#include <whorl/error.hpp>
#include <whorl/key.hpp>
#include <whorl/proof.hpp>

namespace whorl {

/// One kind for every rule of the protocol (PROTOCOL.md section 17).
enum class VerifyErrorKind : std::uint8_t;

/// Why a proof is rejected: an ordinary answer, not a fault.
struct VerifyError {
    VerifyErrorKind kind;
    std::string stage;     ///< e.g. "gkr.layer3"
    std::string place;     ///< e.g. "AIR 2, cached part 0"; may be empty
    std::string expected;  ///< may be empty
    std::string found;     ///< may be empty
};

/// Checks `proof` against `vk`. Never throws and takes time and memory bounded by the key.
Result<void, VerifyError> verify(const VerifyingKey& vk, const Proof& proof);

}  // namespace whorl
