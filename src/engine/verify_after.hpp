// A proof verified by the prover that made it.
#pragma once

#include <functional>
#include <optional>
#include <span>

#include <whorl/error.hpp>
#include <whorl/key.hpp>
#include <whorl/proof.hpp>
#include <whorl/prove.hpp>
#include <whorl/trace.hpp>
#include <whorl/transcript.hpp>

namespace whorl {

/// Whether the verifier accepts `proof`, made of `traces` and of `preprocessed` as make_prover_input takes them, as it is read
/// back from its bytes: what is verified is what will be written. The proof went on from `start`. Under a span "verify"; messages
/// use options.air_names and options.notes. `copy_to_host` is asked for columns on a device, where the proof is rejected.
/// Errors: kUnsatisfied, kInternal (whorl::prove).
Result<void> verify_made(const VerifyingKey& vk, std::span<const AirTrace> traces,
                         std::span<const std::optional<TracePart>> preprocessed, const ProverOptions& options,
                         const Proof& proof, const Transcript& start, Telemetry* telemetry,
                         const std::function<Matrix(const Matrix&)>& copy_to_host = {});

}  // namespace whorl
