// The transcript: the stored ones replayed value by value, and the duplex rules on their own.

#include <gtest/gtest.h>

#include <whorl/transcript.hpp>
#include <whorl/verify.hpp>

#include "hash/poseidon2.hpp"
#include "unit/random.hpp"
#include "unit/units.hpp"

namespace whorl {
namespace {

class StoredTranscript : public ::testing::TestWithParam<std::string> {};

TEST_P(StoredTranscript, IsReplayedValueByValue) {
    std::ifstream in(test::vector_path(GetParam(), "transcript.txt"));
    Transcript transcript;
    char kind = 0;
    std::uint32_t value = 0;
    std::size_t line = 0;
    std::size_t num_samples = 0;
    while (in >> kind >> value) {
        ++line;
        if (kind == 'o') {
            transcript.observe(Fp::from_canonical(value));
        } else {
            ASSERT_EQ(transcript.sample().canonical(), value) << "line " << line;
            ++num_samples;
        }
    }
    EXPECT_GT(num_samples, 0u);
    // The verifier leaves it as the published prover did.
    Transcript verifiers;
    ASSERT_TRUE(verify(test::load_key(GetParam()), test::load_proof(GetParam()), verifiers));
    EXPECT_EQ(verifiers.state(), transcript.state());
}

std::vector<std::string> vectors_with_transcript() {
    std::vector<std::string> names = test::kVectorNames;
    std::erase(names, "keccakf_1024");
    return names;
}
INSTANTIATE_TEST_SUITE_P(Vectors, StoredTranscript, ::testing::ValuesIn(vectors_with_transcript()),
                         [](const auto& info) { return info.param; });

// The duplex sponge of PROTOCOL.md section 4, as plainly as it can be written.
struct PlainTranscript {
    PoseidonState state{};
    unsigned absorbed = 0;
    unsigned unread = 0;

    void permute() {
        poseidon2_permute(state);
        absorbed = 0;
        unread = 8;
    }
    void observe(Fp value) {
        state[absorbed] = value;
        absorbed += 1;
        if (absorbed == 8) permute();
    }
    Fp sample() {
        if (absorbed != 0 || unread == 0) permute();
        unread -= 1;
        return state[unread];
    }
};

TEST(Transcript, FollowsTheDuplexRulesForAnyInterleaving) {
    test::Random random;
    Transcript transcript;
    PlainTranscript plain;
    for (int i = 0; i < 2000; ++i) {
        if (random.below(2) == 0) {
            const Fp value = random.fp();
            transcript.observe(value);
            plain.observe(value);
        } else {
            ASSERT_EQ(transcript.sample(), plain.sample()) << i;
        }
    }
}

TEST(Transcript, SamplesExtensionElementsConstantFirst) {
    Transcript a, b;
    const Fp4 value = a.sample_ext();
    for (const Fp c : value.c) EXPECT_EQ(c, b.sample());
}

TEST(Transcript, BitsAreTheLowOnesOfOneSample) {
    Transcript a, b;
    for (const unsigned bits : {0u, 1u, 7u, 30u}) {
        EXPECT_EQ(a.sample_bits(bits), b.sample().canonical() % (1u << bits)) << bits;
    }
}

TEST(Transcript, NoBitsOfWorkLeaveItUntouched) {
    Transcript a, b;
    EXPECT_TRUE(a.check_witness(0, Fp::from_canonical(17)));
    EXPECT_EQ(a.state(), b.state());
}

TEST(Transcript, WitnessIsObservedBeforeItsBitsAreSampled) {
    std::uint32_t witness = 0;
    for (;; ++witness) {
        Transcript attempt;
        attempt.observe(Fp::from_canonical(witness));
        if (attempt.sample_bits(5) == 0) break;
    }
    Transcript transcript;
    EXPECT_TRUE(transcript.check_witness(5, Fp::from_canonical(witness)));
    if (witness > 0) {
        Transcript other;
        EXPECT_FALSE(other.check_witness(5, Fp::from_canonical(witness - 1)));
    }
}

TEST(TranscriptState, IsTakenWhereItCanBe) {
    Transcript transcript;
    for (std::uint32_t i = 0; i < 21; ++i) transcript.observe(Fp::from_canonical(i));
    (void)transcript.sample();
    Transcript copy = test::value_of(Transcript::from_state(transcript.state()));
    for (int i = 0; i < 20; ++i) EXPECT_EQ(copy.sample(), transcript.sample());
    const auto refusal = [&](auto&& change) {
        TranscriptState state = transcript.state();
        change(state);
        const Result<Transcript> made = Transcript::from_state(state);
        return made ? "" : made.error().message;
    };
    EXPECT_EQ(refusal([](auto& state) { state.absorb_index = 7; }), "");
    EXPECT_EQ(refusal([](auto& state) { state.squeeze_index = 8; }), "");
    EXPECT_NE(refusal([](auto& state) { state.absorb_index = 8; }).find("absorb_index below 8"), std::string::npos);
    EXPECT_NE(refusal([](auto& state) { state.squeeze_index = 9; }).find("at most 8"), std::string::npos);
    EXPECT_NE(refusal([](auto& state) {
                  state.sponge[15] = Fp::from_montgomery(Fp::kModulus);
              }).find("word 15 of the sponge: expected a word below 2013265921, found 2013265921"),
              std::string::npos);
}

}  // namespace
}  // namespace whorl
