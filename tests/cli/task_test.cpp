// Task folders through the C++ API.
#include <gmock/gmock.h>

#include <whorl/air.hpp>
#include <whorl/task.hpp>

#include "cli/program.hpp"
#include "engine/files.hpp"

namespace whorl::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr ReadLimit kAnyFile{.max_bytes = std::uint64_t{1} << 24, .content = "a file"};

TEST(Task, EveryStoredVectorIsLoadedAndSavedAgainByteForByte) {
    int num_tasks = 0;
    for (const auto& entry : fs::directory_iterator(WHORL_TEST_VECTORS)) {
        if (!fs::exists(entry.path() / "task.json") || entry.path().filename() == "keccakf_1024") continue;
        SCOPED_TRACE(entry.path());
        ++num_tasks;
        const Result<Task> task = load_task(entry.path());
        ASSERT_TRUE(task) << to_string(task.error());
        EXPECT_EQ(task->name, entry.path().filename());
        EXPECT_EQ(task->air_names.size(), task->vk.airs.size());

        const Scratch scratch;
        ASSERT_TRUE(save_task(*task, scratch.path() / "new" / "task"));
        for (const auto& file : fs::directory_iterator(scratch.path() / "new" / "task")) {
            const std::string name = file.path().filename().string();
            EXPECT_THAT(name, testing::Not(HasSubstr("tmp")));
            if (name == "task.json") continue;
            EXPECT_EQ(read_text(file.path()), read_text(entry.path() / name)) << name;
        }
        const Result<Task> again = load_task(scratch.path() / "new" / "task");
        ASSERT_TRUE(again) << to_string(again.error());
        EXPECT_EQ(again->vk, task->vk);
        EXPECT_EQ(again->air_names, task->air_names);
        ASSERT_EQ(again->traces.size(), task->traces.size());
        for (std::size_t i = 0; i < task->traces.size(); ++i) {
            EXPECT_EQ(again->traces[i].air_id, task->traces[i].air_id);
            EXPECT_EQ(again->traces[i].height(), task->traces[i].height());
            EXPECT_EQ(again->traces[i].public_values, task->traces[i].public_values);
        }
    }
    EXPECT_EQ(num_tasks, 12);
}

TEST(Task, NamesOfAbsentAirsAreEmpty) {
    const Result<Task> task = load_task(vector_folder("fib_three_airs_one_absent"));
    ASSERT_TRUE(task) << to_string(task.error());
    EXPECT_THAT(task->air_names, ElementsAre("FibonacciAir", "", "FibonacciAir"));
    ASSERT_EQ(task->traces.size(), 2U);
    EXPECT_EQ(task->traces[1].air_id, 2U);
    EXPECT_EQ(task->traces[1].common_main.at(0, 1).canonical(), 5U);
}

struct CachedOnly {
    std::string name() const { return "CachedOnly"; }
    std::uint32_t width() const { return 0; }
    std::vector<std::uint32_t> cached_main_widths() const { return {1}; }
    void eval(auto& builder) const { builder.assert_bool(builder.cached_main(0).local[0]); }
};

TEST(Task, AnAirWithoutCommonMainColumnsHasNullInTheirPlace) {
    const std::vector<AnyAir> airs{CachedOnly{}};
    const Result<ProvingKey> key = keygen(test_params_small(2, 8, 3), airs);
    ASSERT_TRUE(key) << to_string(key.error());
    Task task{.name = "cached only", .vk = key->vk, .air_names = {"CachedOnly"}, .traces = {}};
    AirTrace& trace = task.traces.emplace_back();
    trace.common_main = Matrix(0, 4);
    trace.cached_mains.emplace_back(Matrix(1, 4));
    const Scratch scratch;
    const Result<void> saved = save_task(task, scratch.path());
    ASSERT_TRUE(saved) << to_string(saved.error());
    EXPECT_THAT(scratch.file_names(), testing::UnorderedElementsAre("task.json", "vk.postcard", "air0_cached0.bin"));
    EXPECT_THAT(read_text(scratch / "task.json"), HasSubstr("\"common_main\": null"));
    const Result<Task> again = load_task(scratch.path());
    ASSERT_TRUE(again) << to_string(again.error());
    EXPECT_EQ(again->traces[0].height(), 4U);
    EXPECT_EQ(again->traces[0].common_main.width(), 0U);
    EXPECT_EQ(run_whorl({"prove", "--task", scratch.path(), "--out", scratch / "proof"}).exit_code, 0);
    EXPECT_EQ(
        run_whorl({"verify", "--vk", scratch / "vk.postcard", "--proof", scratch / "proof", "--min-security", "0"})
            .exit_code,
        0);
}

TEST(Task, ATraceOfAnUnknownAirIsNotSaved) {
    Result<Task> task = load_task(vector_folder("fib_2e5"));
    ASSERT_TRUE(task);
    task->traces[0].air_id = 1;
    const Scratch scratch;
    const Result<void> saved = save_task(*task, scratch.path());
    ASSERT_FALSE(saved);
    EXPECT_EQ(saved.error().code, ErrorCode::kInvalidArgument);
    EXPECT_TRUE(scratch.file_names().empty());
}

TEST(Files, WritingReplacesTheWholeFileAndKeepsItsMode) {
    const Scratch scratch;
    ASSERT_TRUE(write_file(scratch / "a", "a long first content"));
    fs::permissions(scratch / "a", fs::perms::owner_read | fs::perms::owner_write | fs::perms::others_read);
    ASSERT_TRUE(write_file(scratch / "a", "short"));
    EXPECT_EQ(read_text(scratch / "a"), "short");
    EXPECT_EQ(fs::status(scratch / "a").permissions(),
              fs::perms::owner_read | fs::perms::owner_write | fs::perms::others_read);
    EXPECT_THAT(scratch.file_names(), ElementsAre("a"));
}

TEST(Files, ASymbolicLinkStaysAndItsTargetIsReplaced) {
    const Scratch scratch;
    write_text(scratch / "target", "old");
    fs::create_symlink("target", scratch / "link");
    ASSERT_TRUE(write_file(scratch / "link", "new"));
    EXPECT_TRUE(fs::is_symlink(scratch / "link"));
    EXPECT_EQ(read_text(scratch / "target"), "new");
}

TEST(Files, ADeviceIsWrittenTo) {
    EXPECT_TRUE(check_writable("/dev/null"));
    EXPECT_TRUE(write_file("/dev/null", "gone"));
    if (!fs::exists("/dev/full")) GTEST_SKIP() << "no /dev/full here";
    const Result<void> full = write_file("/dev/full", "no room");
    ASSERT_FALSE(full);
    EXPECT_THAT(full.error().message, HasSubstr("No space"));
}

TEST(Files, AreReadWhole) {
    const Scratch scratch;
    for (const std::size_t size : {0UL, 1UL, 65535UL, 65536UL, 65537UL, 300000UL}) {
        write_text(scratch / "a", std::string(size, 'x'));
        const auto bytes = read_file(scratch / "a", kAnyFile);
        ASSERT_TRUE(bytes);
        EXPECT_EQ(bytes->size(), size);
    }
    if (!fs::exists("/proc/self/maps")) GTEST_SKIP() << "no /proc here";
    const auto endless_size = read_file("/proc/self/maps", kAnyFile);  // a file that claims to be empty
    ASSERT_TRUE(endless_size);
    EXPECT_GT(endless_size->size(), 100U);
}

}  // namespace
}  // namespace whorl::test
