#include "engine/verify_after.hpp"

#include <fmt/format.h>

#include <optional>
#include <string>

#include <whorl/check.hpp>
#include <whorl/verify.hpp>

namespace whorl {
namespace {

// Why the proof is not acceptable; nothing where it is.
std::optional<std::string> reason_against(const VerifyingKey& vk, const Proof& proof) {
    const Result<Proof> read_back = decode_proof(encode_proof(proof));
    if (!read_back) return "its bytes do not read back: " + to_string(read_back.error());
    if (const auto verified = verify(vk, *read_back); !verified) return to_string(verified.error());
    return std::nullopt;
}

}  // namespace

Result<void> verify_made(const VerifyingKey& vk, std::span<const AirTrace> traces, const Proof& proof,
                         Telemetry* telemetry) {
    std::optional<std::string> reason;
    {
        const Span span(telemetry, "verify");
        reason = reason_against(vk, proof);
    }
    if (!reason) return {};
    // The verifier's rule rarely tells which row is at fault; the check does.
    const Result<CheckReport> report = check_constraints(vk, traces);
    if (report && !report->is_satisfied()) {
        return Error{ErrorCode::kUnsatisfied, "prove",
                     fmt::format("the traces do not satisfy the key, and the verifier rejects their proof ({})\n{}",
                                 *reason, describe(*report))};
    }
    return Error{ErrorCode::kInternal, "prove",
                 fmt::format("the verifier rejects the proof although the traces satisfy the key: {}; this is a bug in "
                             "whorl, please report it with the task and the command",
                             *reason)};
}

}  // namespace whorl
