#include "backend/cpu/cpu_backend.hpp"

#include <tbb/task_arena.h>

#include <algorithm>
#include <atomic>

#include "backend/cpu/columns.hpp"
#include "backend/cpu/parallel.hpp"
#include "hash/batch.hpp"
#include "prover/backend.hpp"

namespace whorl::cpu {

static_assert(Backend<CpuBackend>);

Fp find_pow_witness(const Transcript& transcript, unsigned num_bits) {
    // Waves of candidates in order, so that the smallest witness wins whatever the threads do. A wave starts near
    // the expected witness count and grows.
    constexpr std::uint32_t kChunk = 1024;
    const std::uint32_t threads = static_cast<std::uint32_t>(tbb::this_task_arena::max_concurrency());
    std::uint32_t chunks = num_bits <= 10 ? 1 : 4 * threads;
    for (std::uint32_t first = 0; first < Fp::kModulus;) {
        std::atomic<std::uint32_t> best{Fp::kModulus};
        const std::uint32_t left = (Fp::kModulus - first + kChunk - 1) / kChunk;
        const std::uint32_t wave = std::min(chunks, left);
        parallel_chunks(wave, 1, [&](std::size_t begin, std::size_t end) {
            for (std::size_t c = begin; c < end; ++c) {
                const std::uint32_t start = first + static_cast<std::uint32_t>(c) * kChunk;
                if (start > best.load(std::memory_order_relaxed)) return;
                const auto found = find_witness(transcript.state().sponge, transcript.state().absorb_index, num_bits,
                                                start, std::min(kChunk, Fp::kModulus - start));
                if (!found) continue;
                std::uint32_t current = best.load();
                while (*found < current && !best.compare_exchange_weak(current, *found)) {
                }
                return;
            }
        });
        if (best.load() != Fp::kModulus) return Fp::from_canonical(best.load());
        first += std::min(wave * kChunk, Fp::kModulus - first);
        chunks = std::min<std::uint32_t>(2 * chunks, 64 * threads);
    }
    return Fp();  // p candidates without a witness: not for num_bits that check_params allows
}

std::vector<std::uint32_t> CpuTranscript::sample_indices(unsigned num_bits, std::uint32_t count) {
    std::vector<std::uint32_t> indices(count);
    for (std::uint32_t& index : indices) index = host_.sample_bits(num_bits);
    return indices;
}

Fp CpuTranscript::grind(unsigned num_bits) {
    if (num_bits == 0) return Fp();
    const Fp witness = find_pow_witness(host_, num_bits);
    host_.check_witness(num_bits, witness);
    return witness;
}

CpuBackend::Commitments CpuBackend::commit(const ProverInput& input) const {
    Commitments commitments;
    const auto total_width = static_cast<double>(input.layout.total_stacked_width());
    double width_done = 0;
    commitments.made.reserve(input.layout.commitments.size());  // they are pointed to
    for (const CommitmentLayout& commitment : input.layout.commitments) {
        if (const CommittedMatrix* committed = input.committed(commitment.parts[0])) {
            commitments.stacked.push_back(&commitment_of(*committed->state(), input.telemetry));
            continue;
        }
        const auto matrix_at = [&](std::uint32_t i) { return &input.part(commitment.parts[i]); };
        const double width = commitment.stack.width;
        commitments.made.emplace_back(
            input.params(), commitment.stack, words_of_slices(commitment.stack, matrix_at), input.telemetry,
            [&](double fraction) { input.reach((width_done + fraction * width) / total_width); });
        width_done += width;
        commitments.stacked.push_back(&commitments.made.back());
    }
    return commitments;
}

}  // namespace whorl::cpu
