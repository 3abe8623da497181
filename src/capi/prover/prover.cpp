// The second part of whorl/whorl.h: matrices, traces, proving.
#include <fmt/format.h>

#include <atomic>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <whorl/check.hpp>
#include <whorl/device.hpp>
#include <whorl/prove.hpp>
#include <whorl/task.hpp>
#include <whorl/trace.hpp>

#include "capi/verifier/handles.hpp"
#include "machine/stop.hpp"

struct whorl_matrix {
    whorl::Matrix matrix;
};

struct whorl_committed {
    whorl::CommittedMatrix committed;
};

struct whorl_traces {
    std::vector<whorl::AirTrace> traces;
};

struct whorl_stop {
    std::atomic<bool> is_requested{false};
};

struct whorl_prover {
    whorl::Prover prover;
};

namespace whorl::capi {
namespace {

// Puts a part into the trace that was added last.
template <class Put>
Result<void> with_last_trace(whorl_traces* traces, const Put& put) {
    if (traces == nullptr) return missing("traces", "traces");
    if (traces->traces.empty()) return bad_argument("traces", "expected a trace to have been added, found none");
    put(traces->traces.back());
    return {};
}

/// ProveControl for the caller's struct.
class Control {
public:
    /// Errors: kInvalidArgument.
    static Result<void> read(const whorl_control* given, Control& control) {
        if (given == nullptr) return {};
        const Result<whorl_control> read = read_struct("control", given);
        if (!read) return read.error();
        control.given_ = *read;
        return {};
    }
    ProveControl prove_control() {
        ProveControl control;
        control.memory_limit_bytes = given_.memory_limit_bytes;
        if (given_.transcript != nullptr) control.transcript = &given_.transcript->transcript;
        // One flag: a request of the caller's, or the answer of its progress function.
        if (given_.stop != nullptr) control.stop = &given_.stop->is_requested;
        if (given_.progress == nullptr) return control;
        control.progress = [this](const Progress& progress) {
            if (given_.progress(given_.user, progress.fraction, std::string(progress.stage).c_str()) != 0)
                throw Stopped();
        };
        return control;
    }

private:
    whorl_control given_{};
};

}  // namespace
}  // namespace whorl::capi

using whorl::Error;
using whorl::ErrorCode;
using whorl::Result;
namespace capi = whorl::capi;

whorl_code whorl_matrix_copy(const uint32_t* words, size_t width, size_t height, whorl_form form, whorl_matrix** matrix,
                             whorl_error** error) {
    return capi::call(error, "matrix", [&]() -> Result<void> {
        if (matrix == nullptr) return capi::missing("matrix", "a place for the matrix");
        if (form != WHORL_CANONICAL && form != WHORL_MONTGOMERY) {
            return capi::bad_argument("matrix", fmt::format("expected a whorl_form, found {}", static_cast<int>(form)));
        }
        Result<whorl::Matrix> made = whorl::Matrix::create(width, height);
        if (!made) return std::move(made).error();
        const std::span<whorl::Fp> values = made->values();
        if (words == nullptr && !values.empty()) return capi::missing("matrix", "words");
        for (std::size_t i = 0; i < values.size(); ++i) {
            if (words[i] >= whorl::Fp::kModulus) {
                return capi::bad_argument("matrix", fmt::format("column {}, row {}: expected a word below {}, found {}",
                                                                i / height, i % height, whorl::Fp::kModulus, words[i]));
            }
            values[i] =
                form == WHORL_CANONICAL ? whorl::Fp::from_canonical(words[i]) : whorl::Fp::from_montgomery(words[i]);
        }
        *matrix = new whorl_matrix{*std::move(made)};
        return {};
    });
}

whorl_code whorl_matrix_borrow(const uint32_t* words, size_t width, size_t height, whorl_matrix** matrix,
                               whorl_error** error) {
    return capi::call(error, "matrix", [&]() -> Result<void> {
        if (matrix == nullptr) return capi::missing("matrix", "a place for the matrix");
        static_assert(sizeof(whorl::Fp) == sizeof(uint32_t));
        Result<whorl::Matrix> made = whorl::Matrix::borrow(reinterpret_cast<const whorl::Fp*>(words), width, height);
        if (!made) return std::move(made).error();
        *matrix = new whorl_matrix{*std::move(made)};
        return {};
    });
}

whorl_code whorl_matrix_on_device(const void* words, size_t width, size_t height, void* stream, whorl_matrix** matrix,
                                  whorl_error** error) {
    return capi::call(error, "matrix", [&]() -> Result<void> {
        if (matrix == nullptr) return capi::missing("matrix", "a place for the matrix");
        Result<whorl::Matrix> made = whorl::Matrix::on_device({.words = words, .stream = stream}, width, height);
        if (!made) return std::move(made).error();
        *matrix = new whorl_matrix{*std::move(made)};
        return {};
    });
}

void whorl_matrix_free(whorl_matrix* matrix) {
    delete matrix;
}
size_t whorl_matrix_width(const whorl_matrix* matrix) {
    return matrix != nullptr ? matrix->matrix.width() : 0;
}
size_t whorl_matrix_height(const whorl_matrix* matrix) {
    return matrix != nullptr ? matrix->matrix.height() : 0;
}

void whorl_committed_free(whorl_committed* committed) {
    delete committed;
}

whorl_code whorl_committed_digest(const whorl_committed* committed, uint32_t* words, size_t num_words,
                                  whorl_error** error) {
    return capi::call(error, "commit_matrix", [&]() -> Result<void> {
        if (committed == nullptr) return capi::missing("commit_matrix", "a committed matrix");
        return capi::write_digest("commit_matrix", committed->committed.commit(), words, num_words);
    });
}

whorl_code whorl_traces_new(whorl_traces** traces, whorl_error** error) {
    return capi::call(error, "traces", [&]() -> Result<void> {
        if (traces == nullptr) return capi::missing("traces", "a place for the traces");
        *traces = new whorl_traces{};
        return {};
    });
}

void whorl_traces_free(whorl_traces* traces) {
    delete traces;
}

whorl_code whorl_traces_add(whorl_traces* traces, uint32_t air_id, const whorl_matrix* common_main,
                            whorl_error** error) {
    return capi::call(error, "traces", [&]() -> Result<void> {
        if (traces == nullptr) return capi::missing("traces", "traces");
        if (common_main == nullptr) return capi::missing("traces", "a matrix");
        traces->traces.push_back({.air_id = air_id, .common_main = common_main->matrix});
        return {};
    });
}

whorl_code whorl_traces_set_public_values(whorl_traces* traces, const uint32_t* words, size_t num_words,
                                          whorl_error** error) {
    return capi::call(error, "traces", [&]() -> Result<void> {
        Result<std::vector<whorl::Fp>> values = capi::read_canonical("traces", words, num_words);
        if (!values) return std::move(values).error();
        return capi::with_last_trace(traces, [&](whorl::AirTrace& trace) { trace.public_values = *std::move(values); });
    });
}

whorl_code whorl_traces_add_cached(whorl_traces* traces, const whorl_matrix* part, whorl_error** error) {
    return capi::call(error, "traces", [&]() -> Result<void> {
        if (part == nullptr) return capi::missing("traces", "a matrix");
        return capi::with_last_trace(traces,
                                     [&](whorl::AirTrace& trace) { trace.cached_mains.emplace_back(part->matrix); });
    });
}

whorl_code whorl_traces_add_committed(whorl_traces* traces, const whorl_committed* part, whorl_error** error) {
    return capi::call(error, "traces", [&]() -> Result<void> {
        if (part == nullptr) return capi::missing("traces", "a committed matrix");
        return capi::with_last_trace(traces,
                                     [&](whorl::AirTrace& trace) { trace.cached_mains.emplace_back(part->committed); });
    });
}

whorl_code whorl_traces_set_preprocessed(whorl_traces* traces, const whorl_matrix* part, whorl_error** error) {
    return capi::call(error, "traces", [&]() -> Result<void> {
        if (part == nullptr) return capi::missing("traces", "a matrix");
        return capi::with_last_trace(traces, [&](whorl::AirTrace& trace) { trace.preprocessed = part->matrix; });
    });
}

whorl_code whorl_traces_set_preprocessed_committed(whorl_traces* traces, const whorl_committed* part,
                                                   whorl_error** error) {
    return capi::call(error, "traces", [&]() -> Result<void> {
        if (part == nullptr) return capi::missing("traces", "a committed matrix");
        return capi::with_last_trace(traces, [&](whorl::AirTrace& trace) { trace.preprocessed = part->committed; });
    });
}

whorl_code whorl_task_load(const char* folder, whorl_key** key, whorl_traces** traces, whorl_error** error) {
    return capi::call(error, "task.load", [&]() -> Result<void> {
        if (folder == nullptr) return capi::missing("task.load", "a folder");
        if (key == nullptr || traces == nullptr) return capi::missing("task.load", "a place for key and traces");
        Result<whorl::Task> task = whorl::load_task(folder);
        if (!task) return std::move(task).error();
        auto made_traces = std::make_unique<whorl_traces>(whorl_traces{std::move(task->traces)});
        *key = new whorl_key{std::move(task->vk), std::move(task->air_names), std::move(task->notes)};
        *traces = made_traces.release();
        return {};
    });
}

whorl_code whorl_task_save(const char* folder, const char* name, const whorl_key* key, const whorl_traces* traces,
                           whorl_error** error) {
    return capi::call(error, "task.save", [&]() -> Result<void> {
        if (folder == nullptr) return capi::missing("task.save", "a folder");
        if (name == nullptr) return capi::missing("task.save", "a name");
        if (key == nullptr) return capi::missing("task.save", "a key");
        if (traces == nullptr) return capi::missing("task.save", "traces");
        return whorl::save_task(
            {.name = name, .vk = key->vk, .air_names = key->air_names, .traces = traces->traces, .notes = key->notes},
            folder);
    });
}

whorl_code whorl_stop_new(whorl_stop** stop, whorl_error** error) {
    return capi::call(error, "stop", [&]() -> Result<void> {
        if (stop == nullptr) return capi::missing("stop", "a place for the flag");
        *stop = new whorl_stop{};
        return {};
    });
}

void whorl_stop_free(whorl_stop* stop) {
    delete stop;
}
void whorl_stop_request(whorl_stop* stop) {
    if (stop != nullptr) stop->is_requested = true;
}
void whorl_stop_reset(whorl_stop* stop) {
    if (stop != nullptr) stop->is_requested = false;
}

whorl_code whorl_prover_new(const whorl_key* key, const whorl_prover_options* options, whorl_prover** prover,
                            whorl_error** error) {
    return capi::call(error, "prove", [&]() -> Result<void> {
        if (key == nullptr) return capi::missing("prove", "a key");
        if (prover == nullptr) return capi::missing("prove", "a place for the prover");
        whorl::ProverOptions made{.air_names = key->air_names, .notes = key->notes};
        if (options != nullptr) {
            const Result<whorl_prover_options> read = capi::read_struct("prove", options);
            if (!read) return read.error();
            if (read->device != nullptr) made.device = read->device;
            made.num_threads = read->num_threads;
            made.verify_after = read->verify_after != 0;
        }
        Result<whorl::Prover> created = whorl::Prover::create(key->vk, made);
        if (!created) return std::move(created).error();
        *prover = new whorl_prover{*std::move(created)};
        return {};
    });
}

void whorl_prover_free(whorl_prover* prover) {
    delete prover;
}

whorl_code whorl_prover_prove(whorl_prover* prover, const whorl_traces* traces, const whorl_control* control,
                              whorl_proof** proof, whorl_error** error) {
    return capi::call(error, "prove", [&]() -> Result<void> {
        if (prover == nullptr) return capi::missing("prove", "a prover");
        if (traces == nullptr) return capi::missing("prove", "traces");
        if (proof == nullptr) return capi::missing("prove", "a place for the proof");
        capi::Control read;
        if (auto ok = capi::Control::read(control, read); !ok) return ok;
        Result<whorl::Proof> made = prover->prover.prove(traces->traces, read.prove_control());
        if (!made) return std::move(made).error();
        *proof = new whorl_proof{*std::move(made)};
        return {};
    });
}

whorl_code whorl_prover_commit(whorl_prover* prover, const whorl_matrix* matrix, const whorl_control* control,
                               whorl_committed** committed, whorl_error** error) {
    return capi::call(error, "commit_matrix", [&]() -> Result<void> {
        if (prover == nullptr) return capi::missing("commit_matrix", "a prover");
        if (matrix == nullptr) return capi::missing("commit_matrix", "a matrix");
        if (committed == nullptr) return capi::missing("commit_matrix", "a place for the committed matrix");
        capi::Control read;
        if (auto ok = capi::Control::read(control, read); !ok) return ok;
        Result<whorl::CommittedMatrix> made = prover->prover.commit(matrix->matrix, read.prove_control());
        if (!made) return std::move(made).error();
        *committed = new whorl_committed{*std::move(made)};
        return {};
    });
}

whorl_code whorl_prover_memory_bytes(whorl_prover* prover, const whorl_traces* traces, uint64_t* bytes,
                                     whorl_error** error) {
    return capi::call(error, "plan", [&]() -> Result<void> {
        if (prover == nullptr) return capi::missing("plan", "a prover");
        if (traces == nullptr) return capi::missing("plan", "traces");
        if (bytes == nullptr) return capi::missing("plan", "a place for the answer");
        const Result<whorl::MemoryPlan> plan = prover->prover.plan(traces->traces);
        if (!plan) return plan.error();
        *bytes = plan->device_bytes;
        return {};
    });
}

whorl_code whorl_check(const whorl_key* key, const whorl_traces* traces, whorl_error** error) {
    return capi::call(error, "check", [&]() -> Result<void> {
        if (key == nullptr) return capi::missing("check", "a key");
        if (traces == nullptr) return capi::missing("check", "traces");
        const Result<whorl::CheckReport> report =
            whorl::check_constraints(key->vk, traces->traces, key->air_names, key->notes);
        if (!report) return report.error();
        if (report->is_satisfied()) return {};
        return Error{ErrorCode::kUnsatisfied, "check", whorl::describe(*report, key->air_names)};
    });
}
