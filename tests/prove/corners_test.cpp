// Shapes at the edges of what keys allow, where lists are empty and fast paths do not apply.
#include <gtest/gtest.h>

#include <ostream>
#include <string>
#include <vector>

#include <whorl/air.hpp>

#include "airs/small.hpp"
#include "prove/agreement.hpp"
#include "vectors.hpp"

namespace whorl {
namespace {

using test::expect_proved_alike;
using test::value_of;

SystemParams params_of(std::uint32_t l_skip, std::uint32_t n_stack) {
    SystemParams params = test_params_small(l_skip, n_stack, 1);
    params.whir.num_queries = {2};
    params.w_stack = 64;
    return params;
}

TEST(ShortTraces, WithInteractionsAreProvedInEverySkipDomain) {
    // Traces of whole blocks of rows that are repeated to fill the skip domain; heights on both sides of it.
    for (std::uint32_t l_skip = 5; l_skip <= 10; ++l_skip) {
        const std::vector<AnyAir> airs{SelfInteractionAir{2, 0}, SelfInteractionAir{1, 1}};
        const ProvingKey key = value_of(keygen(params_of(l_skip, 1), airs));
        for (unsigned log_height = l_skip < 8 ? 5 : l_skip - 2; log_height <= l_skip + 1; ++log_height) {
            SCOPED_TRACE(testing::Message() << "l_skip " << l_skip << ", height 2^" << log_height);
            const std::vector<AirTrace> traces{self_interaction_trace(0, 2, log_height),
                                               self_interaction_trace(1, 1, log_height - 1)};
            expect_proved_alike(key.vk, traces);
        }
    }
}

TEST(FractionTrees, ArePaddedByAnythingFromNothingToHalf) {
    // A self-interaction AIR has 8 cells a row. 4,096 cells are padded to 8,192; 16,352 of 16,384 are nearly all.
    const std::vector<std::vector<unsigned>> log_heights{{9}, {9, 2}, {9, 5, 3}, {9, 8}, {10, 9, 8, 7, 6, 5, 4, 3, 2}};
    for (const std::vector<unsigned>& heights : log_heights) {
        SCOPED_TRACE(testing::PrintToString(heights));
        std::vector<AnyAir> airs;
        std::vector<AirTrace> traces;
        for (const unsigned height : heights) {
            traces.push_back(self_interaction_trace(static_cast<std::uint32_t>(airs.size()), 2, height));
            airs.emplace_back(SelfInteractionAir{2, 0});
        }
        const ProvingKey key = value_of(keygen(params_of(2, 8), airs));
        expect_proved_alike(key.vk, traces);
    }
}

struct Corner {
    std::uint32_t l_skip = 0, n_stack = 0;
    unsigned log_height = 0;
    bool has_interactions = false;

    std::string name() const {
        return "LSkip" + std::to_string(l_skip) + "NStack" + std::to_string(n_stack) + "Height" +
               std::to_string(1u << log_height) + (has_interactions ? "WithInteractions" : "WithoutInteractions");
    }
    // Its bytes, which gtest prints otherwise, have padding that valgrind reports.
    friend std::ostream& operator<<(std::ostream& out, const Corner& corner) { return out << corner.name(); }
};

std::vector<Corner> corners() {
    std::vector<Corner> out;
    for (const std::uint32_t l_skip : {0u, 1u, 2u, 5u}) {
        for (const std::uint32_t n_stack : {0u, 1u, 2u}) {
            if (l_skip + n_stack == 0) continue;  // WHIR folds at least one variable
            for (const unsigned log_height : {0u, 1u}) {
                for (const bool has_interactions : {false, true}) {
                    out.push_back({l_skip, n_stack, log_height, has_interactions});
                }
            }
        }
    }
    return out;
}

class Corners : public testing::TestWithParam<Corner> {};

TEST_P(Corners, AreCheckedPlannedProvedAndAccepted) {
    const auto [l_skip, n_stack, log_height, has_interactions] = GetParam();
    const std::size_t height = std::size_t{1} << log_height;
    const std::vector<AnyAir> airs =
        has_interactions ? std::vector<AnyAir>{SelfInteractionAir{2, 3}} : std::vector<AnyAir>{FibonacciAir{}};
    const std::vector<AirTrace> traces{has_interactions ? self_interaction_trace(0, 2, log_height)
                                                        : fibonacci_trace(0, 3, 4, height)};
    expect_proved_alike(value_of(keygen(params_of(l_skip, n_stack), airs)).vk, traces);
}

INSTANTIATE_TEST_SUITE_P(Shapes, Corners, testing::ValuesIn(corners()),
                         [](const auto& test) { return test.param.name(); });

}  // namespace
}  // namespace whorl
