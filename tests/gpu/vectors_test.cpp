#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <vector>

#include <whorl/field.hpp>

#include "backend/gpu/kernels.hpp"
#include "gpu/devices.hpp"
#include "poly/prismalinear.hpp"

namespace whorl::gpu {
namespace {

std::vector<Fp4> random_exts(std::size_t count, unsigned seed) {
    std::mt19937 random(seed);
    std::vector<Fp4> out(count);
    for (Fp4& x : out) {
        for (Fp& c : x.c) c = Fp::from_canonical(static_cast<std::uint32_t>(random() % Fp::kModulus));
    }
    return out;
}

TEST(Vectors, EqTableOfSplitPoint) {
    for (const unsigned num_vars : {1u, 2u, 5u, 9u}) {
        const std::vector<Fp4> xs = random_exts(num_vars, num_vars);
        const unsigned num_low = num_vars / 2;
        on_devices([&](Device& device) {
            Recorder& recorder = device.recorder();
            const Address low_xs = recorder.upload(std::span(xs).first(num_low));
            const Address high_xs = recorder.upload(std::span(xs).subspan(num_low));
            const Buffer low = device.arena().take_exts("low", 2ull << num_low);
            const Buffer high = device.arena().take_exts("high", 2ull << (num_vars - num_low));
            const Buffer table = device.arena().take_exts("table", 1ull << num_vars);
            recorder.dispatch(kernel::eq_heap, groups_for(kernel::eq_heap, 2ull << num_low),
                              {low.address(), low_xs, num_low, 0});
            recorder.dispatch(kernel::eq_heap, groups_for(kernel::eq_heap, 2ull << (num_vars - num_low)),
                              {high.address(), high_xs, num_vars - num_low, 0});
            recorder.next_stage();
            recorder.dispatch(kernel::eq_table, groups_for(kernel::eq_table, 1ull << num_vars),
                              {table.address(), low.address(), high.address(), num_low, num_vars});
            recorder.submit(3);
            const auto values = read_back<Fp4>(device, table.address(), 1ull << num_vars);
            if (device.is_planning()) return;
            EXPECT_EQ(values, eq_hypercube(xs));
        });
    }
}

TEST(Vectors, FoldAndSum) {
    const std::vector<Fp4> in = random_exts(2000, 7);
    const Fp4 r = random_exts(1, 8)[0];
    on_devices([&](Device& device) {
        Recorder& recorder = device.recorder();
        const Address source = recorder.upload(in);
        const Buffer folded = device.arena().take_exts("folded", 1000);
        const auto sums = recorder.mailbox<Fp4>(2);
        recorder.dispatch(kernel::fold_pairs, groups_for(kernel::fold_pairs, 1000),
                          {source, folded.address(), 1000, ext_param(r)});
        recorder.next_stage();
        const std::vector<SumSegment> segments{{0, 1000, 1, 0}, {1, 333, 3, 1}};
        recorder.dispatch(kernel::sum_segments, segments.size(),
                          {folded.address(), sums.address(), recorder.upload(segments)});
        recorder.submit_and_wait(2);
        if (device.is_planning()) return;
        Fp4 all, some;
        for (std::size_t i = 0; i < 1000; ++i) {
            const Fp4 value = in[2 * i] + r * (in[2 * i + 1] - in[2 * i]);
            all += value;
            if (i % 3 == 1) some += value;
        }
        EXPECT_EQ(sums[0], all);
        EXPECT_EQ(sums[1], some);
    });
}

}  // namespace
}  // namespace whorl::gpu
