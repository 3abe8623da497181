#include <whorl/task.hpp>

#include "cli/answer.hpp"
#include "cli/check.hpp"
#include "cli/commands.hpp"
#include "cli/proving.hpp"
#include "cli/table.hpp"
#include "text/printable.hpp"

namespace whorl::cli {

Result<ExitCode> run_prove(Session& session, const ProveOptions& options) {
    if (auto claimed = session.claim_task("--task", options.task_path); !claimed) return claimed.error();
    if (auto claimed = session.claim_output("--out", options.proof_path); !claimed) return claimed.error();
    if (auto begun = session.begin(); !begun) return begun.error();

    std::optional<Span> span(std::in_place, &session.telemetry(), "load_task");
    Result<Task> task = load_task(options.task_path);
    if (!task) return std::move(task).error();
    span.reset();
    JsonWriter json = begin_answer("prove");
    json.member("task", task->name);
    json.member("device", session.options().device);
    json.member("threads", session.num_threads());
    if (options.is_checked_first) {
        json.open("check", '{');
        const Result<bool> is_satisfied = check_task(session, *task, &json);
        if (!is_satisfied) return is_satisfied.error();
        json.close('}');
        if (!*is_satisfied) {
            if (session.is_json()) session.print_exactly(end_answer(std::move(json)));
            return kExitRejected;
        }
    }

    const Result<ProofBytes> proof =
        make_proof(session, task->vk, task->traces, task->air_names, task->notes, options.is_verified);
    if (!proof) return proof.error();
    if (auto written = session.write(options.proof_path, proof->bytes); !written) return written.error();
    session.say("proved {} in {:.3f} s: {}, {} bytes\n", printable(task->name), proof->prove_ms / 1000,
                shown_path(options.proof_path, "standard output"), grouped(proof->bytes.size()));
    say_verified(session, *proof, options.is_verified);
    json.member("proof", options.proof_path);
    json.member("proof_bytes", proof->bytes.size());
    json.member("prove_ms", proof->prove_ms);
    if (options.is_verified) json.member("verify_ms", proof->verify_ms);
    if (session.is_json()) session.print_exactly(end_answer(std::move(json)));
    return kExitOk;
}

}  // namespace whorl::cli
