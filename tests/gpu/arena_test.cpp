// Memory plans and the recorder's promises.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <random>

#include "backend/gpu/kernels.hpp"
#include "gpu/devices.hpp"

namespace whorl::gpu {
namespace {

using testing::HasSubstr;

MemoryPlan plan_of(const std::function<void(Arena&)>& work) {
    Device device(sim::make_runtime(), Dispatch::kStaged);
    device.start_planning();
    work(device.arena());
    return device.finish_planning();
}

bool overlap(const PlannedBuffer& a, const PlannedBuffer& b) {
    const bool in_time = a.taken < b.returned && b.taken < a.returned;
    const bool in_place = a.offset < b.offset + b.bytes && b.offset < a.offset + a.bytes;
    return in_time && in_place;
}

TEST(MemoryPlan, BuffersThatLiveApartShareAPlace) {
    const MemoryPlan plan = plan_of([](Arena& arena) {
        const Buffer all = arena.take_words("all", 64);
        {
            const Buffer first = arena.take_words("first", 1024);
        }
        {
            const Buffer second = arena.take_words("second", 1024);
        }
    });
    ASSERT_EQ(plan.buffers.size(), 3u);
    EXPECT_EQ(plan.buffers[1].offset, plan.buffers[2].offset);
    EXPECT_EQ(plan.arena_bytes, 4096u + 256u);
    EXPECT_EQ(plan.peak_live_bytes, plan.arena_bytes);
}

TEST(MemoryPlan, NoTwoBuffersOverlapAndLittleIsWasted) {
    std::mt19937 random(11);
    const MemoryPlan plan = plan_of([&](Arena& arena) {
        std::vector<Buffer> live;
        for (int i = 0; i < 400; ++i) {
            if (live.size() > 12 || (random() % 3 == 0 && !live.empty())) {
                live.erase(live.begin() + static_cast<std::ptrdiff_t>(random() % live.size()));
            } else {
                live.push_back(arena.take_words("buffer", random() % 100000));
            }
        }
    });
    for (std::size_t i = 0; i < plan.buffers.size(); ++i) {
        for (std::size_t j = 0; j < i; ++j) EXPECT_FALSE(overlap(plan.buffers[i], plan.buffers[j])) << i << " " << j;
    }
    EXPECT_GE(plan.arena_bytes, plan.peak_live_bytes);
    EXPECT_LE(static_cast<double>(plan.arena_bytes), 1.3 * static_cast<double>(plan.peak_live_bytes));
}

TEST(MemoryPlan, AProofThatStraysFromItIsStopped) {
    Device device(sim::make_runtime(), Dispatch::kStaged);
    device.start_planning();
    {
        const Buffer a = device.arena().take_words("a", 10);
    }
    const MemoryPlan plan = device.finish_planning();
    device.follow(plan);
    EXPECT_THROW(device.arena().take_words("b", 10), std::logic_error);
    EXPECT_THROW(device.arena().take_words("a", 1000), std::logic_error);
    EXPECT_NO_THROW(device.arena().take_words("a", 10));
    EXPECT_THROW(device.arena().take_words("a", 10), std::logic_error);
}

TEST(MemoryPlan, ThatDoesNotFitIsRefusedWithTheFigures) {
    Device device(sim::make_runtime({.memory = std::uint64_t{1} << 20}), Dispatch::kStaged);
    device.start_planning();
    {
        const Buffer a = device.arena().take_words("a", 1 << 20);
    }
    const MemoryPlan plan = device.finish_planning();
    try {
        device.follow(plan);
        FAIL() << "no error";
    } catch (const DeviceError& e) {
        EXPECT_THAT(e.what(), HasSubstr("4 MiB"));
        EXPECT_THAT(e.what(), HasSubstr("1 MiB free"));
    }
}

TEST(MemoryPlan, IsFollowedAgainWithoutNewMemory) {
    Device device(sim::make_runtime(), Dispatch::kStaged);
    device.start_planning();
    {
        const Buffer a = device.arena().take_words("a", 1000);
    }
    const MemoryPlan plan = device.finish_planning();
    device.follow(plan);
    const std::uint64_t once = device.num_allocations();
    for (int i = 0; i < 10; ++i) {
        device.follow(plan);
        const Buffer a = device.arena().take_words("a", 1000);
    }
    EXPECT_EQ(device.num_allocations(), once);
}

TEST(Recorder, CountsWhatItSubmits) {
    on_devices([](Device& device) {
        Recorder& recorder = device.recorder();
        const Buffer buffer = device.arena().take_exts("buffer", 16);
        const DispatchCounts before = recorder.counts();
        recorder.fill(buffer.address(), buffer.bytes(), 0);
        recorder.next_stage();
        for (const u64 half : {0, 4}) {
            recorder.dispatch(kernel::fold_pairs, 1,
                              {buffer.ext(half), buffer.ext(8 + half), 2, ext_param(Fp4::one())});
        }
        recorder.submit(2);
        recorder.wait();
        recorder.wait();
        if (device.is_planning()) return;
        EXPECT_EQ(recorder.counts().kernels - before.kernels, 2);
        EXPECT_EQ(recorder.counts().encoders - before.encoders, 2);
        EXPECT_EQ(recorder.counts().command_buffers - before.command_buffers, 1);
        EXPECT_EQ(recorder.counts().syncs - before.syncs, 1);
    });
}

TEST(Recorder, AnotherNumberOfKernelsThanExpectedIsAnError) {
    on_devices([](Device& device) {
        const Buffer buffer = device.arena().take_exts("buffer", 16);
        device.recorder().dispatch(kernel::fold_pairs, 1, {buffer.address(), buffer.ext(8), 4, ext_param(Fp4::one())});
        EXPECT_THROW(device.recorder().submit(2), std::logic_error);
    });
}

}  // namespace
}  // namespace whorl::gpu
