// The simulated device finds what a real one would do wrong without a word.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <string>

#include "backend/gpu/device.hpp"
#include "backend/gpu/kernels.hpp"
#include "backend/gpu/sim/group.hpp"
#include "backend/gpu/sim/sim_runtime.hpp"
#include "backend/gpu/sim/thread.hpp"

namespace whorl::gpu::sim {
namespace {

using testing::HasSubstr;

constexpr std::uint32_t kSize = 64;

std::string failure_of(KernelBody body, std::uint64_t seed = 1) {
    try {
        run_barrier_group(body, nullptr, {0, kSize, 0, 1}, seed);
    } catch (const std::runtime_error& e) {
        return e.what();
    }
    return "none";
}

TEST(SimGroup, ThreadsMeetAtBarriers) {
    const KernelBody reverse = [](const std::byte*, const Thread& t) {
        const SharedWords words = shared_words(1, kSize);
        words[t.tid] = t.tid;
        barrier();
        const u32 other = words[kSize - 1 - t.tid];
        barrier();
        words[t.tid] = other;
        barrier();
        if (words[t.tid] != kSize - 1 - t.tid) throw std::runtime_error("wrong value");
    };
    for (std::uint64_t seed = 0; seed < 20; ++seed) EXPECT_EQ(failure_of(reverse, seed), "none");
}

TEST(SimGroup, AMissingBarrierIsARace) {
    const KernelBody reverse = [](const std::byte*, const Thread& t) {
        const SharedWords words = shared_words(1, kSize);
        words[t.tid] = t.tid;
        if (words[kSize - 1 - t.tid] == kSize) words[t.tid] = 0;
    };
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
        EXPECT_THAT(failure_of(reverse, seed), testing::AnyOf(HasSubstr("race"), HasSubstr("before it is written")));
    }
}

TEST(SimGroup, TwoWritersAreARace) {
    EXPECT_THAT(failure_of([](const std::byte*, const Thread& t) { shared_words(1, kSize)[t.tid / 2] = t.tid; }),
                HasSubstr("race"));
}

TEST(SimGroup, AWriteToWhatOthersReadIsARace) {
    const KernelBody body = [](const std::byte*, const Thread& t) {
        const SharedWords words = shared_words(1, kSize);
        words[t.tid] = 1;
        barrier();
        if (words[0] == 1 && t.tid == 5) words[0] = 2;
    };
    EXPECT_THAT(failure_of(body), HasSubstr("race"));
}

TEST(SimGroup, ThreadgroupMemoryStartsUnwritten) {
    const KernelBody fill = [](const std::byte*, const Thread& t) { shared_words(1, kSize)[t.tid] = 7; };
    EXPECT_EQ(failure_of(fill), "none");
    EXPECT_THAT(failure_of([](const std::byte*, const Thread& t) { (void)u32(shared_words(1, kSize)[t.tid]); }),
                HasSubstr("before it is written"));
}

TEST(SimGroup, ThreadgroupMemoryEnds) {
    EXPECT_THAT(failure_of([](const std::byte*, const Thread&) { shared_words(1, kSize)[kSize] = 1; }),
                HasSubstr("64"));
    EXPECT_THAT(failure_of([](const std::byte*, const Thread&) { shared_words(2, 8193); }), HasSubstr("8192"));
}

TEST(SimGroup, ABarrierThatSomeThreadsNeverReachIsFound) {
    EXPECT_THAT(failure_of([](const std::byte*, const Thread& t) {
                    if (t.tid % 2 == 0) barrier();
                }),
                HasSubstr("32 of 64 threads"));
}

TEST(SimRuntime, BuffersEndWhereTheyWereBound) {
    const auto runtime = make_runtime();
    const Block block = runtime->allocate(4096);
    const Address part = runtime->bind(block, 256, 64);
    EXPECT_NO_THROW(words_at(part)[15] = 1);
    EXPECT_THROW(words_at(part)[16] = 1, std::runtime_error);
    EXPECT_NO_THROW(words_at(part + 60)[0] = 1);
    EXPECT_THROW(words_at(part + 60)[1] = 1, std::runtime_error);
    runtime->unbind(part);
    EXPECT_THROW(words_at(part), std::runtime_error);
    EXPECT_THROW(words_at(0), std::runtime_error);
    runtime->release(block);
}

// What the simulated device says of a kernel that is listed with `access`.
std::string failure_with_access(const char* access) {
    Device device(make_runtime(), Dispatch::kStaged);
    std::string failure = "none";
    const auto work = [&] {
        const Buffer in = device.arena().take_exts("in", 4);
        const Buffer out = device.arena().take_exts("out", 2);
        Kernel<FoldPairsParams> kernel = kernel::fold_pairs;
        kernel.info.access = access;
        device.recorder().dispatch(kernel, 1, {in.address(), out.address(), 2, {}});
        try {
            device.recorder().submit_and_wait(1);
        } catch (const DeviceError& e) {
            failure = e.what();
        }
    };
    device.start_planning();
    work();
    const MemoryPlan plan = device.finish_planning();
    device.follow(plan);
    work();
    return failure;
}

TEST(SimRuntime, KernelsKeepToTheAccessTheyDeclare) {
    EXPECT_EQ(failure_with_access("rw-"), "none");
    EXPECT_THAT(failure_with_access("rr-"), HasSubstr("fold_pairs: a buffer written"));
    EXPECT_THAT(failure_with_access("ww-"), HasSubstr("fold_pairs: a buffer read"));
}

TEST(SimRuntime, MemoryEnds) {
    const auto runtime = make_runtime({.memory = 1 << 20});
    const Block block = runtime->allocate(1 << 19);
    EXPECT_EQ(runtime->free_memory(), 1u << 19);
    EXPECT_THROW(runtime->allocate((1 << 19) + 1), DeviceError);
    runtime->release(block);
    EXPECT_EQ(runtime->free_memory(), 1u << 20);
}

}  // namespace
}  // namespace whorl::gpu::sim
