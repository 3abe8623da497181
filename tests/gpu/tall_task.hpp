// A task with tall traces for tests of single stages: random values, so its proof would not verify.
#pragma once

#include <vector>

#include <whorl/air.hpp>
#include <whorl/key.hpp>
#include <whorl/trace.hpp>

#include "airs/small.hpp"
#include "unit/random.hpp"
#include "vectors.hpp"

namespace whorl::gpu {

struct TallTask {
    VerifyingKey vk;
    std::vector<AirTrace> traces;
};

/// Heights 2^14 (rotated), 2^13 (with a cached part), 2^13 and 2; stacked height 2^15, skip domain 2^3, many queries.
inline TallTask tall_task() {
    const std::vector<AnyAir> airs{FibonacciAir(), DummyInteractionAir(3, true, 0, true), DummyInteractionAir(5),
                                   FibonacciAir()};
    SystemParams params = test_params_small(3, 12, 3);
    params.whir.num_queries[0] = 70;
    const auto key = test::value_of(keygen(params, airs));
    test::Random random;
    TallTask task{key.vk, {}};
    const auto add = [&](std::uint32_t air, std::size_t width, std::size_t cached_width, std::size_t height) {
        AirTrace& trace = task.traces.emplace_back();
        trace.air_id = air;
        trace.common_main = Matrix(random.fps(width * height), width, height);
        if (cached_width != 0) {
            trace.cached_mains.emplace_back(Matrix(random.fps(cached_width * height), cached_width, height));
        }
        trace.public_values.resize(key.vk.airs[air].num_public_values);
    };
    add(0, 2, 0, std::size_t{1} << 14);
    add(1, 1, 3, std::size_t{1} << 13);
    add(2, 6, 0, std::size_t{1} << 13);
    add(3, 2, 0, 2);
    return task;
}

}  // namespace whorl::gpu
