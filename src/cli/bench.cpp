#include <whorl/telemetry_export.hpp>
#include <whorl/verify.hpp>
#include <whorl/version.hpp>

#include <algorithm>
#include <array>
#include <cstdio>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>

#include "cli/bench_results.hpp"
#include "cli/commands.hpp"
#include "cli/file_kind.hpp"
#include "cli/workloads.hpp"
#include "field/instruction_sets.hpp"
#include "text/printable.hpp"
#ifdef __APPLE__
#include <sys/sysctl.h>
#endif

namespace whorl::cli {
namespace {

using Json = nlohmann::ordered_json;

/// The model of the processor, where the system tells.
std::string cpu_model() {
#ifdef __APPLE__
    std::array<char, 256> model{};
    std::size_t size = model.size() - 1;
    if (::sysctlbyname("machdep.cpu.brand_string", model.data(), &size, nullptr, 0) == 0) return model.data();
#else
    std::ifstream file("/proc/cpuinfo");
    for (std::string line; std::getline(file, line);) {
        if (!line.starts_with("model name")) continue;
        const std::size_t colon = line.find(": ");
        if (colon != std::string::npos) return line.substr(colon + 2);
    }
#endif
    return "unknown";
}

/// Prints the line and returns it.
std::string print_line(Session& session, const Json& json) {
    std::string line = json.dump(-1, ' ', false, Json::error_handler_t::replace);
    session.print_exactly(line + '\n');
    std::fflush(stdout);
    return line;
}

/// What went to a GPU in the spans from `first_span` on; all 0 on the CPU.
Json count_device_work(const Telemetry& telemetry, std::size_t first_span) {
    return {{"submissions", field_sum(telemetry, "command_buffer_count", first_span)},
            {"waits", field_sum(telemetry, "sync_count", first_span)},
            {"kernels", field_sum(telemetry, "kernel_count", first_span)},
            {"device_allocations", field_sum(telemetry, "allocation_count", first_span)},
            {"device_bytes_allocated", field_sum(telemetry, "bytes_allocated", first_span)},
            {"peak_device_bytes", measure_totals(telemetry).device_peak_bytes}};
}

/// Commits the cached parts, proves and verifies `workload`, a JSON line for each run, added to `results`, and one for all.
/// False when a proof is rejected.
Result<bool> run_workload(Session& session, Workload workload, const BenchOptions& options, BenchResults& results) {
    Telemetry& telemetry = session.telemetry();
    const std::string name = fmt::format("proof/{}/{}", workload.name, session.options().device);
    std::vector<double> prove_ms;
    std::vector<double> verify_ms;
    std::vector<double> prove_excluding_trace_ms;
    Json device_totals;  // of the last run
    std::size_t proof_bytes = 0;
    Result<Prover> prover = Prover::create(workload.key.vk, session.prover_options());
    if (!prover) return std::move(prover).error();
    // As where they serve many proofs: outside the time of each.
    for (AirTrace& trace : workload.traces) {
        for (TracePart& part : trace.cached_mains) {
            if (part.committed() != nullptr) continue;
            Result<CommittedMatrix> committed = prover->commit(part.matrix());
            if (!committed) return std::move(committed).error();
            part = *std::move(committed);
        }
    }
    for (unsigned run = 0; run < options.num_warmups; ++run) {
        const Span run_span(&telemetry, "warmup");
        if (const Result<Proof> proof = prover->prove(workload.traces); !proof) return proof.error();
    }
    for (unsigned run = 0; run < options.num_runs; ++run) {
        const Span run_span(&telemetry, workload.name);
        const std::size_t first_span = telemetry.spans().size();
        const double start_ms = telemetry.now_ms();
        const Result<Proof> proof = prover->prove(workload.traces);
        if (!proof) return proof.error();
        prove_ms.push_back(telemetry.now_ms() - start_ms);
        const Result<std::vector<std::byte>> encoded = encode_proof(*proof);
        if (!encoded) return encoded.error();
        const std::vector<std::byte>& bytes = *encoded;
        proof_bytes = bytes.size();

        const double verify_start_ms = telemetry.now_ms();
        {
            const Span span(&telemetry, "verify");
            const Result<Proof> read_back = decode_proof(bytes);
            if (!read_back) return read_back.error();
            if (const auto verified = verify(workload.key.vk, *read_back); !verified) {
                if (!is_judgement(verified.error().kind)) return not_judged(verified.error());
                session.complain(fmt::format("whorl bench: {}: rejected: {}\n", name, to_string(verified.error())));
                return false;
            }
        }
        verify_ms.push_back(telemetry.now_ms() - verify_start_ms);

        const RunTotals totals = measure_totals(telemetry);
        Json json{{"kind", "run"},
                  {"name", name},
                  {"run", run},
                  {"threads", session.num_threads()},
                  {"instruction_set", usable_instruction_sets().front()},
                  {"prove_ms", prove_ms.back()},
                  {"verify_ms", verify_ms.back()},
                  {"proof_bytes", proof_bytes},
                  {"peak_rss_bytes", totals.peak_rss_bytes},
                  {"minor_page_faults", totals.minor_page_faults}};
        device_totals = count_device_work(telemetry, first_span);
        json.update(device_totals);
        const Result<std::vector<std::pair<std::string, double>>> times = time_ms_by_name(telemetry, first_span);
        if (!times) return times.error();
        for (const auto& [span, time_ms] : *times) {
            json["spans"][span + "_time_ms"] = time_ms;
            if (span == "stark_prove_excluding_trace") prove_excluding_trace_ms.push_back(time_ms);
        }
        if (const Result<void> added = results.add_line(print_line(session, json)); !added) return added.error();
    }

    std::size_t num_cells = 0, num_interactions = 0;
    for (const AirTrace& trace : workload.traces) {
        num_cells += trace.common_main.values().size();
        for (const TracePart& part : trace.cached_mains) num_cells += part.values().size();
        num_interactions += trace.height() * workload.key.vk.airs[trace.air_id].interactions.size();
    }
    Json summary{{"kind", "summary"},
                 {"name", name},
                 {"runs", options.num_runs},
                 {"threads", session.num_threads()},
                 {"prove_median_ms", median(prove_ms)},
                 {"prove_min_ms", *std::ranges::min_element(prove_ms)},
                 {"prove_max_ms", *std::ranges::max_element(prove_ms)},
                 {"prove_excluding_trace_median_ms", median(prove_excluding_trace_ms)},
                 {"verify_median_ms", median(verify_ms)},
                 {"proof_bytes", proof_bytes},
                 {"peak_rss_bytes", measure_totals(telemetry).peak_rss_bytes},
                 {"airs", workload.traces.size()},
                 {"cells", num_cells},
                 {"interactions", num_interactions},
                 {"log_stacked_height", workload.key.vk.params.log_stacked_height()},
                 {"version", WHORL_VERSION},
                 {"cpu", cpu_model()},
                 {"instruction_set", usable_instruction_sets().front()}};
    summary.update(device_totals);
    print_line(session, summary);
    session.set_proof_bytes(proof_bytes);
    return true;
}

}  // namespace

Result<ExitCode> run_bench(Session& session, const BenchOptions& options) {
    session.claim_input("--beside", options.beside_path);
    if (!options.task_path.empty()) {
        if (auto claimed = session.claim_task("--task", options.task_path); !claimed) return claimed.error();
    }
    if (!options.task_out_path.empty()) {
        if (auto claimed = session.claim_new_folder("--task-out", options.task_out_path); !claimed)
            return claimed.error();
    }
    BenchResults beside;
    if (!options.beside_path.empty()) {
        const Result<std::vector<std::byte>> bytes = session.read(options.beside_path, BenchResults::kLimit);
        if (!bytes) return bytes.error();
        Result<BenchResults> read =
            BenchResults::parse(as_text(*bytes), shown_path(options.beside_path, "standard input"));
        if (!read) return with_kind(std::move(read).error(), *bytes, "results of whorl bench");
        beside = std::move(*read);
    }
    if (!options.instruction_set.empty()) use_instruction_set(options.instruction_set);
    if (auto begun = session.begin(); !begun) return begun.error();
    BenchResults results;
    const auto run = [&](Result<Workload> workload) -> Result<bool> {
        if (!workload) return std::move(workload).error();
        if (!options.task_out_path.empty()) {
            if (auto saved = save_workload(*std::move(workload), options.task_out_path); !saved) return saved.error();
            return true;
        }
        return run_workload(session, *std::move(workload), options, results);
    };
    std::vector<std::function<Result<Workload>()>> workloads;
    if (!options.task_path.empty()) {
        workloads.emplace_back([&] { return task_workload(options.task_path); });
    } else if (options.workload == "segment") {
        workloads.emplace_back([&] { return block_workload(session, options.proof, options.segment); });
    } else if (options.workload == "shape") {
        ShapeTaskOptions shape = options.shape;
        shape.log_height = options.log_height.value_or(shape.log_height);
        shape.log_stacked_height = options.segment.log_stacked_height;
        workloads.emplace_back([&session, shape] { return shape_workload(session, shape); });
    } else {
        // The LogUp workload first: it needs less memory, so its peak is its own.
        if (options.workload != "keccakf") {
            workloads.emplace_back(
                [&] { return logup_workload(session, options.log_height.value_or(kDefaultLogupLogHeight)); });
        }
        if (options.workload != "logup") {
            workloads.emplace_back([&] {
                return keccakf_workload(session, random_keccak_inputs(options.num_permutations),
                                        keccakf_log_stacked_height(options.num_permutations));
            });
        }
    }
    for (const auto& make : workloads) {
        const Result<bool> is_accepted = run(make());
        if (!is_accepted) return is_accepted.error();
        if (!*is_accepted) return kExitRejected;
    }
    if (options.beside_path.empty()) return kExitOk;
    for (const BenchRuns& runs : results.runs()) {
        const BenchRuns* other = beside.find(runs.workload);
        session.complain(other != nullptr ? '\n' + side_by_side(runs, *other)
                                          : fmt::format("\n{} has no runs of {}\n",
                                                        shown_path(options.beside_path, "standard input"),
                                                        printable(runs.workload)));
    }
    return kExitOk;
}

}  // namespace whorl::cli
