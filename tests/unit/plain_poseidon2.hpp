// Poseidon2 round by round on plain field elements (PROTOCOL.md 3.1), forwards and backwards.
#pragma once

#include <array>
#include <cstdint>
#include <utility>

#include "hash/poseidon2.hpp"

namespace whorl::test {

inline constexpr unsigned kPoseidonRounds = 2 * kPoseidonHalfRounds + kPoseidonInternalRounds;

/// x^(7·this) = x.
constexpr std::uint64_t seventh_root() {
    std::uint64_t multiple = 1;
    while (multiple % 7 != 0) multiple += Fp::kModulus - 1;
    return multiple / 7;
}

class PlainPoseidon2 {
public:
    PlainPoseidon2() : undo_external_(inverse_of(external_linear)), undo_internal_(inverse_of(internal_linear)) {}

    static PoseidonState permute(PoseidonState s) {
        external_linear(s);
        for (unsigned r = 0; r < kPoseidonRounds; ++r) {
            add_constants(r, s);
            for (unsigned i = 0; i < num_sboxes(r); ++i) s[i] = s[i].pow(7);
            linear(r, s);
        }
        return s;
    }

    /// The state that the permutation turns into `s`.
    PoseidonState before_output(PoseidonState s) const { return before(kPoseidonRounds, s); }
    /// The state from which the S-boxes of a round take the words of `s`.
    PoseidonState before_sboxes(unsigned round, PoseidonState s) const {
        subtract_constants(round, s);
        return before(round, s);
    }

private:
    using Matrix = std::array<PoseidonState, kPoseidonWidth>;

    static bool is_internal(unsigned round) {
        return round >= kPoseidonHalfRounds && round < kPoseidonHalfRounds + kPoseidonInternalRounds;
    }
    static unsigned num_sboxes(unsigned round) { return is_internal(round) ? 1 : kPoseidonWidth; }

    static void external_linear(PoseidonState& s) {
        for (unsigned g = 0; g < kPoseidonWidth; g += 4) {
            const Fp a = s[g], b = s[g + 1], c = s[g + 2], d = s[g + 3];
            const Fp sum = a + b + c + d;
            s[g] = sum + a + b + b;
            s[g + 1] = sum + b + c + c;
            s[g + 2] = sum + c + d + d;
            s[g + 3] = sum + d + a + a;
        }
        for (unsigned k = 0; k < 4; ++k) {
            const Fp sum = s[k] + s[4 + k] + s[8 + k] + s[12 + k];
            for (unsigned g = 0; g < kPoseidonWidth; g += 4) s[g + k] += sum;
        }
    }
    static void internal_linear(PoseidonState& s) {
        Fp sum;
        for (const Fp x : s) sum += x;
        for (unsigned i = 0; i < kPoseidonWidth; ++i) s[i] = sum + kPoseidonConstants.diagonal[i] * s[i];
    }
    static void linear(unsigned round, PoseidonState& s) {
        is_internal(round) ? internal_linear(s) : external_linear(s);
    }

    static PoseidonState constants(unsigned round) {
        if (round < kPoseidonHalfRounds) return kPoseidonConstants.initial[round];
        round -= kPoseidonHalfRounds;
        if (round < kPoseidonInternalRounds) return {kPoseidonConstants.internal[round]};
        return kPoseidonConstants.final[round - kPoseidonInternalRounds];
    }
    static void add_constants(unsigned round, PoseidonState& s) {
        const PoseidonState constant = constants(round);
        for (unsigned i = 0; i < kPoseidonWidth; ++i) s[i] += constant[i];
    }
    static void subtract_constants(unsigned round, PoseidonState& s) {
        const PoseidonState constant = constants(round);
        for (unsigned i = 0; i < kPoseidonWidth; ++i) s[i] -= constant[i];
    }

    // From the state before `round` to the input of the permutation.
    PoseidonState before(unsigned round, PoseidonState s) const {
        while (round-- > 0) {
            s = times(is_internal(round) ? undo_internal_ : undo_external_, s);
            for (unsigned i = 0; i < num_sboxes(round); ++i) s[i] = s[i].pow(seventh_root());
            subtract_constants(round, s);
        }
        return times(undo_external_, s);
    }

    static PoseidonState times(const Matrix& columns, const PoseidonState& s) {
        PoseidonState out{};
        for (unsigned j = 0; j < kPoseidonWidth; ++j) {
            for (unsigned i = 0; i < kPoseidonWidth; ++i) out[i] += columns[j][i] * s[j];
        }
        return out;
    }
    // Gauss and Jordan, on columns.
    template <class Linear>
    static Matrix inverse_of(const Linear& linear) {
        Matrix left{}, right{};
        for (unsigned j = 0; j < kPoseidonWidth; ++j) {
            left[j][j] = right[j][j] = Fp::one();
            linear(left[j]);
        }
        for (unsigned k = 0; k < kPoseidonWidth; ++k) {
            unsigned pivot = k;
            while (left[pivot][k].is_zero()) ++pivot;
            std::swap(left[k], left[pivot]);
            std::swap(right[k], right[pivot]);
            const Fp scale = left[k][k].inverse();
            for (unsigned i = 0; i < kPoseidonWidth; ++i) {
                left[k][i] *= scale;
                right[k][i] *= scale;
            }
            for (unsigned j = 0; j < kPoseidonWidth; ++j) {
                const Fp factor = left[j][k];
                if (j == k || factor.is_zero()) continue;
                for (unsigned i = 0; i < kPoseidonWidth; ++i) {
                    left[j][i] -= factor * left[k][i];
                    right[j][i] -= factor * right[k][i];
                }
            }
        }
        return right;
    }

    Matrix undo_external_, undo_internal_;
};

}  // namespace whorl::test
