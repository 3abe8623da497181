// Limits on memory, read from folders made up for the test, and what a proof takes beside them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iostream>
#include <system_error>

#include <whorl/prove.hpp>

#include "airs/tasks.hpp"
#include "backend/cpu/memory.hpp"
#include "machine/faults.hpp"
#include "machine/memory.hpp"
#include "machine/page_pool.hpp"
#include "machine/sanitizers.hpp"
#include "prover/input.hpp"
#include "vectors.hpp"

namespace whorl::test {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;

constexpr std::uint64_t kMega = std::uint64_t{1} << 20;

/// A folder with files in the place of /proc and /sys.
class FakeRoot {
public:
    FakeRoot() { fs::remove_all(path_); }
    ~FakeRoot() {
        std::error_code ignored;
        fs::remove_all(path_, ignored);
    }
    FakeRoot(const FakeRoot&) = delete;
    FakeRoot& operator=(const FakeRoot&) = delete;

    void write(const std::string& file, const std::string& text) const {
        fs::create_directories((path_ / file).parent_path());
        std::ofstream(path_ / file) << text;
    }
    /// The limits of control groups alone.
    std::vector<MemoryLimit> group_limits() const {
        std::vector<MemoryLimit> limits = memory_limits(path_);
        std::erase_if(limits,
                      [](const MemoryLimit& limit) { return limit.name.find("control group") == std::string::npos; });
        return limits;
    }
    const fs::path& path() const { return path_; }

private:
    fs::path path_ = fs::temp_directory_path() / ("whorl_limits_" + std::to_string(::getpid()));
};

TEST(Memory, TwoSizesReadAsTwo) {
    EXPECT_EQ(human_bytes_apart(457732, 457728), std::pair(std::string("457732 B"), std::string("457728 B")));
    EXPECT_EQ(human_bytes_apart(2048, 1024), std::pair(std::string("2.0 KiB"), std::string("1.0 KiB")));
    EXPECT_EQ(human_bytes_apart(1024, 1024), std::pair(std::string("1.0 KiB"), std::string("1.0 KiB")));
}

TEST(MemoryLimits, OfVersion2AreThoseOfTheGroupAndOfAllThatHoldIt) {
    const FakeRoot root;
    root.write("proc/self/mountinfo", "30 24 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw\n");
    root.write("proc/self/cgroup", "0::/user.slice/job\n");
    root.write("sys/fs/cgroup/user.slice/job/memory.max", "max\n");
    root.write("sys/fs/cgroup/user.slice/job/memory.high", "209715200\n");
    root.write("sys/fs/cgroup/user.slice/job/memory.current", "104857600\n");
    root.write("sys/fs/cgroup/user.slice/job/memory.stat", "anon 1\ninactive_file 52428800\n");
    root.write("sys/fs/cgroup/user.slice/memory.max", "314572800\n");
    root.write("sys/fs/cgroup/user.slice/memory.current", "262144000\n");
    const std::vector<MemoryLimit> limits = root.group_limits();
    ASSERT_EQ(limits.size(), 2U);
    EXPECT_THAT(limits[0].name, HasSubstr("memory.high (/sys/fs/cgroup/user.slice/job/memory.high)"));
    EXPECT_EQ(limits[0].bytes, 200 * kMega);
    EXPECT_EQ(limits[0].in_use, 50 * kMega);
    EXPECT_THAT(limits[1].name, HasSubstr("memory.max (/sys/fs/cgroup/user.slice/memory.max)"));
    EXPECT_EQ(limits[1].available(), 50 * kMega);
}

TEST(MemoryLimits, OfVersion1AreFoundInContainersToo) {
    const FakeRoot root;
    // The path of the group is the host's; the mount stands for it.
    root.write("proc/self/mountinfo",
               "31 24 0:27 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n"
               "32 24 0:28 /docker/abc /sys/fs/cgroup/memory ro master:5 - cgroup cgroup rw,memory\n");
    root.write("proc/self/cgroup", "5:cpu:/docker/abc\n4:memory,hugetlb:/docker/abc/inner\n0::/\n");
    root.write("sys/fs/cgroup/memory/inner/memory.limit_in_bytes", "9223372036854771712\n");
    root.write("sys/fs/cgroup/memory/memory.limit_in_bytes", "209715200\n");
    root.write("sys/fs/cgroup/memory/memory.usage_in_bytes", "157286400\n");
    root.write("sys/fs/cgroup/memory/memory.stat", "cache 5\ntotal_inactive_file 52428800\n");
    const std::vector<MemoryLimit> limits = root.group_limits();
    ASSERT_EQ(limits.size(), 1U);
    EXPECT_THAT(limits[0].name, HasSubstr("memory.limit_in_bytes (/sys/fs/cgroup/memory/memory.limit_in_bytes)"));
    EXPECT_EQ(limits[0].available(), 100 * kMega);
}

TEST(MemoryLimits, OfAGroupOutsideTheMountAreThoseOfTheMount) {
    const FakeRoot root;
    root.write("proc/self/mountinfo", "30 24 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
    root.write("proc/self/cgroup", "0::/not/there\n");
    root.write("sys/fs/cgroup/memory.max", "1048576\n");
    ASSERT_EQ(root.group_limits().size(), 1U);
    EXPECT_EQ(root.group_limits()[0].bytes, kMega);
}

TEST(MemoryLimits, AreNotMadeUpFromFilesThatSaySomethingElse) {
    const FakeRoot root;
    EXPECT_TRUE(root.group_limits().empty());
    root.write("proc/self/mountinfo", "nonsense\n\n30 24 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
    root.write("proc/self/cgroup", "nonsense\n0::/../..\n");
    root.write("sys/fs/cgroup/memory.max", "lots\n");
    EXPECT_TRUE(root.group_limits().empty());
}

TEST(MemoryLimits, ThatAreTooLowAreNamedWithWhatIsNeeded) {
    const FakeRoot root;
    root.write("proc/self/mountinfo", "30 24 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
    root.write("proc/self/cgroup", "0::/job\n");
    root.write("sys/fs/cgroup/job/memory.max", "209715200\n");
    root.write("sys/fs/cgroup/job/memory.current", "10485760\n");
    EXPECT_TRUE(check_memory("prove", "a proof", 190 * kMega, root.path()));
    const Result<void> refused = check_memory("prove", "a proof", 191 * kMega, root.path());
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kMachine);
    EXPECT_THAT(refused.error().message,
                AllOf(HasSubstr("a proof needs more than 191.0 MiB of memory, 190.0 MiB are available"),
                      HasSubstr("memory.max (/sys/fs/cgroup/job/memory.max) allows 200.0 MiB, 10.0 MiB are in use")));
}

// The estimate is close to what a proof really takes, and not above it.
class PeakMemory : public testing::TestWithParam<std::string> {};

TEST_P(PeakMemory, IsWhatTheEstimateSays) {
#ifdef WHORL_SANITIZED
    GTEST_SKIP() << "sanitizers count memory themselves";
#endif
    AirTask task = GetParam() == "keccak"  ? keccak_task({16, KeccakState{}}, *app_params_100_bits(15))
                   : GetParam() == "logup" ? logup_task(12, *app_params_100_bits(14), {4, 7, 8})
                                           : logup_task(8, *app_params_100_bits(18), {2});
    const ProvingKey key = value_of(keygen(task.params, task.airs));
    const std::vector<AirTrace> traces = task.make_traces();
    value_of(prove(key.vk, traces, {.num_threads = 2}));  // caches are filled
    AllocationFaults& faults = allocation_faults();
    const std::uint64_t before = faults.live_bytes;
    faults.peak_bytes = before;
    value_of(prove(key.vk, traces, {.num_threads = 2}));
    const std::uint64_t found = faults.peak_bytes - before + page_pool_bytes().peak_in_use;
    const std::uint64_t estimate = cpu::plan_memory(make_prover_input(key.vk, traces, nullptr)).peak_live_bytes;
    std::cout << GetParam() << ": estimate " << human_bytes(estimate) << ", found " << human_bytes(found) << '\n';
    EXPECT_LE(estimate, found);
    EXPECT_LE(found, estimate + estimate / 4 + 40 * kMega);
}

INSTANTIATE_TEST_SUITE_P(Cpu, PeakMemory, testing::Values("keccak", "logup", "whir"));

}  // namespace
}  // namespace whorl::test
