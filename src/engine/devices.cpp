#include "engine/devices.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <charconv>
#include <optional>
#include <system_error>
#include <vector>
#include <whorl/device.hpp>

#include "engine/gpus.hpp"
#include "machine/guard.hpp"
#include "machine/memory.hpp"
#include "text/printable.hpp"

namespace whorl {
namespace {

constexpr std::string_view kAnyGpu = "gpu";
constexpr std::string_view kSim = "sim";

/// A GPU by its maker and number.
struct GpuName {
    const GpuFamily* family = nullptr;
    unsigned index = 0;
};

// "cuda" is "cuda:0".
std::optional<GpuName> parse_name(std::string_view device) {
    const std::string_view name = device.substr(0, device.find(':'));
    for (const GpuFamily& family : gpu_families()) {
        if (family.name != name) continue;
        if (name.size() == device.size()) return GpuName{&family, 0};
        unsigned index = 0;
        const auto [end, error] =
            std::from_chars(device.data() + name.size() + 1, device.data() + device.size(), index);
        if (error != std::errc() || end != device.data() + device.size()) return std::nullopt;
        return GpuName{&family, index};
    }
    return std::nullopt;
}

std::vector<DeviceReport> all_devices() {
    std::vector<DeviceReport> reports(2);
    reports[0].id = "cpu";
    reports[0].name = "the host's processor";
    reports[1].id = kSim;
    reports[1].name = "a simulated GPU on the host";
    reports[1].problem = simulated_gpu().absence;
    const MemoryLimit limit = tightest_memory_limit();
    for (DeviceReport& report : reports) {
        report.memory_bytes = limit.bytes;
        report.free_bytes = limit.available();
    }
    for (const GpuFamily& family : gpu_families()) {
        if (family.list_devices != nullptr) {
            for (DeviceReport& report : family.list_devices()) reports.push_back(std::move(report));
        } else if (family.is_expected) {
            DeviceReport& report = reports.emplace_back();
            report.id = family.name;
            report.name = family.devices;
            report.problem = family.absence;
        }
    }
    return reports;
}

Error not_there(const std::string& device, const std::string& why) {
    std::vector<std::string> usable;
    for (const DeviceReport& report : all_devices()) {
        if (report.problem.empty()) usable.push_back(report.id);
    }
    return {ErrorCode::kMachine, "device",
            fmt::format("no device \"{}\" here{}{}; available: {}", device, why.empty() ? "" : ": ", why,
                        fmt::join(usable, ", "))};
}

Error no_such_name(const std::string& device) {
    std::string names;
    for (const GpuFamily& family : gpu_families()) names += fmt::format(", {0}, {0}:NUMBER", family.name);
    return {ErrorCode::kInvalidArgument, "device",
            fmt::format("expected cpu, sim, gpu{}, found \"{}\"", names, printable(device))};
}

std::string problem_of(const GpuName& gpu) {
    return gpu.family->device_problem != nullptr ? gpu.family->device_problem(gpu.index)
                                                 : std::string(gpu.family->absence);
}

Result<void> check_sim() {
    if (simulated_gpu().make_runtime != nullptr) return {};
    return not_there(std::string(kSim), std::string(simulated_gpu().absence));
}

// The GPU that a name means, "gpu" being the first that can be used.
Result<GpuName> find_gpu(const std::string& device) {
    if (device == kAnyGpu) {
        for (const GpuFamily& family : gpu_families()) {
            if (problem_of({&family, 0}).empty()) return GpuName{&family, 0};
        }
        return not_there(device, "none can be used (whorl devices says why)");
    }
    const std::optional<GpuName> gpu = parse_name(device);
    if (!gpu) return no_such_name(device);
    if (const std::string problem = problem_of(*gpu); !problem.empty()) return not_there(device, problem);
    return *gpu;
}

}  // namespace

Result<std::vector<DeviceReport>> list_devices() noexcept {
    return guarded("devices", []() -> Result<std::vector<DeviceReport>> { return all_devices(); });
}

Result<void> check_device(const std::string& device) {
    if (is_cpu(device)) return {};
    if (device == kSim) return check_sim();
    const Result<GpuName> gpu = find_gpu(device);
    if (!gpu) return gpu.error();
    return {};
}

Result<std::unique_ptr<gpu::Runtime>> open_gpu(const std::string& device) {
    if (device == kSim) {
        if (auto ok = check_sim(); !ok) return ok.error();
        return simulated_gpu().make_runtime();
    }
    const Result<GpuName> gpu = find_gpu(device);
    if (!gpu) return gpu.error();
    return gpu->family->make_runtime(gpu->index);
}

}  // namespace whorl
