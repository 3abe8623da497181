// What CUDA says of the machine, with a GPU and without.
#ifdef WHORL_HAS_CUDA

#include <cuda_runtime_api.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <whorl/prove.hpp>
#include <whorl/task.hpp>

#include "backend/gpu/compiled/cuda/cuda_gpus.hpp"
#include "backend/gpu/kernels.hpp"
#include "device/cuda/kernels.hpp"
#include "vectors.hpp"

namespace whorl::gpu::cuda {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

std::string failure_of_making(unsigned index) {
    try {
        make_runtime(index);
    } catch (const DeviceError& e) {
        return e.what();
    }
    return "none";
}

TEST(Cuda, HasEveryKernelOnce) {
    std::set<const void*> functions;
    std::set<std::string_view> names;
    for (const KernelEntry& kernel : kernel_set().kernels) {
        names.insert(kernel.name);
        functions.insert(kernel.function);
    }
    EXPECT_EQ(functions.size(), kernel_set().kernels.size());
    EXPECT_EQ(names.size(), kernel_set().kernels.size());
    EXPECT_TRUE(names.contains(kernel::fold_pairs.info.name));
}

TEST(Cuda, SaysWhyThereIsNoDevice) {
    const std::vector<DeviceReport> reports = list_devices();
    if (reports.front().id != "cuda") GTEST_SKIP() << "there is one: " << reports.front().name;
    ASSERT_EQ(reports.size(), 1u);
    EXPECT_THAT(reports[0].problem, HasSubstr("driver"));
    EXPECT_EQ(device_problem(0), reports[0].problem);
    EXPECT_EQ(failure_of_making(0), "cuda:0: " + reports[0].problem);
}

TEST(Cuda, ReportsEachDevice) {
    const std::vector<DeviceReport> reports = list_devices();
    if (reports.front().id == "cuda") GTEST_SKIP() << reports.front().problem;
    for (unsigned i = 0; i < reports.size(); ++i) {
        const DeviceReport& report = reports[i];
        EXPECT_EQ(report.id, "cuda:" + std::to_string(i));
        EXPECT_NE(report.name, "");
        EXPECT_THAT(report.driver, StartsWith("CUDA "));
        EXPECT_EQ(report.problem, device_problem(i));
        if (!report.problem.empty()) continue;
        EXPECT_GT(report.free_bytes, 0u);
        EXPECT_LE(report.free_bytes, report.memory_bytes);
        EXPECT_EQ(make_runtime(i)->info().id, report.id);
    }
    const auto beyond = static_cast<unsigned>(reports.size());
    EXPECT_THAT(failure_of_making(beyond), HasSubstr("from 0 to " + std::to_string(beyond - 1)));
}

Matrix matrix_at(const Matrix& shape, const void* words, cudaStream_t stream) {
    return test::value_of(Matrix::on_device({.words = words, .stream = stream}, shape.width(), shape.height()));
}

TEST(Cuda, ProofsWaitForTheStreamsOfTheirColumns) {
    if (const std::string problem = device_problem(0); !problem.empty()) GTEST_SKIP() << problem;
    Task task = test::value_of(load_task(test::vector_path("fib_2e5", "")));
    const Matrix host = task.traces[0].common_main;
    const std::size_t bytes = host.values().size_bytes();
    Prover prover = test::value_of(Prover::create(task.vk, {.device = "cuda"}));
    ASSERT_TRUE(prover.prove(task.traces).has_value());  // the device is warm
    void* words = nullptr;
    cudaStream_t stream = nullptr;
    ASSERT_EQ(cudaMalloc(&words, bytes), cudaSuccess);
    ASSERT_EQ(cudaMemset(words, 0, bytes), cudaSuccess);
    ASSERT_EQ(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), cudaSuccess);
    const auto sleep = [](void*) { std::this_thread::sleep_for(std::chrono::milliseconds(300)); };
    ASSERT_EQ(cudaLaunchHostFunc(stream, sleep, nullptr), cudaSuccess);
    ASSERT_EQ(cudaMemcpyAsync(words, host.values().data(), bytes, cudaMemcpyHostToDevice, stream), cudaSuccess);
    task.traces[0].common_main = matrix_at(host, words, stream);
    const auto proof = prover.prove(task.traces);
    ASSERT_TRUE(proof.has_value()) << to_string(proof.error());
    EXPECT_TRUE(test::value_of(encode_proof(*proof)) == test::read_file(test::vector_path("fib_2e5", "proof.bin")));
    EXPECT_EQ(cudaStreamDestroy(stream), cudaSuccess);
    EXPECT_EQ(cudaFree(words), cudaSuccess);
}

TEST(Cuda, MemoryThatIsNotTheDevicesIsRefused) {
    if (const std::string problem = device_problem(0); !problem.empty()) GTEST_SKIP() << problem;
    Task task = test::value_of(load_task(test::vector_path("fib_2e5", "")));
    const Matrix host = task.traces[0].common_main;
    Prover prover = test::value_of(Prover::create(task.vk, {.device = "cuda"}));
    const auto expect_refused = [&](const void* words, const std::string& found) {
        task.traces[0].common_main = matrix_at(host, words, nullptr);
        const auto proof = prover.prove(task.traces);
        ASSERT_FALSE(proof.has_value());
        EXPECT_EQ(proof.error().code, ErrorCode::kInvalidArgument);
        EXPECT_THAT(
            proof.error().message,
            HasSubstr("AIR 0, common main: expected columns in the memory of the prover's device, found " + found));
    };
    expect_refused(host.values().data(), "memory that CUDA does not know");
    void* pinned = nullptr;
    ASSERT_EQ(cudaMallocHost(&pinned, host.values().size_bytes()), cudaSuccess);
    expect_refused(pinned, "host memory");
    EXPECT_EQ(cudaFreeHost(pinned), cudaSuccess);
    task.traces[0].common_main = host;
    EXPECT_TRUE(prover.prove(task.traces).has_value());
}

}  // namespace
}  // namespace whorl::gpu::cuda

#endif
