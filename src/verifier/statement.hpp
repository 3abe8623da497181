// What a key and a proof must be before a proof is judged.
#pragma once

#include <optional>

#include <whorl/statement.hpp>

namespace whorl::verifier {

/// The first part of `statement` that key or proof contradict. Key and proof may be anything.
std::optional<VerifyError> find_violation(const VerifyingKey& vk, const Proof& proof, const Statement& statement);

}  // namespace whorl::verifier
