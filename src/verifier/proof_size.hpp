// How many bytes a proof has.
#pragma once

#include <cstdint>

#include <whorl/key.hpp>

#include "proof/layout.hpp"

namespace whorl {

/// The bytes of encode_proof for a proof of traces laid out so under `vk`. Precondition: check_key(vk).
std::uint64_t proof_bytes(const VerifyingKey& vk, const ProofLayout& layout);

}  // namespace whorl
