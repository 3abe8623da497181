#include "engine/verify_after.hpp"

#include <fmt/format.h>

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include <whorl/check.hpp>
#include <whorl/verify.hpp>

#include "text/printable.hpp"

namespace whorl {
namespace {

// Why the proof is not acceptable; nothing where it is. Errors: kMachine, where it was not judged.
Result<std::optional<std::string>> reason_against(const VerifyingKey& vk, const Proof& proof, Transcript transcript) {
    const Result<std::vector<std::byte>> bytes = encode_proof(proof);
    if (!bytes) return bytes.error();
    const Result<Proof> read_back = decode_proof(*bytes);
    if (!read_back && read_back.error().code == ErrorCode::kMachine) return read_back.error();
    if (!read_back) return std::optional("its bytes do not read back: " + to_string(read_back.error()));
    const auto verified = verify(vk, *read_back, transcript);
    if (verified) return std::optional<std::string>();
    if (verified.error().kind == VerifyErrorKind::kMachine) {
        return Error{ErrorCode::kMachine, "verify", to_string(verified.error())};
    }
    return std::optional(to_string(verified.error()));
}

}  // namespace

Result<void> verify_made(const VerifyingKey& vk, std::span<const AirTrace> traces,
                         std::span<const std::optional<TracePart>> preprocessed, const ProverOptions& options,
                         const Proof& proof, const Transcript& start, Telemetry* telemetry,
                         const std::function<Matrix(const Matrix&)>& copy_to_host) {
    const Result<std::optional<std::string>> judged = [&] {
        const Span span(telemetry, "verify");
        return reason_against(vk, proof, start);
    }();
    if (!judged) return judged.error();
    const std::optional<std::string>& reason = *judged;
    if (!reason) return {};
    // The verifier's rule rarely tells which row is at fault; the check does.
    std::vector<AirTrace> whole(traces.begin(), traces.end());
    const auto bring = [&](Matrix* columns) {
        if (columns != nullptr && columns->is_on_device()) *columns = copy_to_host(*columns);
    };
    for (AirTrace& trace : whole) {
        bring(&trace.common_main);
        for (TracePart& part : trace.cached_mains) bring(part.columns());
        if (trace.air_id < preprocessed.size() && preprocessed[trace.air_id])
            trace.preprocessed = preprocessed[trace.air_id];
        if (trace.preprocessed) bring(trace.preprocessed->columns());
    }
    const Result<CheckReport> report = check_constraints(vk, whole, options.air_names, options.notes);
    if (!report) return report.error();
    if (!report->is_satisfied()) {
        return Error{ErrorCode::kUnsatisfied, "prove",
                     fmt::format("the traces do not satisfy the key, and the verifier rejects their proof ({})\n{}",
                                 *reason, describe(*report, printable_names(options.air_names)))};
    }
    return Error{ErrorCode::kInternal, "prove",
                 fmt::format("the verifier rejects the proof although the traces satisfy the key: {}; this is a bug in "
                             "whorl, please report it with the task and the command",
                             *reason)};
}

}  // namespace whorl
