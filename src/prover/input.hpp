// A proving task as the stage drivers and backends see it: key, sorted traces and their layout.
#pragma once

#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include <whorl/key.hpp>
#include <whorl/prove.hpp>
#include <whorl/telemetry.hpp>
#include <whorl/trace.hpp>

#include "proof/layout.hpp"

namespace whorl {

struct ProverInput {
    const VerifyingKey* vk = nullptr;
    ProofLayout layout;
    std::vector<const AirTrace*> traces;  ///< in the order of layout.traces
    Telemetry* telemetry = nullptr;

    const SystemParams& params() const { return vk->params; }
    const AirVerifyingKey& air(std::size_t trace) const { return vk->airs[layout.traces[trace].air_id]; }
    unsigned log_height(std::size_t trace) const { return layout.traces[trace].log_height; }
    /// Hypercube variables of a trace: max(log_height − l_skip, 0).
    unsigned n_lift(std::size_t trace) const {
        const unsigned l_skip = params().l_skip;
        return log_height(trace) > l_skip ? log_height(trace) - l_skip : 0;
    }
    /// log2 of how often a trace shorter than 2^l_skip is repeated to fill it.
    unsigned log_repetitions(std::size_t trace) const {
        const unsigned l_skip = params().l_skip;
        return log_height(trace) < l_skip ? l_skip - log_height(trace) : 0;
    }
    const Matrix& part(const PartRef& part) const {
        const AirTrace& trace = *traces[part.trace];
        switch (part.kind) {
            case PartRef::Kind::kPreprocessed:
                return *trace.preprocessed;
            case PartRef::Kind::kCachedMain:
                return trace.cached_mains[part.cached];
            case PartRef::Kind::kCommonMain:
                break;
        }
        return trace.common_main;
    }
    /// A trace's parts in proof order: common main, preprocessed, cached 0, cached 1, …
    std::vector<PartRef> parts(std::uint32_t trace) const;
};

/// Traces that are not those of the key, found in the course of a proof. The message names the part of the AIR's trace, and the
/// remedy; who knows the AIR's name puts it in front.
struct InputError : std::runtime_error {
    InputError(std::uint32_t air, const std::string& message) : std::runtime_error(message), air_id(air) {}

    std::uint32_t air_id;
};
/// What is said of preprocessed columns with the commitment `found`, where the key has `expected`.
std::string preprocessed_mismatch(const Digest& found, const Digest& expected);
/// Throws InputError unless `found`, the commitment to the preprocessed part of AIR `air_id`, is the key's.
void require_preprocessed_commitment(std::uint32_t air_id, const Digest& found, const Digest& expected);

/// By AIR of the key: the log height of its trace, −1 where there is none.
std::vector<int> log_heights_of(const VerifyingKey& vk, std::span<const AirTrace> traces);

/// Sorts and lays out `traces`, which check_traces has accepted.
ProverInput make_prover_input(const VerifyingKey& vk, std::span<const AirTrace> traces, Telemetry* telemetry);

}  // namespace whorl
