#include <whorl/device.hpp>

#include "cli/answer.hpp"
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
    if (!session.is_json()) return kExitOk;
    JsonWriter json = begin_answer("devices");
    json.open("devices", '[');
    for (const DeviceReport& device : *devices) {
        json.item();
        json.open('{');
        json.member("id", device.id);
        json.member("name", device.name);
        json.member("driver", device.driver);
        json.member("memory_bytes", device.memory_bytes);
        json.member("free_bytes", device.free_bytes);
        json.member("problem", device.problem);
        json.close('}');
    }
    json.close(']');
    session.print_exactly(end_answer(std::move(json)));
    return kExitOk;
}

}  // namespace whorl::cli
