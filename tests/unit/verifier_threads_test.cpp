// Ranges of queries on threads: each index once, and what is thrown comes back.
#include "verifier/threads.hpp"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <mutex>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace whorl {
namespace {

using verifier::on_ranges;

TEST(VerifierThreads, CoverEachIndexOnce) {
    for (const std::size_t count : {0, 1, 15, 16, 31, 32, 33, 193}) {
        for (const std::size_t num_threads : {0, 1, 2, 3, 7, 500}) {
            std::vector<std::atomic<int>> seen(count);
            std::mutex mutex;
            std::vector<std::pair<std::size_t, std::size_t>> ranges;
            on_ranges(count, num_threads, 16, [&](std::size_t first, std::size_t last) {
                for (std::size_t i = first; i < last; ++i) ++seen[i];
                const std::lock_guard lock(mutex);
                ranges.emplace_back(first, last);
            });
            EXPECT_TRUE(std::ranges::all_of(seen, [](const auto& times) { return times == 1; }));
            EXPECT_EQ(ranges.size(), std::clamp<std::size_t>(count / 16, 1, std::max<std::size_t>(num_threads, 1)))
                << count << " on " << num_threads;
        }
    }
}

TEST(VerifierThreads, ThrowTheFirstOfSeveralExceptions) {
    for (const std::size_t num_threads : {1, 4}) {
        std::string message;
        try {
            on_ranges(64, num_threads, 16, [](std::size_t first, std::size_t) {
                if (first != 16) throw std::runtime_error(std::to_string(first));
            });
        } catch (const std::runtime_error& error) {
            message = error.what();
        }
        EXPECT_EQ(message, "0");
    }
}

}  // namespace
}  // namespace whorl
