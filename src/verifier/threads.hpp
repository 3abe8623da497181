// Work on queries, on several threads where the caller asks for them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <exception>
#include <vector>

// WebAssembly, as it is built here, has none.
#ifndef __wasm__
#include <thread>
#endif

namespace whorl::verifier {

/// So many queries are worth a thread.
inline constexpr std::size_t kQueriesOfAThread = 16;

/// work(first, last) on ranges that make up [0, count), at most num_threads of them side by side, none much shorter than
/// `least`; where the system starts fewer threads, fewer work. Of what is thrown the first in order is thrown again.
#ifdef __wasm__
template <class Work>
void on_ranges(std::size_t count, std::size_t /*num_threads*/, std::size_t /*least*/, const Work& work) {
    work(std::size_t{0}, count);
}
#else
template <class Work>
void on_ranges(std::size_t count, std::size_t num_threads, std::size_t least, const Work& work) {
    const std::size_t num_ranges = std::clamp<std::size_t>(count / least, 1, std::max<std::size_t>(num_threads, 1));
    const auto start = [&](std::size_t range) { return count * range / num_ranges; };
    if (num_ranges == 1) return work(std::size_t{0}, count);
    std::vector<std::exception_ptr> thrown(num_ranges);
    const auto run = [&](std::size_t range) noexcept {
        try {
            work(start(range), start(range + 1));
        } catch (...) {
            thrown[range] = std::current_exception();
        }
    };
    std::vector<std::thread> threads;
    threads.reserve(num_ranges - 1);
    std::size_t next = 1;
    try {
        for (; next < num_ranges; ++next) threads.emplace_back(run, next);
    } catch (const std::exception&) {
        // Memory or threads ended: the rest is done here.
    }
    run(0);
    for (; next < num_ranges; ++next) run(next);
    for (std::thread& thread : threads) thread.join();
    for (const std::exception_ptr& exception : thrown) {
        if (exception) std::rethrow_exception(exception);
    }
}
#endif

}  // namespace whorl::verifier
