// Which GPUs there are, and why one cannot be used.
#include <cuda_runtime_api.h>
#include <fmt/format.h>

#include "device/cuda/cuda_runtime.hpp"
#include "device/cuda/kernels.hpp"

namespace whorl::gpu::cuda {
namespace {

std::string version_text(int version) {
    return fmt::format("CUDA {}.{}", version / 1000, version % 1000 / 10);
}

// 0 where there is no driver.
int driver_version() {
    int version = 0;
    return cudaDriverGetVersion(&version) == cudaSuccess ? version : 0;
}

struct DeviceCount {
    unsigned devices = 0;
    std::string problem;  // why there are none
};

DeviceCount count_devices() {
    // Drivers serve all programs of their major version.
    const std::string needed = fmt::format("a driver for CUDA {} or newer", CUDART_VERSION / 1000);
    const int driver = driver_version();
    if (driver == 0) return {0, fmt::format("no NVIDIA driver on this machine; {} is needed", needed)};
    if (driver / 1000 < CUDART_VERSION / 1000) {
        return {0, fmt::format("the NVIDIA driver is too old: it is for {}, and {} is needed", version_text(driver),
                               needed)};
    }
    int count = 0;
    const cudaError_t error = cudaGetDeviceCount(&count);
    cudaGetLastError();
    if (error == cudaErrorNoDevice || (error == cudaSuccess && count == 0)) {
        return {0, "the NVIDIA driver shows no GPU (CUDA_VISIBLE_DEVICES and containers can hide them)"};
    }
    if (error != cudaSuccess) return {0, fmt::format("the NVIDIA driver fails: {}", cudaGetErrorString(error))};
    return {static_cast<unsigned>(count), {}};
}

bool is_about_machine_code(cudaError_t error) {
    return error == cudaErrorNoKernelImageForDevice || error == cudaErrorInvalidDeviceFunction ||
           error == cudaErrorUnsupportedPtxVersion || error == cudaErrorJitCompilerNotFound;
}

// Loads a kernel onto a device that is there.
std::string kernel_problem(unsigned index, const KernelSet& set) {
    cudaError_t error = cudaSetDevice(static_cast<int>(index));
    cudaFuncAttributes attributes;
    if (error == cudaSuccess) error = cudaFuncGetAttributes(&attributes, set.kernels.front().function);
    if (error == cudaSuccess) return {};
    cudaGetLastError();
    if (!is_about_machine_code(error)) return fmt::format("the GPU cannot be used: {}", cudaGetErrorString(error));

    int major = 0, minor = 0;
    cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, static_cast<int>(index));
    cudaDeviceGetAttribute(&minor, cudaDevAttrComputeCapabilityMinor, static_cast<int>(index));
    return fmt::format(
        "this build has no code for compute capability {}.{}: {} (built for {}; configure with "
        "-DWHORL_CUDA_ARCHITECTURES={}{})",
        major, minor, cudaGetErrorString(error), set.architectures, major, minor);
}

}  // namespace

std::string device_problem(unsigned index, const KernelSet& set) {
    const DeviceCount count = count_devices();
    if (!count.problem.empty()) return count.problem;
    if (index >= count.devices) return fmt::format("the NVIDIA driver counts its GPUs from 0 to {}", count.devices - 1);
    return kernel_problem(index, set);
}

std::vector<DeviceReport> list_devices(const KernelSet& set) {
    const int driver = driver_version();
    const std::string driver_text = driver == 0 ? std::string() : version_text(driver);
    const DeviceCount count = count_devices();
    if (!count.problem.empty()) {
        return {{.id = "cuda", .name = "NVIDIA GPUs", .driver = driver_text, .problem = count.problem}};
    }
    std::vector<DeviceReport> reports;
    for (unsigned i = 0; i < count.devices; ++i) {
        DeviceReport report;
        report.id = fmt::format("cuda:{}", i);
        report.driver = driver_text;
        report.problem = kernel_problem(i, set);
        cudaDeviceProp properties;
        if (cudaGetDeviceProperties(&properties, static_cast<int>(i)) == cudaSuccess) {
            report.name = properties.name;
            report.memory_bytes = properties.totalGlobalMem;
        }
        std::size_t free = 0, total = 0;
        if (report.problem.empty() && cudaMemGetInfo(&free, &total) == cudaSuccess) report.free_bytes = free;
        cudaGetLastError();
        reports.push_back(std::move(report));
    }
    return reports;
}

}  // namespace whorl::gpu::cuda
