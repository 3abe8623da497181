// A proving task as the stage drivers and backends see it: key, sorted traces and their layout.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include <whorl/key.hpp>
#include <whorl/prove.hpp>
#include <whorl/telemetry.hpp>
#include <whorl/trace.hpp>
#include <whorl/transcript.hpp>

#include "proof/layout.hpp"
#include "prover/progress.hpp"

namespace whorl {

/// A proof as far as key and heights decide it: enough to say what it will take.
struct ProofShape {
    const VerifyingKey* vk = nullptr;
    ProofLayout layout;
    std::vector<bool> is_committed;  ///< by commitment of the layout: whether it is made before the proof

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
    /// The part of `trace` that a variable reads.
    PartRef part_of(std::uint32_t trace, const Variable& variable) const {
        if (variable.entry == Variable::Entry::kPreprocessed) return {PartRef::Kind::kPreprocessed, trace, 0};
        if (variable.part_index < air(trace).width.cached_mains.size())
            return {PartRef::Kind::kCachedMain, trace, variable.part_index};
        return {PartRef::Kind::kCommonMain, trace, 0};
    }
    /// A trace's parts in proof order: common main, preprocessed, cached 0, cached 1, …
    std::vector<PartRef> parts(std::uint32_t trace) const;
};

/// With no commitment made before. `log_heights` as for make_proof_layout.
ProofShape make_proof_shape(const VerifyingKey& vk, std::span<const int> log_heights);

struct ProverInput : ProofShape {
    std::vector<const AirTrace*> traces{};         ///< in the order of layout.traces
    std::vector<const TracePart*> preprocessed{};  ///< likewise; null where there is none
    Telemetry* telemetry = nullptr;
    ProgressMeter* progress = nullptr;
    Transcript* transcript = nullptr;  ///< the proof goes on from it and leaves its end there; null: from a new one

    /// `fraction` of the current stage is done.
    void reach(double fraction) const {
        if (progress != nullptr) progress->reach(fraction);
    }
    /// Null for a common main, which has no commitment of its own.
    const TracePart* own_part(const PartRef& part) const {
        if (part.kind == PartRef::Kind::kPreprocessed) return preprocessed[part.trace];
        return part.kind == PartRef::Kind::kCachedMain ? &traces[part.trace]->cached_mains[part.cached] : nullptr;
    }
    const Matrix& part(const PartRef& part) const {
        const TracePart* own = own_part(part);
        return own != nullptr ? own->matrix() : traces[part.trace]->common_main;
    }
    /// Null where a part's commitment is still to be made.
    const CommittedMatrix* committed(const PartRef& part) const {
        const TracePart* own = own_part(part);
        return own != nullptr ? own->committed() : nullptr;
    }
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

/// Sorts and lays out `traces`, which check_traces has accepted. `preprocessed`, unless empty, has an entry for each AIR of the
/// key, which is taken instead of the trace's.
ProverInput make_prover_input(const VerifyingKey& vk, std::span<const AirTrace> traces, Telemetry* telemetry,
                              std::span<const std::optional<TracePart>> preprocessed = {});

}  // namespace whorl
