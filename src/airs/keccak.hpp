// Keccak-f[1600] as an AIR: 24 rows a permutation, 2,633 columns, the constraints of p3-keccak-air 0.4.3, which the
// vectors' keys contain. A bit takes a column where it is used as a bit; the rest are 16-bit limbs, low limb first.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <whorl/air.hpp>
#include <whorl/trace.hpp>

namespace whorl {

/// Word x + 5y is lane (x, y) of the standard.
using KeccakState = std::array<std::uint64_t, 25>;

/// Where the columns of a row are; the names are the standard's step results.
struct KeccakColumns {
    static constexpr std::uint32_t kNumRounds = 24;
    static constexpr std::uint32_t kNumLimbs = 4;
    static constexpr std::uint32_t kLimbBits = 16;

    static constexpr std::uint32_t kExport = kNumRounds;
    static constexpr std::uint32_t kPreimage = kExport + 1;
    static constexpr std::uint32_t kA = kPreimage + 25 * kNumLimbs;
    static constexpr std::uint32_t kC = kA + 25 * kNumLimbs;
    static constexpr std::uint32_t kCPrime = kC + 5 * 64;
    static constexpr std::uint32_t kAPrime = kCPrime + 5 * 64;
    static constexpr std::uint32_t kAPrimePrime = kAPrime + 25 * 64;
    static constexpr std::uint32_t kAPrimePrime00Bits = kAPrimePrime + 25 * kNumLimbs;
    static constexpr std::uint32_t kAPrimePrimePrime00Limbs = kAPrimePrime00Bits + 64;
    static constexpr std::uint32_t kWidth = kAPrimePrimePrime00Limbs + kNumLimbs;

    /// 1 on round r of a permutation.
    static constexpr std::uint32_t step_flag(std::uint32_t r) { return r; }
    /// The permutation's input, repeated on all its rows.
    static constexpr std::uint32_t preimage(std::uint32_t x, std::uint32_t y, std::uint32_t limb) {
        return kPreimage + (5 * y + x) * kNumLimbs + limb;
    }
    /// The round's input A.
    static constexpr std::uint32_t a(std::uint32_t x, std::uint32_t y, std::uint32_t limb) {
        return kA + (5 * y + x) * kNumLimbs + limb;
    }
    /// C[x] = A[x, 0] ⊕ … ⊕ A[x, 4].
    static constexpr std::uint32_t c(std::uint32_t x, std::uint32_t z) { return kC + 64 * x + z; }
    /// C'[x, z] = C[x, z] ⊕ C[x − 1, z] ⊕ C[x + 1, z − 1].
    static constexpr std::uint32_t c_prime(std::uint32_t x, std::uint32_t z) { return kCPrime + 64 * x + z; }
    /// A' = θ(A).
    static constexpr std::uint32_t a_prime(std::uint32_t x, std::uint32_t y, std::uint32_t z) {
        return kAPrime + (5 * y + x) * 64 + z;
    }
    /// B = π(ρ(A')), so a column of A'.
    static constexpr std::uint32_t b(std::uint32_t x, std::uint32_t y, std::uint32_t z);
    /// A'' = χ(B).
    static constexpr std::uint32_t a_prime_prime(std::uint32_t x, std::uint32_t y, std::uint32_t limb) {
        return kAPrimePrime + (5 * y + x) * kNumLimbs + limb;
    }
    static constexpr std::uint32_t a_prime_prime_00_bit(std::uint32_t z) { return kAPrimePrime00Bits + z; }
    /// A''' = ι(A''), which changes lane (0, 0) only.
    static constexpr std::uint32_t a_prime_prime_prime(std::uint32_t x, std::uint32_t y, std::uint32_t limb) {
        return x == 0 && y == 0 ? kAPrimePrimePrime00Limbs + limb : a_prime_prime(x, y, limb);
    }
};
static_assert(KeccakColumns::kWidth == 2633);

/// Rotation offsets of ρ, [x][y].
inline constexpr std::uint8_t kKeccakRotations[5][5] = {
    {0, 36, 3, 41, 18}, {1, 44, 10, 45, 2}, {62, 6, 43, 15, 61}, {28, 55, 25, 21, 56}, {27, 20, 39, 8, 14}};

constexpr std::uint32_t KeccakColumns::b(std::uint32_t x, std::uint32_t y, std::uint32_t z) {
    const std::uint32_t from_x = (x + 3 * y) % 5;
    const std::uint32_t from_y = x;
    return a_prime(from_x, from_y, (z + 64 - kKeccakRotations[from_x][from_y]) % 64);
}

/// Round constants of ι, from the standard's linear feedback shift register.
constexpr std::array<std::uint64_t, 24> keccak_round_constants() {
    std::array<std::uint64_t, 24> constants{};
    std::uint32_t lfsr = 1;
    for (std::uint64_t& constant : constants) {
        for (unsigned j = 0; j < 7; ++j) {
            if (lfsr & 1) constant |= std::uint64_t{1} << ((1U << j) - 1);
            lfsr <<= 1;
            if (lfsr & 0x100) lfsr ^= 0x171;
        }
    }
    return constants;
}
inline constexpr std::array<std::uint64_t, 24> kKeccakRoundConstants = keccak_round_constants();

struct KeccakAir {
    std::string name() const { return "KeccakAir"; }
    std::uint32_t width() const { return KeccakColumns::kWidth; }

    template <class Builder>
    void eval(Builder& builder) const;
};

/// keccak-f[1600] itself, to check traces against.
void keccak_f(KeccakState& state);

/// The trace of `inputs`: 24 rows each, padded with permutations of the zero state to a power of two (the last one is
/// cut off there). Empty `inputs` give one row. Runs on all TBB threads.
Matrix keccak_trace(std::span<const KeccakState> inputs);

/// Inputs drawn as the reference's benchmark draws them: ChaCha12 seeded from `seed` (the rand crate's StdRng). Seed 42
/// gives the inputs of vector keccakf_1024, seed 7 those of keccak_5_perms.
std::vector<KeccakState> random_keccak_inputs(std::size_t num_permutations, std::uint64_t seed = 42);

// --- The constraints --------------------------------------------------------------------------------------------------

namespace keccak_detail {

// Arithmetic forms of bit operations, written as the key expects them.
template <class E>
E double_of(const E& x) {
    return x + x;
}
template <class E>
E xor_of(const E& x, const E& y) {
    return x + y - x * double_of(y);
}
template <class E>
E xor_of(const E& x, const E& y, const E& z) {
    return xor_of(xor_of(x, y), z);
}

// Σ bit(z)·2^(z − first) over the 16 bits of a limb, highest first.
template <class Builder, class Bit>
typename Builder::Expr compose_limb(Builder& builder, std::uint32_t limb, Bit bit) {
    auto sum = builder.zero();
    for (std::uint32_t z = (limb + 1) * KeccakColumns::kLimbBits; z-- > limb * KeccakColumns::kLimbBits;) {
        sum = double_of(sum) + bit(z);
    }
    return sum;
}

}  // namespace keccak_detail

template <class Builder>
void KeccakAir::eval(Builder& builder) const {
    using Expr = typename Builder::Expr;
    using Columns = KeccakColumns;
    using namespace keccak_detail;
    constexpr std::uint32_t kRounds = Columns::kNumRounds;
    constexpr std::uint32_t kLimbs = Columns::kNumLimbs;
    const auto& [local, next] = builder.main();

    // Round flags: the first row is round 0, and each row is followed by the next round.
    builder.when_first_row().assert_one(local[Columns::step_flag(0)]);
    for (std::uint32_t r = 1; r < kRounds; ++r) builder.when_first_row().assert_zero(local[Columns::step_flag(r)]);
    for (std::uint32_t r = 0; r < kRounds; ++r) {
        builder.when_transition().assert_zero(local[Columns::step_flag(r)] -
                                              next[Columns::step_flag((r + 1) % kRounds)]);
    }

    const Expr& first_step = local[Columns::step_flag(0)];
    const Expr not_final_step = builder.one() - local[Columns::step_flag(kRounds - 1)];

    // Round 0 takes the preimage as its input, and a permutation's rows share one preimage.
    for (std::uint32_t y = 0; y < 5; ++y) {
        for (std::uint32_t x = 0; x < 5; ++x) {
            for (std::uint32_t limb = 0; limb < kLimbs; ++limb) {
                builder.when(first_step)
                    .assert_zero(local[Columns::preimage(x, y, limb)] - local[Columns::a(x, y, limb)]);
            }
        }
    }
    for (std::uint32_t y = 0; y < 5; ++y) {
        for (std::uint32_t x = 0; x < 5; ++x) {
            for (std::uint32_t limb = 0; limb < kLimbs; ++limb) {
                const std::uint32_t column = Columns::preimage(x, y, limb);
                builder.when(not_final_step).when_transition().assert_zero(local[column] - next[column]);
            }
        }
    }

    // Only a final round may be exported.
    builder.assert_bool(local[Columns::kExport]);
    builder.when(not_final_step).assert_zero(local[Columns::kExport]);

    // C is boolean, and C' is its three-way xor, hence boolean too.
    for (std::uint32_t x = 0; x < 5; ++x) {
        for (std::uint32_t z = 0; z < 64; ++z) builder.assert_bool(local[Columns::c(x, z)]);
        for (std::uint32_t z = 0; z < 64; ++z) {
            const Expr parity = xor_of(local[Columns::c(x, z)], local[Columns::c((x + 4) % 5, z)],
                                       local[Columns::c((x + 1) % 5, (z + 63) % 64)]);
            builder.assert_zero(local[Columns::c_prime(x, z)] - parity);
        }
    }

    // A = A' ⊕ C ⊕ C', limb by limb; A' is boolean, which bounds the limbs of A.
    for (std::uint32_t y = 0; y < 5; ++y) {
        for (std::uint32_t x = 0; x < 5; ++x) {
            for (std::uint32_t z = 0; z < 64; ++z) builder.assert_bool(local[Columns::a_prime(x, y, z)]);
            for (std::uint32_t limb = 0; limb < kLimbs; ++limb) {
                const Expr composed = compose_limb(builder, limb, [&](std::uint32_t z) {
                    return xor_of(local[Columns::a_prime(x, y, z)], local[Columns::c(x, z)],
                                  local[Columns::c_prime(x, z)]);
                });
                builder.assert_zero(composed - local[Columns::a(x, y, limb)]);
            }
        }
    }

    // The parity of A'[x, ·] is C'[x]: their difference is 0, 2 or 4.
    const Expr two = builder.constant(2);
    const Expr four = double_of(two);
    for (std::uint32_t x = 0; x < 5; ++x) {
        for (std::uint32_t z = 0; z < 64; ++z) {
            Expr sum = local[Columns::a_prime(x, 0, z)];
            for (std::uint32_t y = 1; y < 5; ++y) sum = sum + local[Columns::a_prime(x, y, z)];
            const Expr diff = sum - local[Columns::c_prime(x, z)];
            builder.assert_zero(diff * (diff - two) * (diff - four));
        }
    }

    // A'' = χ(B).
    for (std::uint32_t y = 0; y < 5; ++y) {
        for (std::uint32_t x = 0; x < 5; ++x) {
            for (std::uint32_t limb = 0; limb < kLimbs; ++limb) {
                const Expr composed = compose_limb(builder, limb, [&](std::uint32_t z) {
                    const Expr and_not =
                        (builder.one() - local[Columns::b((x + 1) % 5, y, z)]) * local[Columns::b((x + 2) % 5, y, z)];
                    return xor_of(and_not, local[Columns::b(x, y, z)]);
                });
                builder.assert_zero(composed - local[Columns::a_prime_prime(x, y, limb)]);
            }
        }
    }

    // A'''[0, 0] = A''[0, 0] ⊕ the round constant, over the bits of A''[0, 0].
    for (std::uint32_t z = 0; z < 64; ++z) builder.assert_bool(local[Columns::a_prime_prime_00_bit(z)]);
    for (std::uint32_t limb = 0; limb < kLimbs; ++limb) {
        const Expr composed =
            compose_limb(builder, limb, [&](std::uint32_t z) { return local[Columns::a_prime_prime_00_bit(z)]; });
        builder.assert_zero(composed - local[Columns::a_prime_prime(0, 0, limb)]);
    }
    for (std::uint32_t limb = 0; limb < kLimbs; ++limb) {
        const Expr composed = compose_limb(builder, limb, [&](std::uint32_t z) {
            Expr constant_bit = builder.zero();
            for (std::uint32_t r = 0; r < kRounds; ++r) {
                const auto bit = static_cast<std::uint32_t>(kKeccakRoundConstants[r] >> z & 1);
                constant_bit = constant_bit + local[Columns::step_flag(r)] * builder.constant(bit);
            }
            return xor_of(constant_bit, local[Columns::a_prime_prime_00_bit(z)]);
        });
        builder.assert_zero(composed - local[Columns::a_prime_prime_prime(0, 0, limb)]);
    }

    // A round's output is the next round's input.
    for (std::uint32_t x = 0; x < 5; ++x) {
        for (std::uint32_t y = 0; y < 5; ++y) {
            for (std::uint32_t limb = 0; limb < kLimbs; ++limb) {
                builder.when_transition()
                    .when(not_final_step)
                    .assert_zero(local[Columns::a_prime_prime_prime(x, y, limb)] - next[Columns::a(x, y, limb)]);
            }
        }
    }
}

}  // namespace whorl
