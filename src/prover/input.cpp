#include "prover/input.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string>

namespace whorl {
namespace {

std::string digest_text(const Digest& digest) {
    std::string text;
    for (const Fp x : digest) text += fmt::format("{:08x}", x.canonical());
    return text;
}

}  // namespace

std::string preprocessed_mismatch(const Digest& found, const Digest& expected) {
    return fmt::format(
        "preprocessed part: expected the columns that the key commits to (commitment {}), found columns with the "
        "commitment {}; prove with the columns that the key was made from, or make the key again",
        digest_text(expected), digest_text(found));
}

void require_preprocessed_commitment(std::uint32_t air_id, const Digest& found, const Digest& expected) {
    if (found != expected) throw InputError(air_id, preprocessed_mismatch(found, expected));
}

std::vector<int> log_heights_of(const VerifyingKey& vk, std::span<const AirTrace> traces) {
    std::vector<int> log_heights(vk.airs.size(), -1);
    for (const AirTrace& trace : traces) log_heights[trace.air_id] = static_cast<int>(trace.common_main.log_height());
    return log_heights;
}

std::vector<PartRef> ProofShape::parts(std::uint32_t trace) const {
    std::vector<PartRef> out{{PartRef::Kind::kCommonMain, trace, 0}};
    if (air(trace).preprocessed) out.push_back({PartRef::Kind::kPreprocessed, trace, 0});
    for (std::uint32_t c = 0; c < air(trace).width.cached_mains.size(); ++c) {
        out.push_back({PartRef::Kind::kCachedMain, trace, c});
    }
    return out;
}

ProofShape make_proof_shape(const VerifyingKey& vk, std::span<const int> log_heights) {
    ProofShape shape;
    shape.vk = &vk;
    shape.layout = make_proof_layout(vk, log_heights);
    shape.is_committed.resize(shape.layout.commitments.size());
    return shape;
}

ProverInput make_prover_input(const VerifyingKey& vk, std::span<const AirTrace> traces, Telemetry* telemetry,
                              std::span<const std::optional<TracePart>> preprocessed) {
    ProverInput input{make_proof_shape(vk, log_heights_of(vk, traces))};
    input.telemetry = telemetry;
    for (const SortedTrace& sorted : input.layout.traces) {
        const auto it = std::ranges::find(traces, sorted.air_id, &AirTrace::air_id);
        input.traces.push_back(&*it);
        const bool is_given = sorted.air_id < preprocessed.size();
        const std::optional<TracePart>& part = is_given ? preprocessed[sorted.air_id] : it->preprocessed;
        input.preprocessed.push_back(part ? &*part : nullptr);
    }
    for (std::size_t c = 0; c < input.layout.commitments.size(); ++c) {
        input.is_committed[c] = input.committed(input.layout.commitments[c].parts[0]) != nullptr;
    }
    return input;
}

}  // namespace whorl
