// Proofs as bytes, verified before anyone sees them.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include <whorl/error.hpp>
#include <whorl/key.hpp>
#include <whorl/trace.hpp>

#include "cli/session.hpp"

namespace whorl::cli {

struct ProofBytes {
    std::vector<std::byte> bytes;
    double prove_ms = 0;   ///< without the verification
    double verify_ms = 0;  ///< 0 unless verified
};

/// Proves on the session's device; `air_names` and `notes` are for messages (ProverOptions). With `is_verified` a proof that the verifier rejects is an error (whorl::prove). Counts the bytes
/// among the session's totals.
Result<ProofBytes> make_proof(Session& session, const VerifyingKey& vk, std::span<const AirTrace> traces,
                              std::vector<std::string> air_names, KeyNotes notes, bool is_verified);
/// "verified in … ms", where it was.
void say_verified(Session& session, const ProofBytes& proof, bool is_verified);

}  // namespace whorl::cli
