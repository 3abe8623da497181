#include "machine/public_calls.hpp"

#include <unistd.h>

#include <array>
#include <filesystem>
#include <span>
#include <string>
#include <system_error>

#include <whorl/whorl.h>
#include <whorl/air.hpp>
#include <whorl/check.hpp>
#include <whorl/choose_params.hpp>
#include <whorl/device.hpp>
#include <whorl/prove.hpp>
#include <whorl/security.hpp>
#include <whorl/statement.hpp>
#include <whorl/task.hpp>
#include <whorl/telemetry_export.hpp>
#include <whorl/verify.hpp>

#include "airs/tasks.hpp"
#include "doctor/doctor.hpp"
#include "vectors.hpp"

namespace whorl::test {
namespace {

WHORL_COLUMNS(FibonacciColumns, left, right);

/// Of which keygen has several things to say.
struct WrongAir {
    std::string name() const { return "an AIR with a name that is too long to be stored in a string itself"; }
    std::uint32_t width() const { return 1; }
    void eval(auto& builder) const {
        const Expr x = builder.main().local[0];
        builder.assert_zero(builder.main().next[1]);
        builder.assert_zero(x * x * x * x, "a label that is too long to be stored in a string itself");
    }
};

/// What the calls take.
struct Inputs {
    AirTask airs = *vector_task("mixture");
    std::filesystem::path stored = vector_path("mixture", "");
    Task task = value_of(load_task(stored));
    ProvingKey key = value_of(keygen(airs.params, airs.airs));
    std::vector<std::byte> key_bytes = test::key_bytes("mixture");
    std::vector<std::byte> proof_bytes = test::proof_bytes("mixture");
    Proof proof = load_proof("mixture");
    Proof wrong = proof;
    VerifyingKey key_of_many_queries = load_key("mixture_app_100_bits");
    Proof with_many_queries = load_proof("mixture_app_100_bits");
    ProverOptions cpu{.num_threads = 4};
    ProverOptions sim{.device = "sim", .num_threads = 4};
    SystemParams params = test_params_small(2, 8, 3);
    CircuitBounds bounds = circuit_bounds(task.vk);
    SecurityBits bits = value_of(security_bits(task.vk));
    Matrix matrix = Matrix(3, 16);
    std::vector<std::vector<Fp>> lines = std::vector<std::vector<Fp>>(3, std::vector<Fp>(16));
    std::vector<std::uint64_t> heights = std::vector<std::uint64_t>(task.vk.airs.size());
    std::vector<ParamsChoice> choices = std::vector<ParamsChoice>(2);
    Telemetry telemetry;
    RunTotals totals;
    CheckReport report;
    std::vector<AirTrace> wrong_traces;
    std::vector<AnyAir> wrong_airs = {WrongAir{}, WrongAir{}};
    Statement statement = value_of(statement_of(task.vk, proof));
    Statement wrong_statement;
    VerifyError rejected;
    std::string device = "cpu";
    std::filesystem::path folder =
        std::filesystem::temp_directory_path() / ("whorl_machine_" + std::to_string(::getpid()));

    Inputs() {
        task.notes = value_of(keygen(airs.params, airs.airs)).notes;
        for (const AirTrace& trace : task.traces) heights[trace.air_id] = trace.height();
        wrong.whir.final_poly.at(0) += Fp4::one();
        statement.min_security_bits = 0;
        wrong_statement = statement;
        wrong_statement.airs.back().log_height.value() += 1;
        rejected = verify(task.vk, wrong).error();
        Task unsatisfied = task;
        for (AirTrace& trace : unsatisfied.traces) {
            if (trace.common_main.width() != 0) trace.common_main.at(0, 0) += Fp::one();
        }
        report =
            value_of(check_constraints(unsatisfied.vk, unsatisfied.traces, unsatisfied.air_names, unsatisfied.notes));
        wrong_traces = unsatisfied.traces;
        ProverOptions measured = cpu;
        measured.telemetry = &telemetry;
        value_of(prove(task.vk, task.traces, measured));
        totals = measure_totals(telemetry);
    }
    ~Inputs() {
        std::error_code ignored;
        std::filesystem::remove_all(folder, ignored);
    }
};

Outcome code_of(const auto& result) {
    return result ? Outcome() : Outcome(result.error().code);
}

Outcome code_of_c(whorl_code code) {
    if (code == WHORL_OK) return {};
    return code == WHORL_MACHINE ? ErrorCode::kMachine : ErrorCode::kInternal;
}

const uint8_t* words_of(const std::vector<std::byte>& bytes) {
    return reinterpret_cast<const uint8_t*>(bytes.data());
}

// A verdict that is not the right one is no outcome of a lack of memory.
Outcome code_of_verdict(const Result<void, VerifyError>& verdict, bool is_right_accepted) {
    if (verdict) return is_right_accepted ? Outcome() : Outcome(ErrorCode::kInternal);
    if (verdict.error().kind == VerifyErrorKind::kMachine) return ErrorCode::kMachine;
    return is_right_accepted || !is_judgement(verdict.error().kind) ? Outcome(ErrorCode::kInternal) : Outcome();
}

Outcome text(const std::string& text) {
    return text == "out of memory" ? Outcome(ErrorCode::kMachine) : text.empty() ? ErrorCode::kInternal : Outcome();
}

std::vector<PublicCall> make_calls() {
    static Inputs in;
    std::vector<PublicCall> calls{
        {"check_params", [] { return code_of(check_params(in.params)); }},
        {"keygen", [] { return code_of(keygen(in.airs.params, in.airs.airs)); }, 80},
        {"keygen of wrong AIRs",
         [] {
             const auto key = keygen(in.params, in.wrong_airs);
             if (key) return Outcome(ErrorCode::kInternal);
             return key.error().code == ErrorCode::kInvalidArgument ? Outcome() : Outcome(key.error().code);
         }},
        {"encode_verifying_key", [] { return code_of(encode_verifying_key(in.task.vk)); }},
        {"encode_verifying_key_inner", [] { return code_of(encode_verifying_key_inner(in.task.vk)); }},
        {"verifying_key_pre_hash", [] { return code_of(verifying_key_pre_hash(in.task.vk)); }},
        {"decode_verifying_key", [] { return code_of(decode_verifying_key(in.key_bytes)); }, 80},
        {"encode_proof", [] { return code_of(encode_proof(in.proof)); }},
        {"decode_proof", [] { return code_of(decode_proof(in.proof_bytes)); }, 80},
        {"proof_sections", [] { return code_of(proof_sections(in.proof)); }},
        {"security_bits", [] { return code_of(security_bits(in.params, in.bounds)); }},
        {"security_bits of a key", [] { return code_of(security_bits(in.task.vk)); }},
        {"circuit_bounds",
         [] { return circuit_bounds(in.task.vk) == in.bounds ? Outcome() : Outcome(ErrorCode::kInternal); }},
        {"SecurityBits::weakest", [] { return text(in.bits.weakest()); }},
        {"verify from a transcript",
         [] {
             Transcript transcript;
             return code_of_verdict(verify(in.task.vk, in.proof, in.statement, transcript), true);
         },
         120},
        {"Transcript::from_state", [] { return code_of(Transcript::from_state(TranscriptState())); }},
        {"verify", [] { return code_of_verdict(verify(in.task.vk, in.proof), true); }, 120},
        {"verify on threads",
         [] { return code_of_verdict(verify(in.key_of_many_queries, in.with_many_queries, {.num_threads = 3}), true); },
         120},
        {"verify of a wrong proof", [] { return code_of_verdict(verify(in.task.vk, in.wrong), false); }, 60},
        {"verify of a statement", [] { return code_of_verdict(verify(in.task.vk, in.proof, in.statement), true); },
         120},
        {"verify of a wrong statement",
         [] { return code_of_verdict(verify(in.task.vk, in.proof, in.wrong_statement), false); }},
        {"statement_of", [] { return code_of(statement_of(in.task.vk, in.proof)); }},
        {"has_trace", [] { return code_of(has_trace(in.proof, 0)); }},
        {"public_values_of", [] { return code_of(public_values_of(in.proof, 0)); }},
        {"cached_commitments_of", [] { return code_of(cached_commitments_of(in.proof, 0)); }},
        {"log_height_of", [] { return code_of(log_height_of(in.proof, 0)); }},
        {"height_of", [] { return code_of(height_of(in.proof, 0)); }},
        {"height_of an AIR that is not there",
         [] {
             const auto height = height_of(in.proof, in.proof.trace_vdata.size());
             if (height) return Outcome(ErrorCode::kInternal);
             return height.error().code == ErrorCode::kInvalidArgument ? Outcome() : Outcome(height.error().code);
         }},
        {"check_traces", [] { return code_of(check_traces(in.task.vk, in.task.traces)); }},
        {"check_constraints", [] { return code_of(check_constraints(in.task.vk, in.task.traces, {}, in.task.notes)); },
         80},
        {"check_constraints of wrong traces",
         [] {
             const auto report = check_constraints(in.task.vk, in.wrong_traces, {}, in.task.notes);
             if (report && report->is_satisfied()) return Outcome(ErrorCode::kInternal);
             return code_of(report);
         },
         80},
        {"describe", [] { return text(describe(in.report)); }},
        {"prove", [] { return code_of(prove(in.task.vk, in.task.traces, in.cpu)); }, 120},
        {"prove on sim", [] { return code_of(prove(in.task.vk, in.task.traces, in.sim)); }, 12},
        {"Prover::create", [] { return code_of(Prover::create(in.task.vk, in.cpu)); }},
        {"Prover::prove",
         [] {
             Result<Prover> prover = Prover::create(in.task.vk, in.cpu);
             return prover ? code_of(prover->prove(in.task.traces)) : code_of(prover);
         },
         40},
        {"Prover::create of a ProvingKey", [] { return code_of(Prover::create(in.key, in.cpu)); }, 60},
        {"Prover::commit",
         [] {
             Result<Prover> prover = Prover::create(in.task.vk, in.cpu);
             return prover ? code_of(prover->commit(in.matrix)) : code_of(prover);
         },
         60},
        {"Prover::prove of a committed part",
         [] {
             Result<Prover> prover = Prover::create(in.key, in.sim);
             return prover ? code_of(prover->prove(in.task.traces)) : code_of(prover);
         },
         12},
        {"Prover::plan of the CPU", [] { return code_of(plan_memory(in.task.vk, in.task.traces, in.cpu)); }, 30},
        {"Prover::plan",
         [] {
             Result<Prover> prover = Prover::create(in.task.vk, in.sim);
             return prover ? code_of(prover->plan(in.task.traces)) : code_of(prover);
         },
         30},
        {"plan_memory", [] { return code_of(plan_memory(in.task.vk, in.task.traces, in.sim)); }, 30},
        {"list_params of a key", [] { return code_of(list_params(in.task.vk, in.heights)); }, 40},
        {"choose_params of AIRs", [] { return code_of(choose_params(in.airs.airs, in.heights)); }, 40},
        {"choose_params of choices", [] { return code_of(choose_params(in.choices)); }},
        {"commit_matrix", [] { return code_of(commit_matrix(in.params, in.matrix, in.cpu)); }},
        {"whorl_key_decode",
         [] {
             whorl_key* key = nullptr;
             const whorl_code code = whorl_key_decode(words_of(in.key_bytes), in.key_bytes.size(), &key, nullptr);
             whorl_key_free(key);
             return code_of_c(code);
         },
         80},
        {"whorl_proof_decode",
         [] {
             whorl_proof* proof = nullptr;
             const whorl_code code =
                 whorl_proof_decode(words_of(in.proof_bytes), in.proof_bytes.size(), &proof, nullptr);
             whorl_proof_free(proof);
             return code_of_c(code);
         },
         80},
        {"whorl_params_preset",
         [] {
             whorl_params* params = nullptr;
             const whorl_code code = whorl_params_preset("leaf", 0, &params, nullptr);
             whorl_params_free(params);
             return code_of_c(code);
         }},
        {"matrix_of",
         [] {
             const std::array<FibonacciColumns<Fp>, 4> rows{};
             return code_of(matrix_of<FibonacciColumns>(std::span<const FibonacciColumns<Fp>>(rows)));
         }},
        {"whorl_task_load with its error",
         [] {
             whorl_key* key = nullptr;
             whorl_traces* traces = nullptr;
             whorl_error* error = nullptr;
             const whorl_code code = whorl_task_load(in.stored.c_str(), &key, &traces, &error);
             whorl_error_free(error);
             whorl_key_free(key);
             whorl_traces_free(traces);
             return code_of_c(code);
         },
         80},
        {"whorl_key_decode_named",
         [] {
             static const std::vector<const char*> names(in.task.vk.airs.size(),
                                                         "a name that is too long to be stored in a string itself");
             whorl_key* key = nullptr;
             const whorl_code code = whorl_key_decode_named(words_of(in.key_bytes), in.key_bytes.size(), names.data(),
                                                            names.size(), &key, nullptr);
             whorl_key_free(key);
             return code_of_c(code);
         },
         80},
        {"whorl_task_save",
         [] {
             whorl_key* key = nullptr;
             whorl_traces* traces = nullptr;
             whorl_code code = whorl_task_load(in.stored.c_str(), &key, &traces, nullptr);
             if (code == WHORL_OK) code = whorl_task_save(in.folder.c_str(), "a task", key, traces, nullptr);
             whorl_key_free(key);
             whorl_traces_free(traces);
             return code_of_c(code);
         },
         200},
        {"list_devices", [] { return code_of(list_devices()); }},
        {"examine", [] { return code_of(examine(in.device)); }, 3},
        {"load_task", [] { return code_of(load_task(in.stored)); }, 10000},
        {"save_task", [] { return code_of(save_task(in.task, in.folder)); }, 200},
        {"Matrix::create", [] { return code_of(Matrix::create(3, 1024)); }},
        {"Matrix::on_device",
         [] {
             return code_of(
                 Matrix::on_device({.words = in.matrix.values().data()}, in.matrix.width(), in.matrix.height()));
         }},
        {"Matrix::borrow",
         [] { return code_of(Matrix::borrow(in.matrix.values().data(), in.matrix.width(), in.matrix.height())); }},
        {"Matrix::create of values", [] { return code_of(Matrix::create(std::vector<Fp>(), 0, 8)); }},
        {"Matrix::from_rows", [] { return code_of(Matrix::from_rows(in.lines)); }},
        {"Matrix::from_columns", [] { return code_of(Matrix::from_columns(in.lines)); }},
        {"Matrix", [] { return Matrix(3, 1024).is_valid() ? Outcome() : Outcome(ErrorCode::kMachine); }},
        {"Span",
         [] {
             Telemetry telemetry;
             {
                 Span span(&telemetry, "a name that is too long to be stored in a string itself");
                 span.set("a key that is too long to be stored in a string itself", std::int64_t{1});
             }
             return telemetry.num_lost() == 0 ? Outcome() : Outcome(ErrorCode::kMachine);
         }},
        {"measure_totals",
         [] { return measure_totals(in.telemetry).peak_rss_bytes != 0 ? Outcome() : Outcome(ErrorCode::kInternal); }},
        {"time_ms_by_name", [] { return code_of(time_ms_by_name(in.telemetry)); }},
        {"span_tree", [] { return text(span_tree(in.telemetry)); }},
        {"metrics_json", [] { return code_of(metrics_json(in.telemetry, in.totals)); }},
        {"timeline_json", [] { return code_of(timeline_json(in.telemetry)); }},
        {"to_string of an Error",
         [] {
             static const Error error{ErrorCode::kIo, "a stage of some length", "a message of some length"};
             return text(to_string(error));
         }},
        {"to_string of a VerifyError", [] { return text(to_string(in.rejected)); }},
    };
    return calls;
}

}  // namespace

const std::vector<PublicCall>& public_calls() {
    static const std::vector<PublicCall> calls = make_calls();
    return calls;
}

}  // namespace whorl::test
