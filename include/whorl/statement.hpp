// Statements: what a proof must be about to be accepted, and what a proof is about.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include <whorl/error.hpp>
#include <whorl/field.hpp>
#include <whorl/key.hpp>
#include <whorl/params.hpp>
#include <whorl/proof.hpp>
#include <whorl/verify.hpp>

namespace whorl {

/// The security that all presets have, and below which a key is weak.
inline constexpr double kDefaultMinSecurityBits = 100;

/// An AIR that must have a trace. What is not set may be anything.
struct AirStatement {
    std::size_t air_id = 0;                     ///< index in the key
    std::optional<std::uint32_t> log_height{};  ///< log2 of the trace's rows
    std::optional<std::vector<Fp>> public_values{};
    std::optional<std::vector<Digest>> cached_commitments{};
    friend bool operator==(const AirStatement&, const AirStatement&) = default;
};

/// What a caller knows before it sees a proof.
struct Statement {
    std::vector<AirStatement> airs{};
    /// Whether AIRs that are not listed may have a trace, which may then be any.
    bool allows_other_airs = true;
    std::optional<SystemParams> params{};  ///< the key's
    /// The key's, computed again from its content, so that it names the AIRs, their constraints and the parameters.
    std::optional<Digest> pre_hash{};
    /// Least security_bits(vk)->total(). A key below it is refused; 0 accepts all keys.
    double min_security_bits = kDefaultMinSecurityBits;
    friend bool operator==(const Statement&, const Statement&) = default;
};

/// Checks that key and proof are those of `statement`, then judges the proof as verify(vk, proof) does. Only the second
/// step costs more than reading key and proof once. Errors: the kinds of VerifyErrorKind for which is_about_statement is
/// true, which leave open whether the proof is valid; those of verify(vk, proof).
Result<void, VerifyError> verify(const VerifyingKey& vk, const Proof& proof, const Statement& statement,
                                 const VerifierOptions& options = {}) noexcept;
/// The same for a proof that goes on from `transcript`, as verify(vk, proof, transcript) does.
Result<void, VerifyError> verify(const VerifyingKey& vk, const Proof& proof, const Statement& statement,
                                 Transcript& transcript, const VerifierOptions& options = {}) noexcept;

/// All that `proof` says under `vk`: each AIR that has a trace, with height, public values and cached commitments, that no other
/// has, and the key's parameters and pre-hash; min_security_bits is the default. Says nothing about whether the proof is valid.
/// Errors: kInvalidArgument where the proof is for another number of AIRs; kMachine (memory).
Result<Statement> statement_of(const VerifyingKey& vk, const Proof& proof) noexcept;

/// Parts of a proof that has not been judged, by AIR. The spans refer to `proof`.
/// Errors: kInvalidArgument where the proof has no such AIR or the AIR has no trace, for a height of 2^64 and more too.
Result<std::span<const Fp>> public_values_of(const Proof& proof, std::size_t air_id) noexcept;
Result<std::span<const Digest>> cached_commitments_of(const Proof& proof, std::size_t air_id) noexcept;
Result<std::uint32_t> log_height_of(const Proof& proof, std::size_t air_id) noexcept;
Result<std::uint64_t> height_of(const Proof& proof, std::size_t air_id) noexcept;
Result<std::span<const Fp>> public_values_of(const Proof&& proof, std::size_t air_id) = delete;
Result<std::span<const Digest>> cached_commitments_of(const Proof&& proof, std::size_t air_id) = delete;

/// Whether an AIR has a trace. Errors: kInvalidArgument where the proof has no such AIR.
Result<bool> has_trace(const Proof& proof, std::size_t air_id) noexcept;

}  // namespace whorl
