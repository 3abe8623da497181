// A proof verified by the prover that made it.
#pragma once

#include <span>

#include <whorl/error.hpp>
#include <whorl/key.hpp>
#include <whorl/proof.hpp>
#include <whorl/prove.hpp>
#include <whorl/trace.hpp>

namespace whorl {

/// Whether the verifier accepts `proof`, made of `traces`, as it is read back from its bytes: what is verified is what will be
/// written. Under a span "verify" of options.telemetry; messages use options.air_names and options.notes.
/// Errors: kUnsatisfied, kInternal (whorl::prove).
Result<void> verify_made(const VerifyingKey& vk, std::span<const AirTrace> traces, const ProverOptions& options,
                         const Proof& proof);

}  // namespace whorl
