#include <whorl/device.hpp>

#include "cli/commands.hpp"
#include "cli/table.hpp"

namespace whorl::cli {

Result<ExitCode> run_devices(Session& session) {
    if (auto begun = session.begin(); !begun) return begun.error();
    const auto bytes_text = [](std::uint64_t bytes) { return bytes == 0 ? std::string("-") : human_bytes(bytes); };
    Table table({{"device", Align::kLeft}, {"memory"}, {"free"}, {"driver", Align::kLeft}, {"", Align::kLeft}});
    const Result<std::vector<DeviceReport>> devices = list_devices();
    if (!devices) return devices.error();
    for (const DeviceReport& device : *devices) {
        table.add(
            {device.id, bytes_text(device.memory_bytes), bytes_text(device.free_bytes),
             device.driver.empty() ? "-" : device.driver,
             device.problem.empty() ? device.name : fmt::format("{}: not usable: {}", device.name, device.problem)});
    }
    session.print(table.text());
    return kExitOk;
}

}  // namespace whorl::cli
