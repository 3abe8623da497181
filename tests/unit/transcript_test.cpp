// The transcript: the stored ones replayed value by value, and the duplex rules on their own.
#include "hash/transcript.hpp"

#include <gtest/gtest.h>

#include "unit/random.hpp"
#include "unit/units.hpp"

namespace whorl {
namespace {

class StoredTranscript : public ::testing::TestWithParam<std::string> {};

TEST_P(StoredTranscript, IsReplayedValueByValue) {
    std::ifstream in(test::vector_path(GetParam(), "transcript.txt"));
    HostTranscript transcript;
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
    HostTranscript transcript;
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
    HostTranscript a, b;
    const Fp4 value = a.sample_ext();
    for (const Fp c : value.c) EXPECT_EQ(c, b.sample());
}

TEST(Transcript, BitsAreTheLowOnesOfOneSample) {
    HostTranscript a, b;
    for (const unsigned bits : {0u, 1u, 7u, 30u}) {
        EXPECT_EQ(a.sample_bits(bits), b.sample().canonical() % (1u << bits)) << bits;
    }
}

TEST(Transcript, NoBitsOfWorkLeaveItUntouched) {
    HostTranscript a, b;
    EXPECT_TRUE(a.check_witness(0, Fp::from_canonical(17)));
    EXPECT_EQ(a.state(), b.state());
    EXPECT_EQ(a.absorb_index(), b.absorb_index());
}

TEST(Transcript, WitnessIsObservedBeforeItsBitsAreSampled) {
    std::uint32_t witness = 0;
    for (;; ++witness) {
        HostTranscript attempt;
        attempt.observe(Fp::from_canonical(witness));
        if (attempt.sample_bits(5) == 0) break;
    }
    HostTranscript transcript;
    EXPECT_TRUE(transcript.check_witness(5, Fp::from_canonical(witness)));
    if (witness > 0) {
        HostTranscript other;
        EXPECT_FALSE(other.check_witness(5, Fp::from_canonical(witness - 1)));
    }
}

}  // namespace
}  // namespace whorl
