#include "engine/devices.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <charconv>
#include <optional>
#include <vector>
#include <whorl/device.hpp>

#include "backend/gpu/sim/sim_runtime.hpp"
#ifdef WHORL_HAS_CUDA
#include "backend/gpu/cuda/cuda_runtime.hpp"
#endif

namespace whorl {
namespace {

constexpr std::string_view kCuda = "cuda";

// The number of "cuda" or "cuda:i".
std::optional<unsigned> cuda_index(std::string_view device) {
    if (!device.starts_with(kCuda)) return std::nullopt;
    device.remove_prefix(kCuda.size());
    if (device.empty()) return 0;
    if (device.front() != ':') return std::nullopt;
    unsigned index = 0;
    const auto [end, error] = std::from_chars(device.data() + 1, device.data() + device.size(), index);
    if (error != std::errc() || end != device.data() + device.size()) return std::nullopt;
    return index;
}

std::uint64_t host_memory() {
    const long pages = ::sysconf(_SC_PHYS_PAGES);
    const long page_bytes = ::sysconf(_SC_PAGESIZE);
    return pages > 0 && page_bytes > 0 ? static_cast<std::uint64_t>(pages) * static_cast<std::uint64_t>(page_bytes) : 0;
}

Error not_there(const std::string& device, const std::string& why) {
    std::vector<std::string> usable;
    for (const DeviceReport& report : list_devices()) {
        if (report.problem.empty()) usable.push_back(report.id);
    }
    return {ErrorCode::kMachine, "device",
            fmt::format("no device \"{}\" here{}{}; available: {}", device, why.empty() ? "" : ": ", why,
                        fmt::join(usable, ", "))};
}

Error no_such_name(const std::string& device) {
    return {ErrorCode::kInvalidArgument, "device",
            fmt::format("expected cpu, sim, cuda or cuda:NUMBER, found \"{}\"", device)};
}

// Why a CUDA device cannot be used; empty where it can.
std::string cuda_problem(unsigned index) {
#ifdef WHORL_HAS_CUDA
    return gpu::cuda::device_problem(index);
#else
    (void)index;
    return "this build has no CUDA (configure with -DWHORL_CUDA=ON and a toolkit)";
#endif
}

}  // namespace

std::vector<DeviceReport> list_devices() {
    std::vector<DeviceReport> reports(2);
    reports[0].id = "cpu";
    reports[0].name = "the host's processor";
    reports[1].id = "sim";
    reports[1].name = "a simulated GPU on the host";
    for (DeviceReport& report : reports) report.memory_bytes = host_memory();
#ifdef WHORL_HAS_CUDA
    for (DeviceReport& report : gpu::cuda::list_devices()) reports.push_back(std::move(report));
#else
    DeviceReport& cuda = reports.emplace_back();
    cuda.id = kCuda;
    cuda.name = "NVIDIA GPUs";
    cuda.problem = cuda_problem(0);
#endif
    return reports;
}

Result<void> check_device(const std::string& device) {
    if (is_cpu(device) || device == "sim") return {};
    const std::optional<unsigned> index = cuda_index(device);
    if (!index) return no_such_name(device);
    if (const std::string problem = cuda_problem(*index); !problem.empty()) return not_there(device, problem);
    return {};
}

Result<std::unique_ptr<gpu::Runtime>> open_gpu(const std::string& device) {
    if (auto ok = check_device(device); !ok) return ok.error();
    if (device == "sim") return gpu::sim::make_runtime();
#ifdef WHORL_HAS_CUDA
    return gpu::cuda::make_runtime(*cuda_index(device));
#else
    return no_such_name(device);
#endif
}

}  // namespace whorl
