// Poseidon2 in its uses: permutations of states in the cache, rows of matrices of several widths, layers of trees, grinding.
// items_per_second counts permutations.
#include "hash/batch.hpp"

#include <numeric>
#include <string>
#include <vector>

#include "field/simd.hpp"
#include "micro/targets.hpp"

namespace whorl {
namespace {

std::vector<std::uint32_t> words(std::size_t n) {
    std::vector<std::uint32_t> out(n);
    std::uint32_t x = 1;
    for (std::uint32_t& word : out) word = (x = x * 1664525 + 1013904223) % Fp::kModulus;
    return out;
}

void count(benchmark::State& state, std::size_t permutations) {
    state.SetItemsProcessed(static_cast<std::int64_t>(permutations) * state.iterations());
}

void permute(benchmark::State& state) {
    constexpr std::size_t kStates = 256;
    std::vector<std::uint32_t> states = words(16 * kStates);
    for (auto _ : state) {
        permute_states(states.data(), kStates, kStates);
        benchmark::ClobberMemory();
    }
    count(state, kStates);
}

void rows(benchmark::State& state, std::size_t width, unsigned log_fold) {
    constexpr std::size_t kRows = std::size_t{1} << 16;
    const std::vector<std::uint32_t> matrix = words(width * kRows);
    std::vector<const std::uint32_t*> columns;
    for (std::size_t c = 0; c < width; ++c) columns.push_back(matrix.data() + c * kRows);
    const std::size_t stride = padded_size(kRows >> log_fold);
    std::vector<std::uint32_t> digests(8 * stride + kLaneAlignment);
    for (auto _ : state) {
        hash_rows(columns, 0, kRows, log_fold, digests.data(), stride);
        benchmark::ClobberMemory();
    }
    count(state, kRows * ((width + kPoseidonRate - 1) / kPoseidonRate) + kRows - (kRows >> log_fold));
}

void layer(benchmark::State& state) {
    constexpr std::size_t kNodes = std::size_t{1} << 14;
    const std::vector<std::uint32_t> left = words(8 * kNodes), right = words(8 * kNodes);
    std::vector<std::uint32_t> out(8 * kNodes);
    for (auto _ : state) {
        compress_layer(left.data(), right.data(), kNodes, kNodes, out.data(), kNodes);
        benchmark::ClobberMemory();
    }
    count(state, kNodes);
}

void witness(benchmark::State& state) {
    constexpr std::uint32_t kCandidates = 1U << 12;
    const PoseidonState sponge{};
    // 31 bits are never all zero here, so every candidate is tried.
    for (auto _ : state) benchmark::DoNotOptimize(find_witness(sponge, 0, 31, 1, kCandidates));
    count(state, kCandidates);
}

void one_state(benchmark::State& state) {
    PoseidonState sponge{};
    for (auto _ : state) {
        poseidon2_permute(sponge);
        benchmark::DoNotOptimize(sponge);
    }
    count(state, 1);
}

[[maybe_unused]] const bool kIsRegistered = [] {
    bench::register_on_targets("poseidon2/permute", permute);
    for (const std::size_t width : {1, 2, 4, 8, 42}) {
        bench::register_on_targets("poseidon2/rows_fold16/width:" + std::to_string(width),
                                   [width](benchmark::State& state) { rows(state, width, 4); });
    }
    bench::register_on_targets("poseidon2/compress_layer", layer);
    bench::register_on_targets("poseidon2/find_witness", witness);
    bench::register_on_targets("poseidon2/one_state", one_state);
    return true;
}();

}  // namespace
}  // namespace whorl
