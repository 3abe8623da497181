#include <whorl/task.hpp>

#include "cli/check.hpp"
#include "cli/commands.hpp"
#include "cli/proving.hpp"
#include "cli/table.hpp"
#include "engine/files.hpp"
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
    if (options.is_checked_first) {
        const Result<bool> is_satisfied = check_task(session, *task);
        if (!is_satisfied) return is_satisfied.error();
        if (!*is_satisfied) return kExitRejected;
    }

    const Result<ProofBytes> proof =
        make_proof(session, task->vk, task->traces, task->air_names, task->notes, options.is_verified);
    if (!proof) return proof.error();
    if (auto written = write_file(options.proof_path, proof->bytes); !written) return written.error();
    session.say("proved {} in {:.3f} s: {}, {} bytes\n", printable(task->name), proof->prove_ms / 1000,
                printable(options.proof_path), grouped(proof->bytes.size()));
    say_verified(session, *proof, options.is_verified);
    return kExitOk;
}

}  // namespace whorl::cli
