#include <whorl/verify.hpp>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <iostream>

#include "cli/commands.hpp"
#include "cli/table.hpp"
#include "engine/files.hpp"

namespace whorl::cli {
namespace {

std::string one_line(std::string text) {
    std::ranges::replace(text, '\n', ' ');
    return text;
}

/// The line of one proof of a batch; `all_readable` becomes false when its file cannot be read.
std::string batch_line(const VerifyingKey& vk, const std::string& path, bool& all_readable) {
    const Result<std::vector<std::byte>> bytes = read_file(path);
    if (!bytes) {
        all_readable = false;
        return "unreadable " + one_line(to_string(bytes.error()));
    }
    const Result<Proof> proof = decode_proof(*bytes);
    if (!proof) return "malformed " + one_line(to_string(proof.error()));
    const auto verified = verify(vk, *proof);
    if (!verified) return "rejected " + one_line(to_string(verified.error()));
    return "accepted";
}

Result<ExitCode> verify_batch(Session& session, const VerifyingKey& vk, const std::string& list_path) {
    std::ifstream file;
    if (list_path != "-") {
        // A folder opens, and only fails to be read.
        if (Result<std::vector<std::byte>> readable = read_file(list_path); !readable) return readable.error();
        file.open(list_path);
    }
    std::istream& list = list_path == "-" ? std::cin : file;
    bool all_readable = true;
    Span span(&session.telemetry(), "verify");
    std::int64_t num_proofs = 0;
    for (std::string path; std::getline(list, path); ++num_proofs) {
        session.print(batch_line(vk, path, all_readable) + '\n');
        std::fflush(stdout);  // a caller may send one path and wait for its line
    }
    span.set("proofs", num_proofs);
    if (list.bad()) {
        return Error{.code = ErrorCode::kIo, .stage = "verify.batch", .message = "cannot read " + list_path};
    }
    return all_readable ? kExitOk : kExitUsage;
}

}  // namespace

Result<ExitCode> run_verify(Session& session, const VerifyOptions& options) {
    session.claim_input("--vk", options.key_path);
    session.claim_input("--proof", options.proof_path);
    if (options.batch_path != "-") session.claim_input("--batch", options.batch_path);
    if (auto begun = session.begin(); !begun) return begun.error();

    std::optional<Span> span(std::in_place, &session.telemetry(), "read_key");
    const Result<VerifyingKey> vk = read_key(options.key_path);
    if (!vk) return vk.error();
    span.reset();
    if (!options.batch_path.empty()) return verify_batch(session, *vk, options.batch_path);

    span.emplace(&session.telemetry(), "read_proof");
    const Result<std::vector<std::byte>> bytes = read_file(options.proof_path);
    if (!bytes) return bytes.error();
    session.set_proof_bytes(bytes->size());
    const Result<Proof> proof = decode_proof(*bytes);
    if (!proof) {
        Error error = proof.error();
        error.message = options.proof_path + ": " + error.message;
        return error;
    }
    span.reset();

    span.emplace(&session.telemetry(), "verify");
    const double start_ms = session.telemetry().now_ms();
    const auto verified = verify(*vk, *proof);
    span.reset();
    if (!verified) {
        session.complain(fmt::format("whorl verify: rejected: {}\n", to_string(verified.error())));
        return kExitRejected;
    }
    session.say("accepted: {}, {} bytes, in {:.1f} ms\n", options.proof_path, grouped(bytes->size()),
                session.telemetry().now_ms() - start_ms);
    return kExitOk;
}

}  // namespace whorl::cli
