// What CUDA says of the machine, with a GPU and without.
#ifdef WHORL_HAS_CUDA

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "backend/gpu/cuda/cuda_runtime.hpp"
#include "backend/gpu/cuda/kernels.hpp"
#include "backend/gpu/kernels.hpp"

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
    for (const KernelEntry& kernel : all_kernels()) {
        EXPECT_EQ(find_kernel(kernel.name), kernel.function) << kernel.name;
        functions.insert(kernel.function);
    }
    EXPECT_EQ(functions.size(), all_kernels().size());
    EXPECT_NE(find_kernel(kernel::fold_pairs.info.name), nullptr);
    EXPECT_EQ(find_kernel("no_such_kernel"), nullptr);
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

}  // namespace
}  // namespace whorl::gpu::cuda

#endif
