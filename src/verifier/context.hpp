// What the stages of the verifier share: the inputs, whose shape is known to be right, and how a stage says no.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include <fmt/format.h>
#include <whorl/transcript.hpp>
#include <whorl/verify.hpp>

#include "proof/layout.hpp"

namespace whorl::verifier {

/// Key and proof after check_proof_shape, and their layout.
struct Context {
    const VerifyingKey& vk;
    const Proof& proof;
    const ProofLayout& layout;
    std::uint32_t num_threads = 1;  // for what is done query by query

    const AirVerifyingKey& air(std::uint32_t trace) const { return vk.airs[layout.traces[trace].air_id]; }
};

/// The openings of one part of a trace.
inline const std::vector<Fp4>& part_openings(const Context& context, const PartRef& part) {
    const auto& parts = context.proof.batch_constraint.column_openings[part.trace];
    const bool has_preprocessed = context.air(part.trace).preprocessed.has_value();
    switch (part.kind) {
        case PartRef::Kind::kCommonMain:
            return parts[0];
        case PartRef::Kind::kPreprocessed:
            return parts[1];
        case PartRef::Kind::kCachedMain:
            break;
    }
    return parts[1 + (has_preprocessed ? 1 : 0) + part.cached];
}

/// Column `column`'s opening and rotated opening; without rotations the second is zero.
struct OpeningPair {
    Fp4 plain;
    Fp4 rotated;
};
inline OpeningPair opening_pair(const std::vector<Fp4>& openings, std::size_t column, bool need_rot) {
    if (need_rot) return {openings[2 * column], openings[2 * column + 1]};
    return {openings[column], Fp4()};
}

inline std::string show(const Fp4& x) {
    return fmt::format("[{}, {}, {}, {}]", x.c[0].canonical(), x.c[1].canonical(), x.c[2].canonical(),
                       x.c[3].canonical());
}
inline std::string show(const Digest& digest) {
    std::string text;
    for (const Fp x : digest) text += fmt::format("{:08x}", x.canonical());
    return text;
}
inline std::string show(std::uint64_t x) {
    return fmt::format("{}", x);
}

template <class Expected, class Found>
VerifyError reject(VerifyErrorKind kind, std::string stage, std::string place, const Expected& expected,
                   const Found& found) {
    return {kind, std::move(stage), std::move(place), show(expected), show(found)};
}
inline VerifyError reject(VerifyErrorKind kind, std::string stage, std::string place = {}) {
    return {kind, std::move(stage), std::move(place), {}, {}};
}

}  // namespace whorl::verifier
