#include <whorl/verify.hpp>

#include <unistd.h>

#include "cli/commands.hpp"
#include "cli/table.hpp"
#include "engine/files.hpp"
#include "text/printable.hpp"

namespace whorl::cli {
namespace {

/// The line of one proof of a batch, or the error that ends it; `all_readable` becomes false when its file cannot be read.
Result<std::string> batch_line(const VerifyingKey& vk, const std::string& path, bool& all_readable) {
    const Result<std::vector<std::byte>> bytes = read_proof_bytes(vk, path);
    if (!bytes && bytes.error().code == ErrorCode::kBadFormat)
        return "malformed " + printable(to_string(bytes.error()));
    if (!bytes) {
        all_readable = false;
        return "unreadable " + printable(to_string(bytes.error()));
    }
    const Result<Proof> proof = decode_proof(*bytes);
    if (!proof && exit_code(proof.error()) == kExitMachine) return proof.error();
    if (!proof) return "malformed " + printable(to_string(proof.error()));
    const auto verified = verify(vk, *proof);
    if (!verified && !is_judgement(verified.error().kind)) return not_judged(verified.error());
    if (!verified) return "rejected " + printable(to_string(verified.error()));
    return std::string("accepted");
}

Result<ExitCode> verify_batch(Session& session, const VerifyingKey& vk, const std::string& list_path) {
    Descriptor file;
    if (list_path != "-") {
        Result<Descriptor> opened = open_for_reading(list_path, FileKind::kAny);
        if (!opened) return opened.error();
        file = *std::move(opened);
    }
    LineReader list(file.is_open() ? file.get() : STDIN_FILENO, file.is_open() ? list_path : "standard input");
    bool all_readable = true;
    Span span(&session.telemetry(), "verify");
    std::int64_t num_proofs = 0;
    while (true) {
        const Result<std::optional<std::string>> path = list.next();
        if (!path) return path.error();
        if (!path->has_value()) break;
        if (const Result<void> usable = session.check_not_output(**path); !usable) return usable.error();
        const Result<std::string> line = batch_line(vk, **path, all_readable);
        if (!line) return line.error();
        session.print(*line + '\n');
        // A caller may send one path and wait for its line; where nobody reads lines, no more proofs are judged.
        if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
            return Error{.code = ErrorCode::kIo, .stage = "output", .message = "cannot write standard output"};
        }
        ++num_proofs;
    }
    span.set("proofs", num_proofs);
    return all_readable ? kExitOk : kExitUsage;
}

}  // namespace

Result<ExitCode> run_verify(Session& session, const VerifyOptions& options) {
    session.claim_input("--vk", options.key_path);
    session.claim_input("--proof", options.proof_path);
    if (options.batch_path == "-") {
        session.claim_standard_input();
    } else {
        session.claim_input("--batch", options.batch_path);
    }
    if (auto begun = session.begin(); !begun) return begun.error();

    std::optional<Span> span(std::in_place, &session.telemetry(), "read_key");
    const Result<VerifyingKey> vk = read_key(options.key_path);
    if (!vk) return vk.error();
    span.reset();
    if (!options.batch_path.empty()) return verify_batch(session, *vk, options.batch_path);

    span.emplace(&session.telemetry(), "read_proof");
    const Result<std::vector<std::byte>> bytes = read_proof_bytes(*vk, options.proof_path);
    if (!bytes) return bytes.error();
    session.set_proof_bytes(bytes->size());
    const Result<Proof> proof = read_proof(*bytes, options.proof_path);
    if (!proof) return proof.error();
    span.reset();

    span.emplace(&session.telemetry(), "verify");
    const double start_ms = session.telemetry().now_ms();
    const auto verified = verify(*vk, *proof);
    span.reset();
    if (!verified) {
        if (!is_judgement(verified.error().kind)) return not_judged(verified.error());
        session.print(fmt::format("rejected: {}\n", to_string(verified.error())));
        return kExitRejected;
    }
    session.say("accepted: {}, {} bytes, in {:.1f} ms\n", printable(options.proof_path), grouped(bytes->size()),
                session.telemetry().now_ms() - start_ms);
    return kExitOk;
}

}  // namespace whorl::cli
