// Columns that the caller has in a device's memory: the same bytes, nothing brought over, and every misuse an error.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <whorl/air.hpp>
#include <whorl/check.hpp>
#include <whorl/prove.hpp>
#include <whorl/task.hpp>
#include <whorl/telemetry.hpp>
#include <whorl/validate.hpp>

#include "gpu/devices.hpp"
#include "prove/bytes.hpp"
#include "vectors.hpp"

namespace whorl {
namespace {

using test::expect_same_bytes;
using test::stored_proof;
using test::task_of;
using test::value_of;
using testing::HasSubstr;

/// Memory of a device as a caller has it, apart from any prover.
class CallersMemory {
public:
    explicit CallersMemory(const std::string& device)
        : runtime_(device == "cuda" ? gpu::cuda_runtime() : gpu::sim::make_runtime()) {}
    ~CallersMemory() {
        for (const auto& [block, address] : blocks_) {
            runtime_->unbind(address);
            runtime_->release(block);
        }
    }
    CallersMemory(const CallersMemory&) = delete;
    CallersMemory& operator=(const CallersMemory&) = delete;

    Matrix copy_of(const Matrix& matrix) {
        const std::uint64_t bytes = matrix.values().size_bytes();
        if (bytes == 0) return matrix;
        const gpu::Block block = runtime_->allocate(bytes);
        const gpu::Address address = runtime_->bind(block, 0, bytes);
        blocks_.emplace_back(block, address);
        gpu::Command upload;
        upload.kind = gpu::Command::Kind::kUpload;
        upload.destination = address;
        upload.host = matrix.values().data();
        upload.bytes = bytes;
        gpu::Submission submission;
        submission.commands = {upload};
        submission.stages = {{0, 1}};
        runtime_->submit(submission);
        runtime_->wait();
        // The simulated device's memory is the host's.
        const void* words = block.host != nullptr ? block.host : reinterpret_cast<const void*>(address);
        return value_of(Matrix::on_device({.words = words}, matrix.width(), matrix.height()));
    }
    void put_on_device(AirTrace& trace) {
        trace.common_main = copy_of(trace.common_main);
        for (TracePart& part : trace.cached_mains) part = copy_of(part.matrix());
        if (trace.preprocessed) trace.preprocessed = copy_of(trace.preprocessed->matrix());
    }

private:
    std::unique_ptr<gpu::Runtime> runtime_;
    std::vector<std::pair<gpu::Block, gpu::Address>> blocks_;
};

/// Arena bytes of buffers that hold columns brought over.
std::uint64_t brought_bytes(const MemoryPlan& plan) {
    std::uint64_t bytes = 0;
    for (const PlannedBuffer& buffer : plan.buffers) bytes += buffer.name == "trace" ? buffer.bytes : 0;
    return bytes;
}

class DeviceColumnsTest : public test::DeviceTest {};

TEST_P(DeviceColumnsTest, GiveTheSameProof) {
    for (const std::string vector : {"cached", "fib_height_1", "mixture_l_skip_5", "preprocessed_and_cached"}) {
        SCOPED_TRACE(vector);
        const Task task = task_of(vector);
        CallersMemory memory(GetParam());
        Prover prover = value_of(Prover::create(task.vk, {.device = GetParam(), .verify_after = true}));
        // On the host, on the device, and one of each: every mixture has a plan of its own.
        std::vector<AirTrace> traces = task.traces;
        expect_same_bytes(*encode_proof(value_of(prover.prove(traces))), stored_proof(vector));
        memory.put_on_device(traces.front());
        expect_same_bytes(*encode_proof(value_of(prover.prove(traces))), stored_proof(vector));
        for (std::size_t i = 1; i < traces.size(); ++i) memory.put_on_device(traces[i]);
        expect_same_bytes(*encode_proof(value_of(prover.prove(traces))), stored_proof(vector));
        EXPECT_EQ(brought_bytes(value_of(prover.plan(traces))), 0u);
        expect_same_bytes(*encode_proof(value_of(prover.prove(task.traces))), stored_proof(vector));
    }
}

TEST_P(DeviceColumnsTest, AreCommittedOnce) {
    const Task task = task_of("cached");
    CallersMemory memory(GetParam());
    Prover prover = value_of(Prover::create(task.vk, {.device = GetParam()}));
    std::vector<AirTrace> traces = task.traces;
    for (AirTrace& trace : traces) {
        for (TracePart& part : trace.cached_mains) {
            const Matrix columns = part.matrix();
            const CommittedMatrix committed = value_of(prover.commit(memory.copy_of(columns)));
            // They are the commitment's own from now on.
            EXPECT_FALSE(committed.matrix().is_on_device());
            EXPECT_TRUE(std::ranges::equal(committed.matrix().values(), columns.values()));
            part = committed;
        }
    }
    expect_same_bytes(*encode_proof(value_of(prover.prove(traces))), stored_proof("cached"));
    expect_same_bytes(*encode_proof(value_of(prove(task.vk, traces))), stored_proof("cached"));
}

TEST_P(DeviceColumnsTest, AreHeldToTheField) {
    for (const std::size_t at : {std::size_t{0}, std::size_t{1} << 12}) {
        Task task = task_of("mixture_l_skip_5");
        CallersMemory memory(GetParam());
        Prover prover = value_of(Prover::create(task.vk, {.device = GetParam(), .air_names = task.air_names}));
        for (AirTrace& trace : task.traces) {
            Matrix columns = trace.common_main;
            if (columns.values().empty()) continue;
            const std::size_t word = std::min(at, columns.values().size() - 1);
            columns.values()[word] = Fp::from_montgomery(Fp::kModulus);
            std::vector<AirTrace> traces = task.traces;
            for (AirTrace& other : traces) {
                if (other.air_id == trace.air_id) other.common_main = memory.copy_of(columns);
            }
            const auto proof = prover.prove(traces);
            ASSERT_FALSE(proof.has_value());
            EXPECT_EQ(proof.error().code, ErrorCode::kInvalidArgument);
            EXPECT_THAT(proof.error().message, HasSubstr("AIR " + std::to_string(trace.air_id)));
            EXPECT_THAT(proof.error().message,
                        HasSubstr("common main: expected field elements, found a word that is not below p"));
        }
        // The prover is as good as before.
        expect_same_bytes(*encode_proof(value_of(prover.prove(task.traces))), stored_proof("mixture_l_skip_5"));
    }
}

TEST_P(DeviceColumnsTest, AreShownByTheCheckOfARejectedProof) {
    Task task = task_of("fib_2e5");
    CallersMemory memory(GetParam());
    Prover prover = value_of(Prover::create(task.vk, {.device = GetParam(), .verify_after = true}));
    task.traces[0].common_main.at(7, 0) += Fp::from_canonical(1);
    memory.put_on_device(task.traces[0]);
    const auto proof = prover.prove(task.traces);
    ASSERT_FALSE(proof.has_value());
    EXPECT_EQ(proof.error().code, ErrorCode::kUnsatisfied);
    EXPECT_THAT(proof.error().message, HasSubstr("row 7"));
}

INSTANTIATE_TEST_SUITE_P(Devices, DeviceColumnsTest, testing::Values("sim", "cuda"),
                         [](const auto& info) { return info.param; });

TEST(DeviceColumns, AreRefusedWhereNoDeviceReadsThem) {
    Task task = task_of("fib_2e5");
    const Matrix host = task.traces[0].common_main;
    const auto on_device = [&](void* stream) {
        return value_of(
            Matrix::on_device({.words = host.values().data(), .stream = stream}, host.width(), host.height()));
    };
    task.traces[0].common_main = on_device(nullptr);
    const auto expect_refused = [](const auto& result, const std::string& message) {
        ASSERT_FALSE(result.has_value());
        EXPECT_EQ(result.error().code, ErrorCode::kInvalidArgument);
        EXPECT_THAT(result.error().message, HasSubstr(message));
    };
    const std::string found = "found columns in the memory of a device";
    expect_refused(prove(task.vk, task.traces),
                   "AIR 0, common main: expected columns in the memory of the host, " + found);
    expect_refused(plan_memory(task.vk, task.traces, {}), found);
    expect_refused(check_constraints(task.vk, task.traces), found);
    expect_refused(check_traces(task.vk, task.traces), found);
    expect_refused(save_task(task, "unused"), found);
    expect_refused(commit_matrix(task.vk.params, on_device(nullptr)), found);
    Prover prover = value_of(Prover::create(task.vk));
    expect_refused(prover.commit(on_device(nullptr)), found);

    int no_stream = 0;
    task.traces[0].common_main = on_device(&no_stream);
    expect_refused(prove(task.vk, task.traces, {.device = "sim"}), "found a stream, of which sim has none");
    Prover on_sim = value_of(Prover::create(task.vk, {.device = "sim"}));
    expect_refused(on_sim.commit(on_device(&no_stream)), "found a stream, of which sim has none");
}

TEST(DeviceColumns, AreNotToBeHadOnTheHost) {
    std::vector<Fp> values(8);
    EXPECT_EQ(Matrix::on_device({}, 2, 4).error().code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(Matrix::on_device({.words = reinterpret_cast<const std::byte*>(values.data()) + 1}, 1, 4).error().code,
              ErrorCode::kInvalidArgument);
    EXPECT_EQ(Matrix::on_device({.words = values.data()}, SIZE_MAX, SIZE_MAX).error().code,
              ErrorCode::kInvalidArgument);
    const Matrix empty = value_of(Matrix::on_device({}, 0, 4));
    EXPECT_EQ(empty.height(), 4u);
    EXPECT_FALSE(empty.is_on_device());
    Matrix matrix = value_of(Matrix::on_device({.words = values.data()}, 2, 4));
    EXPECT_TRUE(matrix.is_on_device());
    EXPECT_EQ(matrix.width(), 2u);
    EXPECT_TRUE(matrix.values().empty());
    const Matrix copy = matrix;
    EXPECT_EQ(copy.device_memory().words, values.data());
    const Matrix moved = std::move(matrix);
    EXPECT_EQ(moved.width(), 2u);
    EXPECT_EQ(matrix.width(), 0u);  // NOLINT(bugprone-use-after-move,clang-analyzer-cplusplus.Move)
    EXPECT_DEATH((void)copy.at(0, 1), "in a device's memory");
    EXPECT_DEATH((void)copy.column(0), "in a device's memory");
}

}  // namespace
}  // namespace whorl
