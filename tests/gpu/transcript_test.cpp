// Witnesses found on a GPU, and the sponge in device memory, against the host's.
#include <gtest/gtest.h>

#include <vector>

#include "backend/cpu/cpu_backend.hpp"
#include "backend/gpu/kernels.hpp"
#include "backend/gpu/transcript.hpp"
#include "gpu/devices.hpp"
#include "unit/random.hpp"

namespace whorl::gpu {
namespace {

TEST(GpuTranscript, FindsTheSmallestWitness) {
    test::Random random;
    for (const unsigned num_bits : {0u, 1u, 5u, 8u, 13u, 17u}) {
        SCOPED_TRACE(testing::Message() << num_bits << " bits");
        const std::vector<Fp> observed = random.fps(random.below(12));
        on_devices([&](Device& device) {
            GpuTranscript found(device, Transcript());
            cpu::CpuTranscript expected{Transcript()};
            for (const Fp x : observed) {
                found.observe(x);
                expected.observe(x);
            }
            const Fp witness = found.grind(num_bits);
            if (device.is_planning()) return;
            EXPECT_EQ(witness, expected.grind(num_bits));
            EXPECT_EQ(found.sample_ext(), expected.sample_ext());
            EXPECT_EQ(found.sample_indices(9, 20), expected.sample_indices(9, 20));
        });
    }
}

// Another submission where the first has no witness.
TEST(GpuTranscript, GoesOnUntilThereIsAWitness) {
    constexpr unsigned kBits = 15;
    Transcript transcript;
    Fp expected;
    for (std::uint32_t i = 0;; ++i) {
        transcript.observe(Fp::from_canonical(i));
        expected = cpu::find_pow_witness(transcript, kBits);
        if (expected.canonical() >= 4u << kBits) break;
    }
    on_devices([&](Device& device) {
        const Fp found = find_pow_witness(device, transcript, kBits);
        if (device.is_planning()) return;
        EXPECT_EQ(found, expected);
    });
}

TEST(Sponge, EqualsHostTranscript) {
    struct Step {
        std::vector<Fp> observed;
        std::uint32_t num_sampled;
    };
    test::Random random;
    std::vector<Step> steps;
    for (int i = 0; i < 40; ++i) steps.push_back({random.fps(random.below(20)), random.below(12)});
    on_devices([&](Device& device) {
        Recorder& recorder = device.recorder();
        const Buffer state = device.arena().take_words("sponge", sizeof(SpongeState) / 4);
        recorder.fill(state.address(), sizeof(SpongeState), 0);
        Transcript host;
        for (const Step& step : steps) {
            recorder.next_stage();
            const auto sampled = recorder.mailbox<Fp>(step.num_sampled);
            recorder.dispatch(kernel::sponge_duplex, 1,
                              {.state = state.address(),
                               .observed = recorder.upload(step.observed),
                               .sampled = sampled.address(),
                               .num_observed = static_cast<std::uint32_t>(step.observed.size()),
                               .num_sampled = step.num_sampled});
            recorder.submit_and_wait(1);
            for (const Fp x : step.observed) host.observe(x);
            for (std::size_t i = 0; i < step.num_sampled; ++i) {
                const Fp expected = host.sample();
                if (!device.is_planning()) {
                    EXPECT_EQ(sampled[i], expected);
                }
            }
        }
    });
}

}  // namespace
}  // namespace whorl::gpu
