// Makes kWidePoseidonConstants, while the compiler runs: for hash/poseidon2.cpp, which has the constants that they come from.
#pragma once

#include <array>
#include <cstdint>

#include "hash/wide_rounds.hpp"

namespace whorl::wide_constants {

inline constexpr Fp kRadix = Fp::from_canonical(2).pow(52);
inline constexpr Fp kOutside = Fp::from_canonical(2).pow(32);

// The inverse of circ(2, 3, 1, 1): as c(z) = 2 + 3z + z² + z³ modulo z⁴ − 1, c(z)·c(−z) has even powers alone, so it is
// d(z²) modulo w² − 1, and d(w)·d(−w) is a number.
constexpr std::array<Fp, 4> inverse_of_circulant() {
    const auto small = [](int x) { return Fp::from_integer(x); };
    const std::array<Fp, 4> c = {small(2), small(1), small(1), small(3)};  // the first column
    const std::array<Fp, 4> alternating = {c[0], -c[1], c[2], -c[3]};
    const auto times = [](const std::array<Fp, 4>& a, const std::array<Fp, 4>& b) {
        std::array<Fp, 4> product{};
        for (unsigned i = 0; i < 4; ++i) {
            for (unsigned j = 0; j < 4; ++j) product[(i + j) % 4] += a[i] * b[j];
        }
        return product;
    };
    const std::array<Fp, 4> even = times(c, alternating);
    const Fp inverse = (even[0].square() - even[2].square()).inverse();
    return times(alternating, {even[0] * inverse, Fp(), -even[2] * inverse, Fp()});
}

// The external linear map is (I + J) ⊗ circ, J all ones of four by four, and (I + J)^-1 = I − J/5.
constexpr PoseidonState before_external_linear(const PoseidonState& after) {
    const std::array<Fp, 4> inverse = inverse_of_circulant();
    PoseidonState blocks{};
    for (unsigned g = 0; g < kPoseidonWidth; g += 4) {
        for (unsigned i = 0; i < 4; ++i) {
            for (unsigned j = 0; j < 4; ++j) blocks[g + (i + j) % 4] += inverse[i] * after[g + j];
        }
    }
    const Fp fifth = Fp::from_canonical(5).inverse();
    PoseidonState out{};
    for (unsigned i = 0; i < kPoseidonWidth; ++i) {
        const Fp sum = blocks[i % 4] + blocks[4 + i % 4] + blocks[8 + i % 4] + blocks[12 + i % 4];
        out[i] = blocks[i] - sum * fifth;
    }
    return out;
}

inline constexpr Fp kOffset = Fp::one() - kRadix.inverse();  // what a product starts from, modulo p

// The least number of its class that is at least 1, and at least 3p: that leaves room for taking off a product.
constexpr std::uint64_t above_zero(Fp x) {
    return std::uint64_t{1} + (x - Fp::one()).canonical();
}
constexpr std::uint64_t above_products(Fp x) {
    return std::uint64_t{3} * Fp::kModulus + x.canonical();
}

// `after` follows the last of the four rounds.
constexpr std::array<WideWords, kPoseidonHalfRounds> round_offsets(
    const std::array<PoseidonState, kPoseidonHalfRounds>& constants, const PoseidonState& after, Fp& factor) {
    std::array<WideWords, kPoseidonHalfRounds> offsets{};
    for (unsigned r = 0; r < kPoseidonHalfRounds; ++r) {
        factor = factor.pow(7) * kRadix.pow(6).inverse();
        const PoseidonState next = before_external_linear(r + 1 < kPoseidonHalfRounds ? constants[r + 1] : after);
        for (unsigned i = 0; i < kPoseidonWidth; ++i) offsets[r][i] = above_zero(next[i] * factor + kOffset);
    }
    return offsets;
}

// Words of the internal rounds are held with these summands too many, so that no round spends instructions on the offsets of
// its products: they come off with the constants of word 0, and at the end.
struct Surplus {
    std::array<Fp, kPoseidonPairs> p, m_over_d;
    std::array<Fp, kPoseidonSingles.size()> singles;

    constexpr Fp sum() const {
        Fp sum;
        for (const Fp x : p) sum += x;
        for (const Fp x : singles) sum += x;
        return sum;
    }
};

constexpr void set_internal(WidePoseidonConstants& out, const PoseidonConstants& constants) {
    std::array<Fp, kPoseidonPairs> d{};
    std::array<Fp, kPoseidonSingles.size()> single{};
    for (unsigned i = 0; i < d.size(); ++i) d[i] = constants.diagonal[kPoseidonPair[i][0]];
    for (unsigned i = 0; i < single.size(); ++i) single[i] = constants.diagonal[kPoseidonSingles[i]];

    Surplus surplus{};
    for (unsigned r = 0; r < kPoseidonInternalRounds; ++r) {
        WidePoseidonConstants::InternalRound& round = out.internal[r];
        const Fp sum = surplus.sum();
        const Fp next = r + 1 < kPoseidonInternalRounds ? constants.internal[r + 1] : Fp();
        round.next = above_products(next * kRadix - sum);
        Surplus after{};
        for (unsigned i = 0; i < d.size(); ++i) {
            const Fp factor = r == 0 ? d[i] : d[i].square();
            round.factors[i] = (factor * kRadix).canonical();
            after.p[i] = factor * surplus.m_over_d[i] + sum + sum - kOffset;
            after.m_over_d[i] = surplus.p[i];
        }
        for (unsigned i = 1; i < single.size(); ++i) after.singles[i] = single[i] * surplus.singles[i] + sum;
        for (unsigned i = 0; i < 3; ++i) {
            round.factors[kPoseidonPairs + i] = (single[3 + i] * kRadix).canonical();
            after.singles[3 + i] -= kOffset;
        }
        surplus = after;
    }

    const Fp factor = kRadix + kRadix;
    const auto constant_of = [&](unsigned word) { return constants.final[0][word] * factor; };
    for (unsigned i = 0; i < d.size(); ++i) {
        const Fp first = constant_of(kPoseidonPair[i][0]) - surplus.p[i] - d[i] * surplus.m_over_d[i];
        const Fp second = constant_of(kPoseidonPair[i][1]) - surplus.p[i] + d[i] * surplus.m_over_d[i] + first;
        out.exit_factor[i] = (d[i] * kRadix).canonical();
        out.exit_first[i] = above_zero(first + kOffset);
        out.exit_second[i] = above_products(second);
    }
    for (unsigned i = 0; i < single.size(); ++i) {
        const Fp twice = surplus.singles[i] + surplus.singles[i];
        out.exit_single[i] = (constant_of(kPoseidonSingles[i]) - twice).canonical();
    }
}

constexpr WidePoseidonConstants make(const PoseidonConstants& constants) {
    WidePoseidonConstants out{};
    const PoseidonState entry = before_external_linear(constants.initial[0]);
    for (unsigned i = 0; i < kPoseidonWidth; ++i) out.entry[i] = entry[i].montgomery();
    Fp factor = kRadix;
    out.initial = round_offsets(constants.initial, {constants.internal[0]}, factor);
    set_internal(out, constants);
    factor = kRadix + kRadix;
    // So much that the last products start from 1, which leaves their results below 2p.
    PoseidonState last{};
    last.fill((kOffset - Fp::one()) * kOutside.inverse());
    out.final = round_offsets(constants.final, last, factor);
    out.exit_scale = (kOutside * kRadix * factor.inverse()).canonical();
    out.product_offset = above_zero(kOffset);
    return out;
}

}  // namespace whorl::wide_constants
