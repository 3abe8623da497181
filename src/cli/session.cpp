#include "cli/session.hpp"

#include <tbb/info.h>

#include <chrono>
#include <cstdio>
#include <string>
#include <system_error>
#include <variant>
#include <whorl/telemetry_export.hpp>

#include "cli/table.hpp"
#include "engine/devices.hpp"
#include "engine/files.hpp"

namespace whorl::cli {

namespace fs = std::filesystem;

namespace {

fs::path place_of(const std::string& path) {
    std::error_code error;
    fs::path place = fs::weakly_canonical(path, error);
    return error ? fs::path(path) : place;
}

Error with_path(Error error, const std::string& path) {
    error.message = path + ": " + error.message;
    return error;
}

}  // namespace

ExitCode exit_code(const Error& error) {
    switch (error.code) {
        case ErrorCode::kInvalidArgument:
        case ErrorCode::kBadFormat:
        case ErrorCode::kIo:
            return kExitUsage;
        case ErrorCode::kUnsatisfied:
            return kExitRejected;
        case ErrorCode::kMachine:
        case ErrorCode::kInternal:
            break;
    }
    return kExitMachine;
}

Session::Session(CommonOptions options) : options_(std::move(options)) {
    if (options_.num_threads != 0) {
        thread_limit_.emplace(tbb::global_control::max_allowed_parallelism, options_.num_threads);
    }
}

Result<void> Session::begin() {
    if (Result<void> usable = check_device(options_.device); !usable) return usable;
    if (Result<void> claimed = claim_output("--metrics", options_.metrics_path); !claimed) return claimed;
    if (Result<void> claimed = claim_output("--timeline", options_.timeline_path); !claimed) return claimed;
    if (!options_.is_quiet && Progress::is_possible()) progress_ = std::make_unique<Progress>(telemetry_);
    return {};
}

Result<void> Session::claim_output(std::string_view option, const std::string& path) {
    if (path.empty()) return {};
    const fs::path place = place_of(path);
    for (const Claim& claim : claims_) {
        if (claim.place != place) continue;
        return Error{.code = ErrorCode::kInvalidArgument,
                     .stage = std::string(option),
                     .message = fmt::format("{} is the file of {} too", path, claim.option)};
    }
    if (Result<void> writable = check_writable(path); !writable) {
        Error error = std::move(writable).error();
        error.stage = option;
        error.message = "cannot write " + error.message;
        return error;
    }
    claims_.push_back({.option = std::string(option), .place = place});
    return {};
}

void Session::claim_input(std::string_view option, const std::string& path) {
    if (!path.empty()) claims_.push_back({.option = std::string(option), .place = place_of(path)});
}

void Session::print(std::string_view text) {
    if (progress_) {
        progress_->print_above(stdout, text);
    } else {
        std::fwrite(text.data(), 1, text.size(), stdout);
    }
}

void Session::complain(std::string_view text) {
    if (progress_) {
        progress_->print_above(stderr, text);
    } else {
        std::fwrite(text.data(), 1, text.size(), stderr);
    }
}

ProverOptions Session::prover_options() {
    return {.device = options_.device,
            .dispatch = options_.dispatch,
            .constraints = options_.constraints,
            .compile_timeout = std::chrono::seconds(options_.compile_timeout_s),
            .num_threads = options_.num_threads,
            .telemetry = &telemetry_};
}

std::uint32_t Session::num_threads() const {
    return options_.num_threads != 0 ? options_.num_threads
                                     : static_cast<std::uint32_t>(tbb::info::default_concurrency());
}

void Session::stop_progress() {
    if (progress_) progress_->stop();
}

void Session::note_interpreted() {
    if (options_.constraints != ConstraintKernels::kGenerated || options_.is_quiet) return;
    bool has_proved = false;
    bool is_partly_compiled = false;
    std::string reason;
    for (const SpanRecord& span : telemetry_.spans()) {
        has_proved |= span.name == "stark_prove_excluding_trace";
        if (span.name != "compile_constraints") continue;
        reason.clear();
        for (const auto& [key, value] : span.fields) {
            if (key == "problem") reason = std::get<std::string>(value);
            if (key == "compiled_kernel_count") is_partly_compiled = std::get<std::int64_t>(value) != 0;
        }
    }
    if (is_cpu(options_.device)) reason = "generated kernels are for GPUs";
    if (!has_proved || reason.empty()) return;
    complain(fmt::format("whorl: note: {} were interpreted: {}\n",
                         is_partly_compiled ? "some constraints" : "constraints", reason));
}

Result<void> Session::finish() {
    RunTotals totals = measure_totals(telemetry_);
    totals.num_threads = num_threads();
    totals.proof_bytes = proof_bytes_;
    stop_progress();
    note_interpreted();
    if (!options_.is_quiet && !telemetry_.spans().empty()) {
        std::fflush(stdout);
        complain(fmt::format("\n{}{:.2f} s in all on {} thread(s), at most {} of memory, {} page faults\n",
                             span_tree(telemetry_), totals.total_ms / 1000, totals.num_threads,
                             human_bytes(totals.peak_rss_bytes),
                             grouped(totals.minor_page_faults + totals.major_page_faults)));
    }
    if (!options_.metrics_path.empty()) {
        if (auto done = write_file(options_.metrics_path, metrics_json(telemetry_, totals)); !done) return done;
    }
    if (!options_.timeline_path.empty()) {
        if (auto done = write_file(options_.timeline_path, timeline_json(telemetry_)); !done) return done;
    }
    return {};
}

Result<VerifyingKey> read_key(const std::string& path) {
    Result<std::vector<std::byte>> bytes = read_file(path);
    if (!bytes) return std::move(bytes).error();
    Result<VerifyingKey> vk = decode_verifying_key(*bytes);
    if (!vk) return with_path(std::move(vk).error(), path);
    return vk;
}

Result<Proof> read_proof(const std::string& path) {
    Result<std::vector<std::byte>> bytes = read_file(path);
    if (!bytes) return std::move(bytes).error();
    Result<Proof> proof = decode_proof(*bytes);
    if (!proof) return with_path(std::move(proof).error(), path);
    return proof;
}

}  // namespace whorl::cli
