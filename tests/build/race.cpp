// What ThreadSanitizer says of parallel loops: nothing of this program, and of this program with an argument that two tasks race.
#include <cstddef>
#include <cstdio>
#include <numeric>
#include <vector>

#include "threads/parallel.hpp"

int main(int argc, char**) {
    constexpr std::size_t kCount = 100'000;
    std::vector<std::size_t> values(kCount);
    std::iota(values.begin(), values.end(), std::size_t{0});
    std::size_t shared = 0;
    whorl::for_each_index(std::size_t{0}, kCount, [&](std::size_t i) { values[i] *= 2; });
    // Often enough that at some time two threads run.
    for (int round = 0; argc > 1 && round < 100; ++round) {
        whorl::for_each_index(std::size_t{0}, kCount, [&](std::size_t i) { shared += values[i]; });
    }
    const std::size_t sum = whorl::reduce_parts(
        tbb::blocked_range<std::size_t>(0, kCount), shared,
        [&](const tbb::blocked_range<std::size_t>& part, std::size_t so_far) {
            for (std::size_t i = part.begin(); i != part.end(); ++i) so_far += values[i];
            return so_far;
        },
        [](std::size_t a, std::size_t b) { return a + b; });
    std::printf("%zu\n", sum);
    return argc > 1 || sum == kCount * (kCount - 1) ? 0 : 1;
}
