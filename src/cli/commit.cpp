#include <fmt/format.h>

#include <cstddef>
#include <optional>
#include <string>
#include <utility>

#include <whorl/prove.hpp>
#include <whorl/task.hpp>

#include "cli/answer.hpp"
#include "cli/commands.hpp"
#include "cli/matrix_file.hpp"
#include "cli/table.hpp"
#include "engine/task_files.hpp"
#include "text/printable.hpp"

namespace whorl::cli {
namespace {

/// A matrix to be committed to; of a task, where there is one.
struct Part {
    std::string file;
    const Matrix* matrix;
    std::optional<std::uint32_t> air_id{};
    std::string name{};  ///< "cached0", "preprocessed"
};

/// Commits to `parts` and adds them to the open list of `json`.
Result<void> commit_parts(Session& session, const SystemParams& params, std::span<const Part> parts, JsonWriter& json) {
    for (const Part& part : parts) {
        const Result<MatrixCommitment> commitment = commit_matrix(params, *part.matrix, session.prover_options());
        if (!commitment) {
            Error error = commitment.error();
            error.message = printable(part.file) + ": " + error.message;
            return error;
        }
        json.item();
        json.open('{');
        if (part.air_id) {
            json.member("air_id", *part.air_id);
            json.member("part", part.name);
        }
        json.member("file", part.file);
        json.member("width", part.matrix->width());
        json.member("height", part.matrix->height());
        write_digest(json, "commitment", commitment->commit);
        json.close('}');
        session.print(fmt::format("{}: {} columns x {} rows: {}\n", printable(part.file), grouped(part.matrix->width()),
                                  grouped(part.matrix->height()), digest_text(commitment->commit)));
    }
    return {};
}

std::vector<Part> parts_of(const Task& task) {
    std::vector<Part> parts;
    for (const AirTrace& trace : task.traces) {
        const auto add = [&](const Matrix& matrix, const std::string& name) {
            parts.push_back(
                {.file = part_file(trace.air_id, name), .matrix = &matrix, .air_id = trace.air_id, .name = name});
        };
        for (std::size_t i = 0; i < trace.cached_mains.size(); ++i) {
            add(trace.cached_mains[i], fmt::format("cached{}", i));
        }
        if (trace.preprocessed) add(*trace.preprocessed, "preprocessed");
    }
    return parts;
}

}  // namespace

Result<ExitCode> run_commit(Session& session, const CommitOptions& options) {
    session.claim_input("--vk", options.key_path);
    session.claim_input("--matrix", options.matrix_path);
    if (!options.task_path.empty()) {
        if (auto claimed = session.claim_task("--task", options.task_path); !claimed) return claimed.error();
    }
    if (auto begun = session.begin(); !begun) return begun.error();

    Task task;
    Matrix matrix;
    std::vector<Part> parts;
    if (!options.task_path.empty()) {
        Result<Task> loaded = load_task(options.task_path);
        if (!loaded) return std::move(loaded).error();
        task = *std::move(loaded);
        parts = parts_of(task);
        if (parts.empty()) session.say("{} has neither cached nor preprocessed parts\n", printable(task.name));
    } else {
        Result<VerifyingKey> vk = read_key(session, options.key_path);
        if (!vk) return std::move(vk).error();
        task.vk = *std::move(vk);
        Result<Matrix> read = read_matrix(session, options.matrix_path, options.width);
        if (!read) return std::move(read).error();
        matrix = *std::move(read);
        parts.push_back({.file = shown_path(options.matrix_path, "standard input"), .matrix = &matrix});
    }
    JsonWriter json = begin_answer("commit");
    json.open("parts", '[');
    if (auto done = commit_parts(session, task.vk.params, parts, json); !done) return done.error();
    json.close(']');
    if (session.is_json()) session.print_exactly(end_answer(std::move(json)));
    return kExitOk;
}

}  // namespace whorl::cli
