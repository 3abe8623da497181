#ifdef WHORL_HAS_DOCTOR

#include <algorithm>
#include <nlohmann/json.hpp>
#include <whorl/version.hpp>

#include "cli/commands.hpp"
#include "cli/table.hpp"
#include "doctor/doctor.hpp"

namespace whorl::cli {
namespace {

using Json = nlohmann::ordered_json;

bool is_untested(const KernelVerdict& kernel) {
    return kernel.num_dispatches == 0;
}

std::string facts_text(const DoctorReport& report) {
    const DeviceReport& device = report.device;
    Table table({{"", Align::kLeft}, {"", Align::kLeft}});
    table.add({"memory", human_bytes(device.memory_bytes)});
    if (device.free_bytes != 0) table.add({"free", human_bytes(device.free_bytes)});
    if (!report.kernels.empty()) {
        table.add({"largest buffer", report.max_buffer_bytes == 0 ? "no limit" : human_bytes(report.max_buffer_bytes)});
        table.add({"host memory", report.is_unified ? "shared" : "apart"});
    }
    if (!device.driver.empty()) table.add({"driver", device.driver});
    for (const auto& [name, value] : report.limits) table.add({name, value});
    return fmt::format("whorl {} on {}: {}\n{}", WHORL_VERSION, device.id, device.name, table.text());
}

std::string time_text(double time_ms) {
    return fmt::format("{:.1f}", time_ms);
}

std::string kernels_text(const DoctorReport& report) {
    Table table({{"file", Align::kLeft}, {"kernel", Align::kLeft}, {"dispatches"}, {"ms"}, {"", Align::kLeft}});
    for (const KernelVerdict& kernel : report.kernels) {
        table.add({kernel.file.empty() ? "-" : kernel.file, kernel.name, grouped(kernel.num_dispatches),
                   time_text(kernel.time_ms),
                   kernel.problem.empty() ? "ok"
                   : is_untested(kernel)  ? "NOT TESTED"
                                          : "WRONG: " + kernel.problem});
    }
    return table.text();
}

std::string order_text(const OrderVerdict& order) {
    return fmt::format("{} stages that need each other in order, {} ms: {}\n", order.num_stages,
                       time_text(order.time_ms), order.problem.empty() ? "ok" : "WRONG: " + order.problem);
}

std::string proofs_text(const DoctorReport& report) {
    Table table({{"proof", Align::kLeft}, {"how", Align::kLeft}, {"ms"}, {"", Align::kLeft}});
    for (const ProofVerdict& proof : report.proofs) {
        table.add({proof.task, proof.how.empty() ? "-" : proof.how, time_text(proof.time_ms),
                   proof.problem.empty() ? "ok" : "WRONG: " + proof.problem});
    }
    return table.text();
}

std::string verdict_text(const DoctorReport& report) {
    const std::string& device = report.device.id;
    const std::size_t num_kernels = report.kernels.size(), num_proofs = report.proofs.size();
    if (report.is_healthy()) {
        return num_kernels == 0 ? fmt::format("{} is healthy: {} proofs are right\n", device, num_proofs)
                                : fmt::format("{} is healthy: {} kernels and {} proofs are right\n", device,
                                              num_kernels, num_proofs);
    }
    const auto num_bad = [](const auto& verdicts) {
        return std::ranges::count_if(verdicts, [](const auto& verdict) { return !verdict.problem.empty(); });
    };
    return fmt::format("{} is NOT healthy: {} of {} kernels wrong or not tested, {} of {} proofs wrong{}\n", device,
                       num_bad(report.kernels), num_kernels, num_bad(report.proofs), num_proofs,
                       report.order.problem.empty() ? "" : ", stages out of order");
}

Json json_of(const DoctorReport& report) {
    Json limits = Json::object();
    for (const auto& [name, value] : report.limits) limits[name] = value;
    Json kernels = Json::array();
    for (const KernelVerdict& kernel : report.kernels) {
        kernels.push_back({{"file", kernel.file},
                           {"kernel", kernel.name},
                           {"dispatches", kernel.num_dispatches},
                           {"time_ms", kernel.time_ms},
                           {"problem", kernel.problem}});
    }
    const Json order = {
        {"stages", report.order.num_stages}, {"time_ms", report.order.time_ms}, {"problem", report.order.problem}};
    Json proofs = Json::array();
    for (const ProofVerdict& proof : report.proofs) {
        proofs.push_back(
            {{"task", proof.task}, {"how", proof.how}, {"time_ms", proof.time_ms}, {"problem", proof.problem}});
    }
    return {{"command", "doctor"},
            {"version", WHORL_VERSION},
            {"device",
             {{"id", report.device.id},
              {"name", report.device.name},
              {"driver", report.device.driver},
              {"memory_bytes", report.device.memory_bytes},
              {"free_bytes", report.device.free_bytes},
              {"max_buffer_bytes", report.max_buffer_bytes},
              {"is_unified", report.is_unified},
              {"limits", limits}}},
            {"kernels", kernels},
            {"order", order},
            {"proofs", proofs},
            {"is_healthy", report.is_healthy()}};
}

}  // namespace

Result<ExitCode> run_doctor(Session& session) {
    if (auto begun = session.begin(); !begun) return begun.error();
    const Result<DoctorReport> report = examine(session.options().device, &session.telemetry());
    if (!report) return report.error();
    if (session.is_json()) {
        session.print_exactly(json_of(*report).dump(2, ' ', false, Json::error_handler_t::replace) + '\n');
    }
    session.print(facts_text(*report));
    if (!report->kernels.empty()) session.print('\n' + kernels_text(*report) + '\n' + order_text(report->order));
    session.print(
        '\n' + proofs_text(*report) + '\n' + verdict_text(*report) +
        "In a bug report send all of the above, or the output of --json, and the system's name and version.\n");
    return report->is_healthy() ? kExitOk : kExitRejected;
}

}  // namespace whorl::cli

#endif
