// Poseidon2-16: known answers, constants derived again, and the sponge against a plain twin.
#include "hash/poseidon2.hpp"

#include <algorithm>
#include <deque>
#include <vector>

#include <gtest/gtest.h>

#include "field/simd.hpp"
#include "hash/batch.hpp"
#include "unit/plain_poseidon2.hpp"
#include "unit/random.hpp"
#include "unit/targets.hpp"
#include "unit/units.hpp"

namespace whorl {
namespace {

using test::kPoseidonRounds;
using test::PlainPoseidon2;
using test::Random;
using test::to_digest;
using test::to_fps;
using test::units;

PoseidonState to_state(const nlohmann::json& values) {
    PoseidonState state;
    std::ranges::copy(to_fps(values), state.begin());
    return state;
}

TEST(Poseidon2, PermutesAsThePublishedCrates) {
    ASSERT_FALSE(units()["poseidon2_16"].empty());
    for (const auto& unit : units()["poseidon2_16"]) {
        PoseidonState state = to_state(unit["in"]);
        poseidon2_permute(state);
        EXPECT_EQ(state, to_state(unit["out"]));
    }
}

TEST(Poseidon2, HashesAsThePublishedCrates) {
    for (const auto& unit : units()["hash_slice"]) {
        EXPECT_EQ(hash_slice(to_fps(unit["in"])), to_digest(unit["digest"])) << unit["in"].size() << " elements";
    }
    const auto& unit = units()["compress"];
    EXPECT_EQ(compress(to_digest(unit["left"]), to_digest(unit["right"])), to_digest(unit["digest"]));
}

TEST(Poseidon2, EqualsAPlainTwinOnEveryInstructionSet) {
    Random random;
    std::vector<PoseidonState> states(2);
    states[1].fill(-Fp::one());
    for (int i = 0; i < 200; ++i) {
        PoseidonState& state = states.emplace_back();
        // Extremes of the representation now and then.
        for (Fp& x : state) x = random.below(4) == 0 ? Fp::from_montgomery(Fp::kModulus - 1) : random.fp();
    }
    test::on_every_target([&] {
        for (const PoseidonState& state : states) {
            PoseidonState found = state;
            poseidon2_permute(found);
            ASSERT_EQ(found, PlainPoseidon2::permute(state));
        }
    });
}

// Words at which a reduction is at its limit, in the middle of the permutation and at its end. Kernels hold words times 2^32,
// 2^52 or 2^53, and 2^26 squared ends in 52 zeros.
TEST(Poseidon2, TakesExtremeWordsInEveryRoundOnEveryInstructionSet) {
    std::vector<Fp> extremes = {Fp::zero(), Fp::one(), -Fp::one()};
    for (const unsigned factor : {32, 52, 53}) {
        const Fp scale = Fp::from_canonical(2).pow(factor).inverse();
        for (const std::uint32_t word : {1U, Fp::kModulus - 1, 1U << 26, 31U << 26, 1U << 13, 0xffffU, 1U << 30}) {
            extremes.push_back(Fp::from_canonical(word) * scale);
        }
    }
    const PlainPoseidon2 plain;
    Random random;
    std::vector<PoseidonState> states;
    for (unsigned round = 0; round <= kPoseidonRounds; ++round) {
        const auto add = [&](const PoseidonState& s) {
            states.push_back(round < kPoseidonRounds ? plain.before_sboxes(round, s) : plain.before_output(s));
        };
        for (const Fp x : extremes) {
            PoseidonState alike;
            alike.fill(x);
            add(alike);
            PoseidonState mixed;
            for (Fp& word : mixed) word = random.below(2) == 0 ? random.fp() : random.one_of(extremes);
            add(mixed);
        }
    }
    std::vector<PoseidonState> expected;
    for (const PoseidonState& state : states) expected.push_back(PlainPoseidon2::permute(state));
    const std::size_t stride = padded_size(states.size());
    std::vector<std::uint32_t> before(16 * stride);
    for (std::size_t i = 0; i < states.size(); ++i) {
        for (unsigned w = 0; w < kPoseidonWidth; ++w) before[w * stride + i] = states[i][w].montgomery();
    }
    test::on_every_target([&] {
        std::vector<std::uint32_t> batch = before;
        permute_states(batch.data(), stride, stride);
        for (std::size_t i = 0; i < states.size(); ++i) {
            PoseidonState found = states[i], of_batch;
            poseidon2_permute(found);
            ASSERT_EQ(found, expected[i]) << i;
            for (unsigned w = 0; w < kPoseidonWidth; ++w) of_batch[w] = Fp::from_montgomery(batch[w * stride + i]);
            ASSERT_EQ(of_batch, expected[i]) << i;
        }
    });
}

TEST(Poseidon2, RunsBackwardsInThePlainTwin) {
    const PlainPoseidon2 plain;
    Random random;
    for (int i = 0; i < 20; ++i) {
        PoseidonState state;
        for (Fp& x : state) x = random.fp();
        EXPECT_EQ(plain.before_output(PlainPoseidon2::permute(state)), state);
    }
}

// The generator of the Poseidon papers (PROTOCOL.md 3.1).
class GrainLfsr {
public:
    GrainLfsr() {
        push(1, 2);    // prime field
        push(0, 4);    // S-box x^d
        push(31, 12);  // bits of p
        push(kPoseidonWidth, 12);
        push(2 * kPoseidonHalfRounds, 10);
        push(kPoseidonInternalRounds, 10);
        for (int i = 0; i < 30; ++i) state_.push_back(true);
        for (int i = 0; i < 160; ++i) step();
    }

    /// The next element: rejection sampling of 31 bits, high bit first.
    Fp next() {
        for (;;) {
            std::uint32_t value = 0;
            for (int i = 0; i < 31; ++i) value = value << 1 | (bit() ? 1 : 0);
            if (value < Fp::kModulus) return Fp::from_canonical(value);
        }
    }

private:
    void push(unsigned value, int num_bits) {
        for (int i = num_bits; i-- > 0;) state_.push_back(value >> i & 1);
    }
    bool step() {
        bool b = false;
        for (const std::size_t tap : {62, 51, 38, 23, 13, 0}) b ^= state_[tap];
        state_.pop_front();
        state_.push_back(b);
        return b;
    }
    // Of each pair of bits the second counts, if the first is set.
    bool bit() {
        for (;;) {
            const bool counts = step();
            const bool value = step();
            if (counts) return value;
        }
    }

    std::deque<bool> state_;
};

TEST(Poseidon2, ConstantsAreTheGrainLfsrsOutput) {
    GrainLfsr lfsr;
    for (const PoseidonState& round : kPoseidonConstants.initial) {
        for (const Fp constant : round) ASSERT_EQ(constant, lfsr.next());
    }
    for (const Fp constant : kPoseidonConstants.internal) ASSERT_EQ(constant, lfsr.next());
    for (const PoseidonState& round : kPoseidonConstants.final) {
        for (const Fp constant : round) ASSERT_EQ(constant, lfsr.next());
    }
}

TEST(Poseidon2, DiagonalIsTheDocumentedOne) {
    const auto inverse_power = [](unsigned k) { return Fp::half().pow(k); };
    const auto integer = [](std::uint32_t x) { return Fp::from_canonical(x); };
    const PoseidonState expected{-integer(2),       integer(1),        integer(2),        inverse_power(1),
                                 integer(3),        integer(4),        -inverse_power(1), -integer(3),
                                 -integer(4),       inverse_power(8),  inverse_power(2),  inverse_power(3),
                                 inverse_power(27), -inverse_power(8), -inverse_power(4), -inverse_power(27)};
    EXPECT_EQ(kPoseidonConstants.diagonal, expected);
}

TEST(Poseidon2, EmptyListHashesToZeros) {
    EXPECT_EQ(hash_slice({}), Digest{});
}

TEST(Poseidon2, SpongeOverwritesWithoutPadding) {
    Random random;
    for (const std::size_t size : {1, 7, 8, 9, 15, 16, 17, 42}) {
        const std::vector<Fp> values = random.fps(size);
        PoseidonState state{};
        for (std::size_t i = 0; i < size; ++i) {
            state[i % kPoseidonRate] = values[i];
            if (i % kPoseidonRate == kPoseidonRate - 1 || i + 1 == size) poseidon2_permute(state);
        }
        Digest expected;
        std::copy_n(state.begin(), expected.size(), expected.begin());
        EXPECT_EQ(hash_slice(values), expected) << size;
    }
}

TEST(Poseidon2, TreeCompressesPairwise) {
    Random random;
    std::vector<Digest> leaves(8);
    for (Digest& leaf : leaves) std::ranges::copy(random.fps(8), leaf.begin());
    const auto pair = [&](std::size_t i) { return compress(leaves[2 * i], leaves[2 * i + 1]); };
    EXPECT_EQ(tree_compress(leaves), compress(compress(pair(0), pair(1)), compress(pair(2), pair(3))));
    EXPECT_EQ(tree_compress(std::span(leaves).first(1)), leaves[0]);
}

}  // namespace
}  // namespace whorl
