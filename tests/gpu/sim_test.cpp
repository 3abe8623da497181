// The simulated device finds what a real one would do wrong without a word.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <functional>
#include <string>

#include "backend/gpu/compiled/sim/sim_gpu.hpp"
#include "backend/gpu/device.hpp"
#include "backend/gpu/kernels.hpp"
#include "device/sim/group.hpp"
#include "device/sim/race_check.hpp"
#include "device/sim/thread.hpp"
#include "gpu/devices.hpp"

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

// What the simulated device says of work, which it is given twice: first to plan it.
std::string failure_on_device(const Options& options, const std::function<void(Device&)>& work) {
    std::string failure = "none";
    on_device(make_runtime(options), [&](Device& device) {
        try {
            work(device);
        } catch (const DeviceError& e) {
            failure = e.what();
        }
    });
    return failure;
}

// What it says of a kernel that is listed with `access`.
std::string failure_with_access(const char* access) {
    Kernel<FoldPairsParams> kernel = kernel::fold_pairs;
    kernel.info.access = access;
    return failure_on_device({}, [&](Device& device) {
        const Buffer in = device.arena().take_exts("in", 4);
        const Buffer out = device.arena().take_exts("out", 2);
        device.recorder().dispatch(kernel, 1, {in.address(), out.address(), 2, {}});
        device.recorder().submit_and_wait(1);
    });
}

TEST(SimRuntime, KernelsKeepToTheAccessTheyDeclare) {
    EXPECT_EQ(failure_with_access("rw-"), "none");
    EXPECT_THAT(failure_with_access("rr-"), HasSubstr("fold_pairs: a buffer written"));
    EXPECT_THAT(failure_with_access("ww-"), HasSubstr("fold_pairs: a buffer read"));
}

TEST(SimRuntime, FindsThreadsThatWriteWhatOthersRead) {
    const auto fold_into_itself = [](Device& device) {
        const Buffer table = device.arena().take_exts("table", 4);
        device.recorder().dispatch(kernel::fold_pairs, 1, {table.address(), table.address(), 2, {}});
        device.recorder().submit_and_wait(1);
    };
    EXPECT_EQ(failure_on_device({}, fold_into_itself), "none");
    EXPECT_EQ(failure_on_device({.finds_races = true}, fold_into_itself),
              "sim: kernel fold_pairs: race on a word of device memory: thread 1 of group 0 of fold_pairs writes what "
              "thread 0 of group 0 of fold_pairs read in the same stage");
}

TEST(SimRuntime, FindsCommandsOfAStageThatDependOnEachOther) {
    const auto copies = [](bool are_ordered) {
        return [=](Device& device) {
            const Buffer a = device.arena().take_exts("a", 2);
            const Buffer b = device.arena().take_exts("b", 2);
            device.recorder().fill(a.address(), 32, 0);
            if (are_ordered) device.recorder().next_stage();
            device.recorder().copy(b.address(), a.address(), 32);
            device.recorder().submit_and_wait(0);
        };
    };
    EXPECT_EQ(failure_on_device({.finds_races = true}, copies(true)), "none");
    EXPECT_THAT(failure_on_device({.finds_races = true}, copies(false)),
                HasSubstr("group 0 of a copy reads what thread 0 of group 0 of a fill wrote"));
}

// A RaceCheck over a few words, in a stage of one kernel of two groups.
struct Races : testing::Test {
    Races() {
        check.add(reinterpret_cast<const std::byte*>(words), sizeof words);
        next_stage();
    }
    void next_stage() {
        check.begin_stage();
        check.begin_command("k", 2);
    }
    u32 words[8] = {};
    RaceCheck check;
};

TEST_F(Races, AThreadMayDoAsItLikesWithItsWords) {
    for (u32 thread = 0; thread < 8; ++thread) {
        const TouchedBy by = {.group = 1, .thread = thread};
        check.read(words + thread, by);
        check.write(words + thread, by);
        check.update_atomically(words + thread, by);
        check.read(words + thread, by);
    }
}

TEST_F(Races, ManyMayReadOrChangeAtomically) {
    for (u32 thread = 0; thread < 8; ++thread) {
        check.read(words, {.thread = thread});
        check.update_atomically(words + 1, {.thread = thread});
    }
    for (const TouchedBy& by : {TouchedBy{.thread = 3}, TouchedBy{.group = 1, .phase = 1}}) {
        EXPECT_THROW(check.write(words, by), std::runtime_error);
        EXPECT_THROW(check.write(words + 1, by), std::runtime_error);
        EXPECT_THROW(check.read(words + 1, by), std::runtime_error);
        EXPECT_THROW(check.update_atomically(words, by), std::runtime_error);
    }
}

TEST_F(Races, AStageSeesWhatTheOneBeforeWrote) {
    check.write(words, {.thread = 1});
    EXPECT_THROW(check.read(words, {.thread = 2}), std::runtime_error);
    EXPECT_THROW(check.write(words, {.thread = 2}), std::runtime_error);
    next_stage();
    EXPECT_NO_THROW(check.read(words, {.thread = 2}));
}

TEST_F(Races, ABarrierForBuffersOrdersAGroupAndNoOther) {
    for (u32 thread = 0; thread < 4; ++thread) {
        check.read(words, {.thread = thread});
        check.read(words + 1, {.thread = thread});
    }
    EXPECT_THROW(check.write(words, {.thread = 0}), std::runtime_error);
    next_stage();
    for (u32 thread = 0; thread < 4; ++thread) check.read(words, {.thread = thread});
    EXPECT_NO_THROW(check.write(words, {.phase = 1, .thread = 5}));
    EXPECT_NO_THROW(check.read(words, {.phase = 2, .thread = 6}));
    EXPECT_THROW(check.read(words, {.group = 1, .phase = 2, .thread = 6}), std::runtime_error);
    EXPECT_THROW(check.write(words, {.phase = 2, .thread = 7}), std::runtime_error);
}

TEST_F(Races, NamesBothThreads) {
    check.begin_command("other", 2);
    check.write(words, {.group = 1, .thread = 2});
    try {
        check.write(words, {.group = 3, .thread = 5});
        FAIL() << "no error";
    } catch (const std::runtime_error& e) {
        EXPECT_STREQ(
            e.what(),
            "race on a word of device memory: thread 5 of group 1 of other writes what thread 2 of group 1 of k "
            "wrote in the same stage");
    }
}

TEST_F(Races, MemoryThatIsNotKnownIsNotLookedAt) {
    u32 elsewhere = 0;
    check.write(&elsewhere, {.thread = 1});
    check.write(&elsewhere, {.thread = 2});
    check.write(words, {.thread = 1});
    check.remove(reinterpret_cast<const std::byte*>(words));
    check.write(words, {.thread = 2});
}

TEST(SimGroup, AllThreadsWaitAtTheSameKindOfBarrier) {
    EXPECT_THAT(failure_of([](const std::byte*, const Thread& t) {
                    if (t.tid % 4 == 0) {
                        buffer_barrier();
                    } else {
                        barrier();
                    }
                }),
                HasSubstr("16 of 64 threads"));
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
