// Constants of Poseidon2 for hash/wide_rounds-inl.hpp, where words lie in 64-bit lanes and a product divides by 2^52.
#pragma once

#include "hash/poseidon2.hpp"

#include <array>
#include <cstdint>

namespace whorl {

/// Pairs of words whose entries of the diagonal are d and −d, for d = 1/2, 3, 4, 2^-8, 2^-27. With p = u + v and m = u − v an
/// internal round with sum σ is p' = 2σ + d·m, m' = d·p, and only p enters the sum.
inline constexpr unsigned kPoseidonPairs = 5;
inline constexpr std::array<std::array<unsigned, 2>, kPoseidonPairs> kPoseidonPair = {
    {{3, 6}, {4, 7}, {5, 8}, {9, 13}, {12, 15}}};
/// Words without a partner, with −2, 1, 2, 1/4, 1/8 and −1/16.
inline constexpr std::array<unsigned, 6> kPoseidonSingles = {0, 1, 2, 10, 11, 14};

/// A row of numbers for each word of the state.
using WideWords = std::array<std::uint64_t, kPoseidonWidth>;

/// A word of round r stands for x·λ, λ = 2^52 up to the last internal round (S-boxes keep it: six divisions by 2^52 are in one)
/// and then 2^53, which each S-box changes to λ^7·2^-312.
struct WidePoseidonConstants {
    std::array<std::uint32_t, kPoseidonWidth> entry;  // added to words in [0, p) of the factor 2^32
    // What the last product of each S-box starts from: the next constant, taken back through the external linear map, and
    // what every product starts from.
    std::array<WideWords, kPoseidonHalfRounds> initial, final;
    struct InternalRound {
        std::uint64_t next;  // added to word 0 after the round
        // d² for the pairs, where m/d is held in place of m (d in the first round, where it is m), and 1/4, 1/8, −1/16; times 2^52.
        std::array<std::uint64_t, kPoseidonPairs + 3> factors;
    };
    std::array<InternalRound, kPoseidonInternalRounds> internal;
    // Behind the internal rounds: u = p + (d·(m/d) + first), v = p − (d·(m/d) + first) + second; 2·s + single.
    std::array<std::uint64_t, kPoseidonPairs> exit_factor, exit_first, exit_second;
    std::array<std::uint64_t, kPoseidonSingles.size()> exit_single;
    std::uint64_t exit_scale;      // brings the last words to the factor 2^32
    std::uint64_t product_offset;  // 1 − 2^-52 mod p, in [1, p]: what a product starts from
};
extern const WidePoseidonConstants kWidePoseidonConstants;

}  // namespace whorl
