// Splitting work over the threads of the calling TBB arena.
#pragma once

#include <algorithm>
#include <cstddef>
#include <mutex>

#include "threads/parallel.hpp"

namespace whorl::cpu {

/// body(begin, end) over [0, n) in chunks of at least `grain`, aligned to `grain`.
template <class Body>
void parallel_chunks(std::size_t n, std::size_t grain, const Body& body) {
    if (n <= grain) {
        if (n != 0) body(std::size_t{0}, n);
        return;
    }
    const std::size_t chunks = (n + grain - 1) / grain;
    for_each_part(tbb::blocked_range<std::size_t>(0, chunks),
                  [&](const auto& range) { body(range.begin() * grain, std::min(n, range.end() * grain)); });
}

/// Σ of body(begin, end) over the chunks.
template <class T, class Body>
T parallel_sum(std::size_t n, std::size_t grain, const Body& body) {
    T total{};
    std::mutex mutex;
    parallel_chunks(n, grain, [&](std::size_t begin, std::size_t end) {
        const T part = body(begin, end);
        const std::lock_guard lock(mutex);
        total += part;
    });
    return total;
}

}  // namespace whorl::cpu
