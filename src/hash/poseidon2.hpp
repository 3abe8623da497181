// Poseidon2 over BabyBear, width 16 (PROTOCOL.md 3.1), one state at a time. Many states at once: hash/batch.hpp.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include <whorl/field.hpp>

namespace whorl {

inline constexpr unsigned kPoseidonWidth = 16;
inline constexpr unsigned kPoseidonRate = 8;
inline constexpr unsigned kPoseidonHalfRounds = 4;  // external rounds on each side
inline constexpr unsigned kPoseidonInternalRounds = 13;

using PoseidonState = std::array<Fp, kPoseidonWidth>;

/// Words of round constants minus p, modulo 2^32: added to a word in [0, p) they give one in [−p, p), as S-boxes on vectors
/// take them.
using PoseidonWords = std::array<std::uint32_t, kPoseidonWidth>;

struct PoseidonConstants {
    std::array<PoseidonState, kPoseidonHalfRounds> initial;
    std::array<Fp, kPoseidonInternalRounds> internal;
    std::array<PoseidonState, kPoseidonHalfRounds> final;
    std::array<PoseidonWords, kPoseidonHalfRounds> initial_words;
    std::array<std::uint32_t, kPoseidonInternalRounds> internal_words;
    std::array<PoseidonWords, kPoseidonHalfRounds> final_words;
    PoseidonState diagonal;  // V: the internal map sends s to Σ s[j] + V[i]·s[i]
};
/// The constants of PROTOCOL.md A.2 and A.3.
extern const PoseidonConstants kPoseidonConstants;

void poseidon2_permute(PoseidonState& state);

/// Sponge hash in overwrite mode without padding (PROTOCOL.md 3.2); the empty list hashes to zeros.
Digest hash_slice(std::span<const Fp> values);

/// First half of permute(left ‖ right).
Digest compress(const Digest& left, const Digest& right);

/// Folds 2^j digests pairwise to one.
Digest tree_compress(std::span<const Digest> digests);

}  // namespace whorl
