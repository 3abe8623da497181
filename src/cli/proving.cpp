#include "cli/proving.hpp"

#include <utility>

#include <whorl/telemetry_export.hpp>

namespace whorl::cli {

Result<ProofBytes> make_proof(Session& session, const VerifyingKey& vk, std::span<const AirTrace> traces,
                              std::vector<std::string> air_names, KeyNotes notes, bool is_verified) {
    const Telemetry& telemetry = session.telemetry();
    const std::size_t first_span = telemetry.spans().size();
    const double start_ms = session.telemetry().now_ms();
    ProverOptions options = session.prover_options();
    options.verify_after = is_verified;
    options.air_names = std::move(air_names);
    options.notes = std::move(notes);
    const Result<Proof> proof = prove(vk, traces, options);
    if (!proof) return proof.error();
    Result<std::vector<std::byte>> bytes = encode_proof(*proof);
    if (!bytes) return std::move(bytes).error();
    const auto times_ms = time_ms_by_name(telemetry, first_span);
    if (!times_ms) return times_ms.error();
    ProofBytes out{.bytes = *std::move(bytes)};
    for (const auto& [name, time_ms] : *times_ms) {
        if (name == "verify") out.verify_ms = time_ms;
    }
    out.prove_ms = session.telemetry().now_ms() - start_ms - out.verify_ms;
    session.set_proof_bytes(out.bytes.size());
    return out;
}

void say_verified(Session& session, const ProofBytes& proof, bool is_verified) {
    if (is_verified) session.say("verified in {:.1f} ms\n", proof.verify_ms);
}

}  // namespace whorl::cli
