#include "verifier/statement.hpp"
#include "verifier/security_text.hpp"

#include <algorithm>
#include <new>
#include <string>
#include <string_view>
#include <variant>

#include <whorl/security.hpp>

#include "key/params_difference.hpp"
#include "machine/guard.hpp"
#include "verifier/context.hpp"

namespace whorl {
namespace {

constexpr std::string_view kProofStage = "proof";

// The trace of an AIR; nothing where it has none.
Result<const TraceVData*> trace_data(const Proof& proof, std::size_t air_id) {
    if (air_id >= proof.trace_vdata.size()) {
        return Error{.code = ErrorCode::kInvalidArgument,
                     .stage = std::string(kProofStage),
                     .message = fmt::format("no AIR {}, the proof has {}", air_id, proof.trace_vdata.size())};
    }
    const auto& data = proof.trace_vdata[air_id];
    return data ? &*data : nullptr;
}

Result<const TraceVData*> present_trace_data(const Proof& proof, std::size_t air_id) {
    Result<const TraceVData*> data = trace_data(proof, air_id);
    if (data && *data == nullptr) {
        return Error{.code = ErrorCode::kInvalidArgument,
                     .stage = std::string(kProofStage),
                     .message = fmt::format("AIR {} has no trace", air_id)};
    }
    return data;
}

}  // namespace

namespace verifier {
namespace {

using Kind = VerifyErrorKind;
using Rejection = std::optional<VerifyError>;

// Names the first parameter that differs.
Rejection check_params_are(const SystemParams& expected, const SystemParams& found) {
    const std::optional<ParamsDifference> difference = find_difference(expected, found);
    if (!difference) return std::nullopt;
    return VerifyError{Kind::kStatementParams, "statement.params", difference->name, difference->first,
                       difference->second};
}

Rejection check_pre_hash_is(const Digest& expected, const VerifyingKey& vk) {
    constexpr const char* kStage = "statement.pre_hash";
    // The stored hash is what the transcript takes; the computed one is of what the proof is judged by.
    if (vk.pre_hash != expected) return reject(Kind::kStatementPreHash, kStage, "", expected, vk.pre_hash);
    const Result<Digest> computed = verifying_key_pre_hash(vk);
    if (!computed) throw std::bad_alloc();  // its only error
    if (*computed != expected) {
        return reject(Kind::kStatementPreHash, kStage, "computed from the key", expected, *computed);
    }
    return std::nullopt;
}

Rejection check_security(const VerifyingKey& vk, double min_security_bits) {
    const Result<SecurityBits> bits = security_bits(vk);
    if (!bits && bits.error().code == ErrorCode::kMachine) throw std::bad_alloc();
    // Parameters that cannot be worked with: the proof's judgement says so.
    if (!bits) return std::nullopt;
    const double total = std::max(0.0, bits->total());
    if (total >= min_security_bits) return std::nullopt;  // so that nothing suffices where NaN is asked for
    return VerifyError{Kind::kStatementSecurity, "statement.security", bits->weakest(),
                       fmt::format("at least {} bits", min_security_bits), bits_text(total) + " bits"};
}

Rejection check_public_values(const AirStatement& air, std::span<const Fp> found) {
    constexpr const char* kStage = "statement.public_values";
    const std::vector<Fp>& expected = *air.public_values;
    const std::string place = fmt::format("AIR {}", air.air_id);
    if (expected.size() != found.size()) {
        return reject(Kind::kStatementPublicValueCount, kStage, place, std::uint64_t{expected.size()},
                      std::uint64_t{found.size()});
    }
    for (std::size_t i = 0; i < found.size(); ++i) {
        if (expected[i] == found[i]) continue;
        return reject(Kind::kStatementPublicValue, kStage, fmt::format("{}, public value {}", place, i),
                      std::uint64_t{expected[i].canonical()}, std::uint64_t{found[i].canonical()});
    }
    return std::nullopt;
}

Rejection check_cached_commitments(const AirStatement& air, std::span<const Digest> found) {
    constexpr const char* kStage = "statement.cached_commitments";
    const std::vector<Digest>& expected = *air.cached_commitments;
    const std::string place = fmt::format("AIR {}", air.air_id);
    if (expected.size() != found.size()) {
        return reject(Kind::kStatementCachedCommitmentCount, kStage, place, std::uint64_t{expected.size()},
                      std::uint64_t{found.size()});
    }
    for (std::size_t i = 0; i < found.size(); ++i) {
        if (expected[i] == found[i]) continue;
        return reject(Kind::kStatementCachedCommitment, kStage, fmt::format("{}, cached part {}", place, i),
                      expected[i], found[i]);
    }
    return std::nullopt;
}

Rejection check_air(const VerifyingKey& vk, const Proof& proof, const AirStatement& air) {
    constexpr const char* kStage = "statement.airs";
    const std::string place = fmt::format("AIR {}", air.air_id);
    if (air.air_id >= vk.airs.size()) {
        return VerifyError{Kind::kStatementAirIndex, kStage, place, fmt::format("an AIR below {}", vk.airs.size()), {}};
    }
    const Result<const TraceVData*> data = present_trace_data(proof, air.air_id);
    if (!data) return reject(Kind::kStatementAirAbsent, kStage, place);
    if (air.log_height && *air.log_height != (*data)->log_height) {
        return reject(Kind::kStatementHeight, kStage, place, std::uint64_t{*air.log_height},
                      std::uint64_t{(*data)->log_height});
    }
    if (air.public_values) {
        std::span<const Fp> found;
        if (air.air_id < proof.public_values.size()) found = proof.public_values[air.air_id];
        if (Rejection rejection = check_public_values(air, found)) return rejection;
    }
    if (air.cached_commitments) return check_cached_commitments(air, (*data)->cached_commitments);
    return std::nullopt;
}

Rejection check_no_other_air(const Proof& proof, const Statement& statement) {
    // check_air has found that each is there.
    std::vector<bool> is_listed(proof.trace_vdata.size());
    for (const AirStatement& air : statement.airs) is_listed[air.air_id] = true;
    for (std::size_t i = 0; i < is_listed.size(); ++i) {
        if (is_listed[i] || !proof.trace_vdata[i]) continue;
        return reject(Kind::kStatementOtherAir, "statement.airs", fmt::format("AIR {}", i));
    }
    return std::nullopt;
}

}  // namespace

Rejection find_violation(const VerifyingKey& vk, const Proof& proof, const Statement& statement) {
    if (statement.params) {
        if (Rejection rejection = check_params_are(*statement.params, vk.params)) return rejection;
    }
    if (statement.pre_hash) {
        if (Rejection rejection = check_pre_hash_is(*statement.pre_hash, vk)) return rejection;
    }
    if (Rejection rejection = check_security(vk, statement.min_security_bits)) return rejection;
    for (const AirStatement& air : statement.airs) {
        if (Rejection rejection = check_air(vk, proof, air)) return rejection;
    }
    if (!statement.allows_other_airs) return check_no_other_air(proof, statement);
    return std::nullopt;
}

}  // namespace verifier

Result<bool> has_trace(const Proof& proof, std::size_t air_id) noexcept {
    return guarded(kProofStage, [&]() -> Result<bool> {
        const Result<const TraceVData*> data = trace_data(proof, air_id);
        if (!data) return data.error();
        return *data != nullptr;
    });
}

Result<std::span<const Fp>> public_values_of(const Proof& proof, std::size_t air_id) noexcept {
    return guarded(kProofStage, [&]() -> Result<std::span<const Fp>> {
        if (const auto data = present_trace_data(proof, air_id); !data) return data.error();
        if (air_id >= proof.public_values.size()) {
            return Error{.code = ErrorCode::kInvalidArgument,
                         .stage = std::string(kProofStage),
                         .message = fmt::format("no public values of AIR {}, the proof has those of {} AIRs", air_id,
                                                proof.public_values.size())};
        }
        return std::span<const Fp>(proof.public_values[air_id]);
    });
}

Result<std::span<const Digest>> cached_commitments_of(const Proof& proof, std::size_t air_id) noexcept {
    return guarded(kProofStage, [&]() -> Result<std::span<const Digest>> {
        const auto data = present_trace_data(proof, air_id);
        if (!data) return data.error();
        return std::span<const Digest>((*data)->cached_commitments);
    });
}

Result<std::uint32_t> log_height_of(const Proof& proof, std::size_t air_id) noexcept {
    return guarded(kProofStage, [&]() -> Result<std::uint32_t> {
        const auto data = present_trace_data(proof, air_id);
        if (!data) return data.error();
        return (*data)->log_height;
    });
}

Result<std::uint64_t> height_of(const Proof& proof, std::size_t air_id) noexcept {
    return guarded(kProofStage, [&]() -> Result<std::uint64_t> {
        const Result<std::uint32_t> log_height = log_height_of(proof, air_id);
        if (!log_height) return log_height.error();
        if (*log_height >= 64) {
            return Error{
                .code = ErrorCode::kInvalidArgument,
                .stage = std::string(kProofStage),
                .message = fmt::format("AIR {} has a height of 2^{}, expected below 2^64", air_id, *log_height)};
        }
        return std::uint64_t{1} << *log_height;
    });
}

Result<Statement> statement_of(const VerifyingKey& vk, const Proof& proof) noexcept {
    return guarded("statement_of", [&]() -> Result<Statement> {
        if (proof.trace_vdata.size() != vk.airs.size() || proof.public_values.size() != vk.airs.size()) {
            return Error{.code = ErrorCode::kInvalidArgument,
                         .stage = "statement_of",
                         .message = fmt::format("a proof for {} AIRs with public values of {}, the key has {}",
                                                proof.trace_vdata.size(), proof.public_values.size(), vk.airs.size())};
        }
        Statement statement;
        statement.allows_other_airs = false;
        statement.params = vk.params;
        statement.pre_hash = vk.pre_hash;
        for (std::size_t i = 0; i < proof.trace_vdata.size(); ++i) {
            const auto& data = proof.trace_vdata[i];
            if (!data) continue;
            statement.airs.push_back({.air_id = i,
                                      .log_height = data->log_height,
                                      .public_values = proof.public_values[i],
                                      .cached_commitments = data->cached_commitments});
        }
        return statement;
    });
}

}  // namespace whorl
