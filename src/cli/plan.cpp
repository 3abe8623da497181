#include <algorithm>
#include <whorl/device.hpp>
#include <whorl/task.hpp>

#include "cli/answer.hpp"
#include "cli/commands.hpp"
#include "cli/table.hpp"
#include "text/printable.hpp"

namespace whorl::cli {
namespace {

/// Buffers of one name and stage, taken one after another or at once.
struct Line {
    const PlannedBuffer* first;
    std::size_t count = 0;
    std::uint64_t largest = 0;
};

// Without places where there is no arena.
std::string plan_text(const MemoryPlan& plan, bool has_no_arena) {
    std::vector<Line> lines;
    for (const PlannedBuffer& buffer : plan.buffers) {
        const auto is_alike = [&](const Line& line) {
            return line.first->name == buffer.name && line.first->stage == buffer.stage &&
                   line.first->last_stage == buffer.last_stage;
        };
        auto line = std::ranges::find_if(lines, is_alike);
        if (line == lines.end()) line = lines.insert(lines.end(), Line{&buffer});
        ++line->count;
        line->largest = std::max(line->largest, buffer.bytes);
    }
    std::ranges::sort(lines, [](const Line& a, const Line& b) {
        return a.largest != b.largest ? a.largest > b.largest : a.first < b.first;  // `first` points into one vector
    });
    Table table({{"buffer", Align::kLeft},
                 {"how many"},
                 {"largest"},
                 {"at"},
                 {"taken in", Align::kLeft},
                 {"given back in", Align::kLeft}});
    for (const Line& line : lines) {
        table.add({line.first->name, grouped(line.count), human_bytes(line.largest),
                   has_no_arena ? "-" : human_bytes(line.first->offset), line.first->stage, line.first->last_stage});
    }
    return table.text();
}

std::string plan_json(const MemoryPlan& plan, std::string_view task, std::string_view device) {
    JsonWriter json = begin_answer("plan");
    json.member("task", task);
    json.member("device", device);
    json.member("device_bytes", plan.device_bytes);
    json.member("arena_bytes", plan.arena_bytes);
    json.member("peak_live_bytes", plan.peak_live_bytes);
    json.member("upload_bytes", plan.upload_bytes);
    json.member("mailbox_bytes", plan.mailbox_bytes);
    json.open("buffers", '[');
    for (const PlannedBuffer& buffer : plan.buffers) {
        json.item();
        json.open('{');
        json.member("name", buffer.name);
        json.member("bytes", buffer.bytes);
        json.member("offset", buffer.offset);
        json.member("stage", buffer.stage);
        json.member("last_stage", buffer.last_stage);
        json.close('}');
    }
    json.close(']');
    return end_answer(std::move(json));
}

}  // namespace

Result<ExitCode> run_plan(Session& session, const PlanOptions& options) {
    if (auto claimed = session.claim_task("--task", options.task_path); !claimed) return claimed.error();
    if (auto begun = session.begin(); !begun) return begun.error();
    Result<Task> task = load_task(options.task_path);
    if (!task) return std::move(task).error();
    ProverOptions prover_options = session.prover_options();
    prover_options.air_names = task->air_names;
    prover_options.notes = task->notes;
    const Result<MemoryPlan> plan = plan_memory(task->vk, task->traces, prover_options);
    if (!plan) return plan.error();
    const std::string& device = session.options().device;
    const std::string totals =
        device == "cpu"
            ? fmt::format("{} of memory, beside the traces", human_bytes(plan->peak_live_bytes))
            : fmt::format("{} of device memory\n  arena {} (at most {} in use at once), parameters {}, results {}",
                          human_bytes(plan->device_bytes), human_bytes(plan->arena_bytes),
                          human_bytes(plan->peak_live_bytes), human_bytes(plan->upload_bytes),
                          human_bytes(plan->mailbox_bytes));
    session.print(
        fmt::format("{} on {}: {}\n\n{}", printable(task->name), device, totals, plan_text(*plan, device == "cpu")));
    if (session.is_json()) session.print_exactly(plan_json(*plan, task->name, session.options().device));
    return kExitOk;
}

}  // namespace whorl::cli
