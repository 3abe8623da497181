#include "cli/check.hpp"

#include <whorl/check.hpp>

#include "cli/answer.hpp"
#include "cli/commands.hpp"
#include "cli/table.hpp"
#include "text/printable.hpp"

namespace whorl::cli {

Result<bool> check_task(Session& session, const Task& task, JsonWriter* json) {
    const std::string name = printable(task.name);
    const double start_ms = session.telemetry().now_ms();
    std::optional<Span> span(std::in_place, &session.telemetry(), "check");
    const Result<CheckReport> report = check_constraints(task.vk, task.traces, task.air_names, task.notes);
    if (!report) return report.error();
    span->set("constraints", static_cast<std::int64_t>(report->num_constraints_checked));
    span->set("messages", static_cast<std::int64_t>(report->num_messages_checked));
    span.reset();
    if (json != nullptr) write_check(*json, *report, task.air_names);
    if (!report->is_satisfied()) {
        session.print(fmt::format("{} is not satisfied\n{}", name, describe(*report, printable_names(task.air_names))),
                      Tone::kBad);
        return false;
    }
    session.say_good("{} is satisfied: {} constraints and {} messages evaluated in {:.3f} s\n", name,
                     grouped(report->num_constraints_checked), grouped(report->num_messages_checked),
                     (session.telemetry().now_ms() - start_ms) / 1000);
    return true;
}

Result<ExitCode> run_check(Session& session, const CheckOptions& options) {
    if (auto claimed = session.claim_task("--task", options.task_path); !claimed) return claimed.error();
    if (auto begun = session.begin(); !begun) return begun.error();
    std::optional<Span> span(std::in_place, &session.telemetry(), "load_task");
    const Result<Task> task = load_task(options.task_path);
    if (!task) return task.error();
    span.reset();
    JsonWriter json = begin_answer("check");
    json.member("task", task->name);
    const Result<bool> is_satisfied = check_task(session, *task, &json);
    if (!is_satisfied) return is_satisfied.error();
    if (session.is_json()) session.print_exactly(end_answer(std::move(json)));
    return *is_satisfied ? kExitOk : kExitRejected;
}

}  // namespace whorl::cli
