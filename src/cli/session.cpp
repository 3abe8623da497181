#include "cli/session.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include <chrono>
#include <cstdio>
#include <string>
#include <system_error>
#include <variant>
#include <whorl/telemetry_export.hpp>
#include <whorl/verify.hpp>

#include "cli/file_kind.hpp"
#include "cli/output.hpp"
#include "cli/table.hpp"
#include "engine/devices.hpp"
#include "engine/task_files.hpp"
#include "text/printable.hpp"

namespace whorl::cli {

namespace fs = std::filesystem;

namespace {

// Proofs up to this size are read under any key: the reason why they are rejected says more than their length.
constexpr std::uint64_t kAlwaysReadBytes = std::uint64_t{1} << 20;

void set_node(FilePlace& place, const struct stat& status) {
    place.node = std::pair<std::uint64_t, std::uint64_t>(status.st_dev, status.st_ino);
    place.takes_all = S_ISCHR(status.st_mode);
}

FilePlace place_of(const fs::path& path) {
    FilePlace place;
    place.path = resolve_links(path);
    struct stat status{};
    if (::stat(path.c_str(), &status) == 0) set_node(place, status);
    return place;
}

bool is_same(const FilePlace& a, const FilePlace& b) {
    if (a.takes_all || b.takes_all) return false;
    return (a.node && a.node == b.node) || (!a.path.empty() && a.path == b.path);
}

Error with_path(Error error, const std::string& path) {
    error.message = shown_path(path, "standard input") + ": " + error.message;
    return error;
}

Error stream_taken(std::string_view option, std::string_view stream, std::string_view owner) {
    return {.code = ErrorCode::kInvalidArgument,
            .stage = std::string(option),
            .message = fmt::format("{} is taken by {}", stream, owner)};
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
        case ErrorCode::kCancelled:
            break;
    }
    return kExitMachine;
}

Error not_judged(const VerifyError& error) {
    return {.code = error.kind == VerifyErrorKind::kMachine ? ErrorCode::kMachine : ErrorCode::kInternal,
            .stage = "verify",
            .message = to_string(error)};
}

Session::Session(CommonOptions options)
    : options_(std::move(options)), team_(options_.num_threads), thread_limit_(team_.limit_all()) {
    if (!options_.is_quiet) claim_standard_output();
    if (options_.is_json) output_owner_ = "--json";
}

void Session::claim_standard_output() {
    claim_stream("standard output", STDOUT_FILENO);
    claim_stream("standard error", STDERR_FILENO);
}

Result<void> Session::begin() {
    if (claim_fault_) return *claim_fault_;
    if (Result<void> usable = check_device(options_.device); !usable) return usable;
    // --quiet leaves results and errors; only the result itself (--out /dev/stdout) may take their place.
    if (options_.is_quiet) claim_standard_output();
    if (Result<void> claimed = claim_output("--metrics", options_.metrics_path); !claimed) return claimed;
    if (Result<void> claimed = claim_output("--timeline", options_.timeline_path); !claimed) return claimed;
    if (!options_.is_quiet && Progress::is_possible()) progress_ = std::make_unique<Progress>(telemetry_);
    if (!options_.is_quiet && team_.size() < team_.wanted()) {
        complain(fmt::format(
            "whorl: note: {} of {} threads work; the system starts no more (ulimit -u, ulimit -v, pids.max of "
            "the control group)\n",
            team_.size(), team_.wanted()));
    }
    return {};
}

Result<void> Session::claim_output(std::string_view option, const std::string& path) {
    if (path.empty()) return {};
    if (path == kStandardStream) {
        if (!output_owner_.empty()) return stream_taken(option, "standard output", output_owner_);
        output_owner_ = option;
        return {};
    }
    const FilePlace place = place_of(path);
    for (const Claim& claim : claims_) {
        if (!is_same(claim.place, place)) continue;
        return Error{.code = ErrorCode::kInvalidArgument,
                     .stage = std::string(option),
                     .message = fmt::format("{} is the file of {} too", printable(path), claim.option)};
    }
    for (const Claim& folder : folders_) {
        if (place.path.parent_path() != folder.place.path) continue;
        return Error{.code = ErrorCode::kInvalidArgument,
                     .stage = std::string(option),
                     .message = fmt::format("{} is in the folder of {}", printable(path), folder.option)};
    }
    if (Result<void> writable = check_writable(path); !writable) {
        Error error = std::move(writable).error();
        error.stage = option;
        error.message = "cannot write " + error.message;
        return error;
    }
    claims_.push_back({.option = std::string(option), .place = place, .is_output = true});
    return {};
}

Result<void> Session::check_folder(std::string_view option, const std::string& folder) {
    if (folder != kStandardStream) return {};
    return Error{
        .code = ErrorCode::kInvalidArgument,
        .stage = std::string(option),
        .message = "expected a folder, found -, which is standard output elsewhere; ./- is a folder of that name"};
}

Result<void> Session::claim_new_folder(std::string_view option, const std::string& folder) {
    if (auto checked = check_folder(option, folder); !checked) return checked;
    std::error_code error;
    const bool is_there = fs::exists(folder, error);
    if (!error && is_there && !fs::is_empty(folder, error) && !error) {
        return Error{.code = ErrorCode::kInvalidArgument,
                     .stage = std::string(option),
                     .message = printable(folder) + " is there already; expected a new or an empty folder"};
    }
    if (error) {
        return Error{.code = ErrorCode::kIo,
                     .stage = std::string(option),
                     .message = printable(folder) + ": " + error.message()};
    }
    folders_.push_back({.option = std::string(option), .place = place_of(folder), .is_output = true});
    return {};
}

Result<void> Session::check_not_output(const std::string& path) const {
    const FilePlace place = place_of(path);
    for (const Claim& claim : claims_) {
        if (!claim.is_output || !is_same(claim.place, place)) continue;
        return Error{.code = ErrorCode::kInvalidArgument,
                     .stage = claim.option,
                     .message = printable(path) + " is read too; choose another file"};
    }
    return {};
}

void Session::claim_input(std::string_view option, const std::string& path) {
    if (path.empty()) return;
    if (path != kStandardStream) {
        claims_.push_back({.option = std::string(option), .place = place_of(path)});
        return;
    }
    if (!input_owner_.empty() && !claim_fault_) claim_fault_ = stream_taken(option, "standard input", input_owner_);
    input_owner_ = option;
    claim_stream("standard input", STDIN_FILENO);
}

Result<void> Session::claim_file_of_folder(std::string_view option, const std::string& path) {
    struct stat status{};
    if (::lstat(path.c_str(), &status) == 0 && S_ISLNK(status.st_mode)) {
        // It may lead to columns of the same task, or out of the folder.
        return Error{.code = ErrorCode::kInvalidArgument,
                     .stage = std::string(option),
                     .message = printable(path) + " is a link, expected a file of the folder or none"};
    }
    return claim_output(option, path);
}

Result<void> Session::claim_task(std::string_view option, const std::string& folder) {
    struct stat status{};
    if (::stat(folder.c_str(), &status) == 0 && !S_ISDIR(status.st_mode)) {
        return Error{.code = ErrorCode::kIo,
                     .stage = std::string(option),
                     .message = printable(folder) + " is a file; a task is a folder with a file task.json"};
    }
    const Result<std::vector<fs::path>> files = task_files(folder);
    if (!files) return files.error();
    for (const fs::path& file : *files) claim_input(option, file);
    return {};
}

void Session::claim_stream(std::string_view name, int fd) {
    struct stat status{};
    if (::fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) return;
    Claim claim{.option = std::string(name), .place = {}};
    set_node(claim.place, status);
    claims_.push_back(std::move(claim));
}

Result<std::vector<std::byte>> Session::read(const std::string& path, const ReadLimit& limit) const {
    if (path == kStandardStream) return read_open_file(STDIN_FILENO, "standard input", limit);
    return read_file(path, limit);
}

Result<void> Session::write(const std::string& path, std::span<const std::byte> bytes) {
    const Output output{path, bytes};
    return write(std::span(&output, 1));
}

Result<void> Session::write(std::span<const Output> outputs) {
    std::vector<FileContent> files;
    for (const Output& output : outputs) {
        if (output.path == kStandardStream) {
            print_exactly(as_text(output.bytes));
        } else {
            files.push_back({output.path, output.bytes});
        }
    }
    return write_files(files);
}

Result<void> Session::write(const std::string& path, std::string_view text) {
    return write(path, std::as_bytes(std::span(text)));
}

void Session::print(std::string_view text, Tone tone) {
    if (options_.is_json) return;
    put_text(output_owner_.empty() ? stdout : stderr, text, tone);
}

void Session::put_text(std::FILE* stream, std::string_view text, Tone tone) {
    std::string shown = printable_lines(text);
    if (has_colours(stream)) shown = in_colour(shown, tone);
    if (progress_) {
        progress_->print_above(stream, shown);
    } else {
        put(stream, shown);
    }
}

void Session::print_exactly(std::string_view text) {
    if (progress_) {
        progress_->print_above(stdout, text);
    } else {
        put(stdout, text);
    }
}

void Session::complain(std::string_view text, Tone tone) {
    put_text(stderr, text, tone);
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
    return team_.size();
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
    if (options_.has_timings) {
        std::fflush(stdout);
        complain(fmt::format("\n{}{:.2f} s in all on {} thread(s), at most {} of memory, {} page faults\n",
                             span_tree(telemetry_), totals.total_ms / 1000, totals.num_threads,
                             human_bytes(totals.peak_rss_bytes),
                             grouped(totals.minor_page_faults + totals.major_page_faults)));
    }
    if (!options_.metrics_path.empty()) {
        const Result<std::string> json = metrics_json(telemetry_, totals);
        if (!json) return json.error();
        if (auto done = write(options_.metrics_path, *json); !done) return done;
    }
    if (!options_.timeline_path.empty()) {
        const Result<std::string> json = timeline_json(telemetry_);
        if (!json) return json.error();
        if (auto done = write(options_.timeline_path, *json); !done) return done;
    }
    return {};
}

std::optional<std::uint64_t> size_of_file(const fs::path& path) {
    struct stat status{};
    if (::stat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return std::nullopt;
    return static_cast<std::uint64_t>(status.st_size);
}

bool has_task_json(const std::string& folder) {
    struct stat status{};
    return ::stat(path_in(folder, kTaskFile).c_str(), &status) == 0;
}

std::string shown_path(const std::string& path, std::string_view stream) {
    return path == kStandardStream ? std::string(stream) : printable(path);
}

Result<VerifyingKey> read_key(const Session& session, const std::string& path) {
    Result<std::vector<std::byte>> bytes = session.read(path, kKeyLimit);
    if (!bytes) {
        Error error = std::move(bytes).error();
        if (has_task_json(path)) error.message += "; a task folder: its key is usually the file vk.postcard in it";
        return error;
    }
    Result<VerifyingKey> vk = decode_verifying_key(*bytes);
    if (!vk) return with_path(with_kind(std::move(vk).error(), *bytes, "a verifying key"), path);
    return vk;
}

ReadLimit proof_limit(const VerifyingKey& vk) {
    return {.max_bytes = std::max(max_proof_bytes(vk), kAlwaysReadBytes), .content = "a proof under this key"};
}

Result<Proof> read_proof(std::span<const std::byte> bytes, const std::string& path) {
    Result<Proof> proof = decode_proof(bytes);
    if (!proof) return with_path(with_kind(std::move(proof).error(), bytes, "a proof"), path);
    return proof;
}

}  // namespace whorl::cli
