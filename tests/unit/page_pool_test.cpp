#include "machine/page_pool.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <thread>
#include <vector>

#include "machine/pages.hpp"

namespace whorl {
namespace {

char* take(std::size_t num_bytes) {
    auto* const pages = static_cast<char*>(take_pages(num_bytes));
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(pages) % kHugePage, 0U);
    std::memset(pages, 0x5a, num_bytes);
    return pages;
}

TEST(PagePool, KeepsNothingWhereNobodyUsesIt) {
    give_pages(take(3 * kHugePage), 3 * kHugePage);
    EXPECT_EQ(page_pool_bytes().idle, 0U);
}

TEST(PagePool, HandsOutPartsAndJoinsNeighbours) {
    {
        const PagePoolUse use;
        char* const whole = take(8 * kHugePage);
        give_pages(whole, 8 * kHugePage);
        EXPECT_EQ(page_pool_bytes().idle, 8 * kHugePage);
        char* const a = take(3 * kHugePage - 1);
        char* const b = take(1);
        char* const c = take(4 * kHugePage);
        EXPECT_EQ(page_pool_bytes().idle, 0U);
        for (const char* part : {a, b, c}) EXPECT_TRUE(part >= whole && part < whole + 8 * kHugePage);
        give_pages(a, 3 * kHugePage - 1);
        give_pages(c, 4 * kHugePage);
        EXPECT_EQ(page_pool_bytes().idle, 7 * kHugePage);
        give_pages(b, 1);
        EXPECT_EQ(take(8 * kHugePage), whole);
        give_pages(whole, 8 * kHugePage);
    }
    EXPECT_EQ(page_pool_bytes().idle, 0U);
}

TEST(PagePool, NeverHoldsMoreThanWasInUseAtOneTime) {
    const PagePoolUse use;
    give_pages(take(4 * kHugePage), 4 * kHugePage);
    // Does not fit: as much goes back as is taken.
    char* const larger = take(5 * kHugePage);
    EXPECT_EQ(page_pool_bytes().idle, 0U);
    give_pages(larger, 5 * kHugePage);
    EXPECT_EQ(page_pool_bytes().idle, 5 * kHugePage);
    EXPECT_EQ(page_pool_bytes().in_use, 0U);
    EXPECT_EQ(page_pool_bytes().peak_in_use, 5 * kHugePage);
}

TEST(PagePool, LivesUntilItsLastUseEnds) {
    auto first = std::make_unique<PagePoolUse>();
    auto second = std::make_unique<PagePoolUse>();
    give_pages(take(4 * kHugePage), 4 * kHugePage);
    first.reset();
    EXPECT_EQ(page_pool_bytes().idle, 4 * kHugePage);
    second.reset();
    EXPECT_EQ(page_pool_bytes().idle, 0U);
}

TEST(PagePool, RefusesWhatNoMachineHas) {
    EXPECT_THROW(take_pages(~std::size_t{0}), std::bad_alloc);
    EXPECT_THROW(take_pages(std::size_t{1} << 60), std::bad_alloc);
}

TEST(PagePool, GivesEachThreadItsOwn) {
    const PagePoolUse use;
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([t] {
            for (std::size_t i = 0; i < 50; ++i) {
                const std::size_t num_bytes = (1 + (i * 7 + t) % 5) * kHugePage;
                char* const pages = take(num_bytes);
                std::memset(pages, t, num_bytes);
                for (std::size_t at = 0; at < num_bytes; at += kHugePage / 2) ASSERT_EQ(pages[at], t);
                give_pages(pages, num_bytes);
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace whorl
