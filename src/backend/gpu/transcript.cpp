#include "backend/gpu/transcript.hpp"

#include <algorithm>

#include "backend/gpu/kernels.hpp"
#include "hash/batch.hpp"

namespace whorl::gpu {
namespace {

// The host finds a witness for so few bits in less time than a submission takes.
constexpr unsigned kMaxHostBits = 7;
// Candidates of a wave: a GPU's worth of threads at least, a few of them at most.
constexpr std::uint64_t kMinWave = std::uint64_t{1} << 16;
constexpr std::uint64_t kMaxWave = std::uint64_t{1} << 18;

}  // namespace

Fp find_pow_witness(Device& device, const Transcript& transcript, unsigned num_bits) {
    if (num_bits <= kMaxHostBits) {
        const auto found =
            find_witness(transcript.state().sponge, transcript.state().absorb_index, num_bits, 0, Fp::kModulus);
        return Fp::from_canonical(found.value_or(0));
    }
    // A submission has four times the candidates that a witness takes on average, in waves one after another: those after
    // the wave that finds one do nothing.
    const std::uint64_t submission_size = std::max(kMinWave, std::uint64_t{4} << num_bits);
    const std::uint64_t wave_size = std::clamp(std::uint64_t{1} << num_bits, kMinWave, kMaxWave);
    Recorder& recorder = device.recorder();
    GrindParams params{};
    std::ranges::transform(transcript.state().sponge, params.state, &Fp::montgomery);
    params.absorb_index = transcript.state().absorb_index;
    params.mask = (std::uint32_t{1} << num_bits) - 1;
    // Word w: what the waves before wave w found.
    const Buffer found = device.arena().take_words("grind_found", submission_size / wave_size + 1);
    for (std::uint64_t first = 0; first < Fp::kModulus; first += submission_size) {
        const std::uint64_t end = std::min<std::uint64_t>(first + submission_size, Fp::kModulus);
        const std::uint64_t num_waves = (end - first + wave_size - 1) / wave_size;
        recorder.fill(found.address(), 4 * (num_waves + 1), 0xFF);
        for (std::uint64_t wave = 0; wave < num_waves; ++wave) {
            recorder.next_stage();
            params.found_before = found.word(wave);
            params.found = found.word(wave + 1);
            params.first = static_cast<std::uint32_t>(first + wave * wave_size);
            params.count = static_cast<std::uint32_t>(std::min(wave_size, end - params.first));
            recorder.dispatch(kernel::grind, groups_for(kernel::grind, params.count), params);
        }
        recorder.next_stage();
        const auto result = recorder.mailbox<std::uint32_t>(1);
        recorder.copy(result.address(), found.word(num_waves), sizeof(std::uint32_t));
        recorder.submit_and_wait(static_cast<std::int64_t>(num_waves));
        if (result[0] != kNoWitness) return Fp::from_canonical(result[0]);
    }
    return Fp();  // p candidates without a witness: not for num_bits that check_params allows
}

std::vector<std::uint32_t> GpuTranscript::sample_indices(unsigned num_bits, std::uint32_t count) {
    std::vector<std::uint32_t> indices(count);
    for (std::uint32_t& index : indices) index = host_.sample_bits(num_bits);
    return indices;
}

Fp GpuTranscript::grind(unsigned num_bits) {
    if (num_bits == 0) return Fp();
    const Fp witness = find_pow_witness(*device_, host_, num_bits);
    host_.check_witness(num_bits, witness);
    return witness;
}

}  // namespace whorl::gpu
