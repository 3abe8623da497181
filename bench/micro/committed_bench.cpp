// Proofs with cached and preprocessed parts: committed in each proof, and once for all (Prover::commit).
#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <utility>
#include <vector>

#include <whorl/air.hpp>
#include <whorl/prove.hpp>

#include "airs/small.hpp"

namespace whorl {
namespace {

constexpr unsigned kLogHeight = 18;
constexpr std::uint32_t kCachedParts = 8;

struct Workload {
    ProvingKey key;
    std::vector<AirTrace> traces;

    Workload() {
        std::vector<bool> selectors(std::size_t{1} << kLogHeight);
        for (std::size_t row = 0; row < selectors.size(); ++row) selectors[row] = row % 3 == 0;
        const PreprocessedCachedAir air{.selectors = std::move(selectors), .num_cached_parts = kCachedParts};
        const auto params = app_params_100_bits(kLogHeight);
        auto made = keygen(*params, std::vector<AnyAir>{air});
        if (!made) std::abort();
        key = *std::move(made);
        traces.push_back(preprocessed_cached_trace(0, air));
    }
};

const Workload& workload() {
    static const Workload made;
    return made;
}

void prove_with(benchmark::State& state, Prover& prover, const std::vector<AirTrace>& traces) {
    for (auto _ : state) {
        if (!prover.prove(traces)) return state.SkipWithError("no proof");
    }
}

void prove_parts_committed_each_time(benchmark::State& state) {
    auto prover = Prover::create(workload().key.vk);
    if (!prover) return state.SkipWithError("no prover");
    prove_with(state, *prover, workload().traces);
}
BENCHMARK(prove_parts_committed_each_time)->Unit(benchmark::kMillisecond)->UseRealTime();

void prove_parts_committed_once(benchmark::State& state) {
    auto prover = Prover::create(workload().key);
    if (!prover) return state.SkipWithError("no prover");
    std::vector<AirTrace> traces = workload().traces;
    traces[0].preprocessed.reset();
    for (TracePart& part : traces[0].cached_mains) {
        auto committed = prover->commit(part.matrix());
        if (!committed) return state.SkipWithError("no commitment");
        part = *std::move(committed);
    }
    prove_with(state, *prover, traces);
}
BENCHMARK(prove_parts_committed_once)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
}  // namespace whorl
