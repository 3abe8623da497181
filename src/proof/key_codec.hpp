// Reading a verifying key with or without its pre-hash checked. Users call decode_verifying_key (whorl/key.hpp).
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include <whorl/key.hpp>

namespace whorl {

enum class PreHashCheck { kCheck, kIgnore };

/// decode_verifying_key; with kIgnore the pre-hash is read but may be any digest (the fuzzer, which alters bodies, sets
/// it again).
Result<VerifyingKey> decode_verifying_key(std::span<const std::byte> bytes, PreHashCheck check) noexcept;

}  // namespace whorl
