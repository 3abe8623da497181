// What every GPU runtime must do below the recorder.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <array>

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "doctor/stage_order.hpp"
#include "gpu/devices.hpp"

namespace whorl::gpu {
namespace {

using testing::HasSubstr;

void add(Submission& submission, const Command& command) {
    submission.stages.push_back({static_cast<std::uint32_t>(submission.commands.size()), 1});
    submission.commands.push_back(command);
}

Command upload(Address destination, const std::uint32_t* words, std::uint64_t count) {
    Command command;
    command.kind = Command::Kind::kUpload;
    command.destination = destination;
    command.host = words;
    command.bytes = 4 * count;
    return command;
}

Command fill(Address destination, std::uint64_t count, std::uint8_t byte) {
    Command command;
    command.kind = Command::Kind::kFill;
    command.destination = destination;
    command.bytes = 4 * count;
    command.byte = byte;
    return command;
}

Command copy(Address destination, Address source, std::uint64_t count) {
    Command command;
    command.kind = Command::Kind::kCopy;
    command.destination = destination;
    command.source = source;
    command.bytes = 4 * count;
    return command;
}

// Words of device memory, and as many that the host sees.
class DeviceWords {
public:
    DeviceWords(Runtime& runtime, std::uint64_t count)
        : runtime_(runtime),
          count_(count),
          block_(runtime.allocate(4 * count)),
          shared_(runtime.allocate_shared(4 * count)),
          address_(runtime.bind(block_, 0, 4 * count)),
          shared_address_(runtime.bind(shared_, 0, 4 * count)) {}
    ~DeviceWords() {
        runtime_.unbind(address_);
        runtime_.unbind(shared_address_);
        runtime_.release(block_);
        runtime_.release(shared_);
    }
    Address word(std::uint64_t i) const { return address_ + 4 * i; }
    std::vector<std::uint32_t> read() const {
        Submission submission;
        add(submission, copy(shared_address_, address_, count_));
        runtime_.submit(submission);
        runtime_.wait();
        std::vector<std::uint32_t> words(count_);
        std::memcpy(words.data(), shared_.host, 4 * count_);
        return words;
    }

private:
    Runtime& runtime_;
    std::uint64_t count_;
    Block block_, shared_;
    Address address_, shared_address_;
};

TEST(Runtime, UploadsArriveWholeAndInOrder) {
    // Pieces that share staging memory, fill it, and go round it more than once.
    const std::vector<std::uint64_t> counts{1, 3, 70'001, 5'000'000, 12'000'001, 2};
    std::uint64_t total = 0;
    for (const std::uint64_t count : counts) total += count;
    std::vector<std::uint32_t> first(total), second(total);
    for (std::uint64_t i = 0; i < total; ++i) {
        first[i] = static_cast<std::uint32_t>(i * 2654435761u);
        second[i] = ~first[i];
    }
    for (const auto& runtime : runtimes_to_test()) {
        SCOPED_TRACE(runtime->info().id);
        const DeviceWords words(*runtime, total);
        for (const std::vector<std::uint32_t>* source : {&first, &second}) {
            Submission submission;
            std::uint64_t begin = 0;
            for (const std::uint64_t count : counts) {
                add(submission, upload(words.word(begin), source->data() + begin, count));
                begin += count;
            }
            runtime->submit(submission);
        }
        runtime->wait();
        EXPECT_TRUE(words.read() == second);
    }
}

TEST(Runtime, FillsAreOfBytesAndKeepToTheirRange) {
    for (const auto& runtime : runtimes_to_test()) {
        SCOPED_TRACE(runtime->info().id);
        constexpr std::uint64_t kCount = 3'000'000;
        const DeviceWords words(*runtime, kCount);
        for (const std::uint8_t byte : std::to_array<std::uint8_t>({0x00, 0xAB, 0xFF})) {
            const std::uint32_t word = byte * 0x01010101u;
            Submission submission;
            add(submission, fill(words.word(0), kCount, 0x55));
            add(submission, fill(words.word(1), kCount - 3, byte));
            runtime->submit(submission);
            std::vector<std::uint32_t> expected(kCount, word);
            expected[0] = expected[kCount - 1] = expected[kCount - 2] = 0x55555555u;
            EXPECT_TRUE(words.read() == expected) << word;
        }
    }
}

TEST(Runtime, RefusesMoreMemoryThanThereIs) {
    for (const auto& runtime : runtimes_to_test()) {
        SCOPED_TRACE(runtime->info().id);
        const std::uint64_t bytes = runtime->info().memory + (std::uint64_t{1} << 30);
        try {
            runtime->allocate(bytes);
            FAIL() << "no error";
        } catch (const DeviceError& e) {
            EXPECT_THAT(e.what(), HasSubstr(runtime->info().id));
            EXPECT_THAT(e.what(), HasSubstr(std::to_string(runtime->info().memory)));
        }
        EXPECT_GT(runtime->free_memory(), 0u);
        const DeviceWords words(*runtime, 5);  // it still works
        Submission submission;
        add(submission, fill(words.word(0), 5, 7));
        runtime->submit(submission);
        EXPECT_EQ(words.read(), std::vector<std::uint32_t>(5, 0x07070707));
    }
}

TEST(Runtime, StagesComeOneAfterAnother) {
    for (const std::uint64_t seed : {1u, 2u, 3u}) {
        const std::vector<std::uint32_t> expected = run_ordered_stages(sim::make_runtime(), seed);
        for (auto& runtime : runtimes_to_test()) {
            SCOPED_TRACE(runtime->info().id);
            const std::vector<std::uint32_t> found = run_ordered_stages(std::move(runtime), seed);
            EXPECT_TRUE(found == expected)
                << "first difference at word " << std::ranges::mismatch(found, expected).in1 - found.begin();
        }
    }
}

TEST(Runtime, NamesTheKernelThatCannotStart) {
    static constexpr KernelInfo kUnknown{"no_such_kernel", 32, 0, false, ""};
    for (const auto& runtime : runtimes_to_test()) {
        SCOPED_TRACE(runtime->info().id);
        Submission submission;
        Command command;
        command.kernel = &kUnknown;
        command.groups = 1;
        add(submission, command);
        try {
            runtime->submit(submission);
            FAIL() << "no error";
        } catch (const DeviceError& e) {
            EXPECT_THAT(e.what(), HasSubstr("no_such_kernel"));
        }
        runtime->wait();
    }
}

}  // namespace
}  // namespace whorl::gpu
