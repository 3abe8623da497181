#include <whorl/verify.hpp>

#include <fmt/ranges.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <whorl/security.hpp>
#include <whorl/statement.hpp>

#include "cli/air_values.hpp"
#include "cli/answer.hpp"
#include "cli/commands.hpp"
#include "cli/file_kind.hpp"
#include "cli/table.hpp"
#include "engine/files.hpp"
#include "engine/statement_file.hpp"
#include "text/printable.hpp"

namespace whorl::cli {
namespace {

/// What the command line asks a proof to be about.
Result<Statement> expected_statement(const Session& session, const VerifyOptions& options) {
    Statement statement;
    statement.min_security_bits = 0;  // what is not asked for is told (warn_of_weak_key)
    if (!options.expect_path.empty()) {
        const Result<std::vector<std::byte>> bytes = session.read(options.expect_path, kStatementLimit);
        if (!bytes) return bytes.error();
        Result<Statement> read = parse_statement(as_text(*bytes), shown_path(options.expect_path, "standard input"));
        if (!read) return with_kind(std::move(read).error(), *bytes, "a statement");
        statement = *std::move(read);
    }
    std::map<std::size_t, std::vector<Fp>> public_values;
    for (const std::string& text : options.public_values) {
        Result<AirValues> air = parse_public_values(text);
        if (!air) return std::move(air).error();
        if (auto set = set_once(public_values, air->air_id, std::move(air->values), "--public-values"); !set) {
            return set.error();
        }
    }
    for (auto& [air_id, values] : public_values) {
        AirStatement air;
        air.air_id = air_id;
        air.public_values = std::move(values);
        statement.airs.push_back(std::move(air));
    }
    if (options.has_no_other_airs) statement.allows_other_airs = false;
    if (options.min_security_bits) statement.min_security_bits = *options.min_security_bits;
    return statement;
}

/// Says so where nobody asked for a least security and the key has less than a service would ask for.
Result<void> warn_of_weak_key(Session& session, const VerifyOptions& options, const VerifyingKey& vk) {
    if (session.options().is_quiet || options.min_security_bits || !options.expect_path.empty()) return {};
    const Result<SecurityBits> bits = security_bits(vk);
    if (!bits) return bits.error();
    if (bits->total() >= kDefaultMinSecurityBits) return {};
    session.complain(fmt::format("whorl: warning: proofs under this key have {} bits of security, {} are usual; "
                                 "--min-security {} rejects such keys\n",
                                 bits_text(bits->total()), kDefaultMinSecurityBits, kDefaultMinSecurityBits),
                     Tone::kWarning);
    return {};
}

/// What an accepted proof says.
Result<std::string> statement_table(const VerifyingKey& vk, const Statement& made) {
    const Result<SecurityBits> bits = security_bits(vk);
    if (!bits) return bits.error();
    Table airs({{"AIR"}, {"height"}, {"public values", Align::kLeft}});
    std::string commitments;
    for (const AirStatement& air : made.airs) {
        std::vector<std::uint32_t> values;
        for (const Fp x : *air.public_values) values.push_back(x.canonical());
        airs.add({fmt::to_string(air.air_id), grouped(std::uint64_t{1} << *air.log_height),
                  values.empty() ? "-" : fmt::format("{}", fmt::join(values, " "))});
        for (std::size_t i = 0; i < air.cached_commitments->size(); ++i) {
            commitments +=
                fmt::format("  AIR {}, cached part {}: {}\n", air.air_id, i, digest_text((*air.cached_commitments)[i]));
        }
    }
    return fmt::format("Statement\n{}{}{}  key (pre-hash): {}\n  security: {} bits ({})\n", airs.text(),
                       commitments.empty() ? "" : "Cached commitments\n", commitments, digest_text(vk.pre_hash),
                       bits_text(bits->total()), bits->weakest());
}

/// Prints what the accepted `proof` says, and writes it to `json` and where that was asked for.
Result<void> tell_statement(Session& session, const VerifyOptions& options, const VerifyingKey& vk, const Proof& proof,
                            const Statement& expected, JsonWriter& json) {
    Result<Statement> made = statement_of(vk, proof);
    if (!made) return std::move(made).error();
    const Result<std::string> table = statement_table(vk, *made);
    if (!table) return table.error();
    session.say("{}", *table);
    if (options.min_security_bits || !options.expect_path.empty()) {
        made->min_security_bits = expected.min_security_bits;
    }
    const Result<SecurityBits> bits = security_bits(vk);
    if (!bits) return bits.error();
    write_security(json, *bits);
    json.key("statement");
    write_statement(json, *made);
    if (options.statement_path.empty()) return {};
    const Result<std::string> text = statement_text(*made);
    if (!text) return text.error();
    return session.write(options.statement_path, *text);
}

/// The answer about one proof of a batch, as a line of text and as a line of JSON.
struct BatchAnswer {
    std::string text;
    std::string json;
};

template <class Fault>
BatchAnswer batch_answer(const std::string& path, std::string_view verdict, const Fault* fault) {
    JsonWriter json = JsonWriter::on_one_line();
    json.open('{');
    json.member("proof", path);
    json.member("verdict", verdict);
    if (fault != nullptr) write_error(json, *fault);
    json.close('}');
    return {
        .text = fault == nullptr ? std::string(verdict) : fmt::format("{} {}", verdict, printable(to_string(*fault))),
        .json = json.take()};
}

/// The answer about one proof of a batch, or the error that ends it; `all_readable` becomes false when its file cannot be read.
Result<BatchAnswer> judge_in_batch(const VerifyingKey& vk, const Statement& statement, const VerifierOptions& options,
                                   const std::string& path, bool& all_readable) {
    const Result<std::vector<std::byte>> bytes = read_file(path, proof_limit(vk));
    if (!bytes && bytes.error().code == ErrorCode::kBadFormat) return batch_answer(path, "malformed", &bytes.error());
    if (!bytes) {
        all_readable = false;
        return batch_answer(path, "unreadable", &bytes.error());
    }
    const Result<Proof> proof = decode_proof(*bytes);
    if (!proof && exit_code(proof.error()) == kExitMachine) return proof.error();
    if (!proof) return batch_answer(path, "malformed", &proof.error());
    const auto verified = verify(vk, *proof, statement, options);
    if (!verified && !is_judgement(verified.error().kind)) return not_judged(verified.error());
    if (!verified) return batch_answer(path, "rejected", &verified.error());
    return batch_answer<VerifyError>(path, "accepted", nullptr);
}

Result<ExitCode> verify_batch(Session& session, const VerifyingKey& vk, const Statement& statement,
                              const VerifierOptions& options, const std::string& list_path) {
    Descriptor file;
    if (list_path != kStandardStream) {
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
        const Result<BatchAnswer> answer = judge_in_batch(vk, statement, options, **path, all_readable);
        if (!answer) return answer.error();
        if (session.is_json()) session.print_exactly(answer->json + '\n');
        session.print(answer->text + '\n');
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
    session.claim_input("--batch", options.batch_path);
    session.claim_input("--expect", options.expect_path);
    if (auto claimed = session.claim_output("--statement-out", options.statement_path); !claimed) {
        return claimed.error();
    }
    if (auto begun = session.begin(); !begun) return begun.error();
    const Result<Statement> statement = expected_statement(session, options);
    if (!statement) return statement.error();

    std::optional<Span> span(std::in_place, &session.telemetry(), "read_key");
    const Result<VerifyingKey> vk = read_key(session, options.key_path);
    if (!vk) return vk.error();
    span.reset();
    const VerifierOptions verifier_options{.num_threads = options.num_threads};
    if (!options.batch_path.empty()) {
        Result<ExitCode> code = verify_batch(session, *vk, *statement, verifier_options, options.batch_path);
        if (!code) return code;
        if (const Result<void> warned = warn_of_weak_key(session, options, *vk); !warned) return warned.error();
        return code;
    }

    span.emplace(&session.telemetry(), "read_proof");
    const Result<std::vector<std::byte>> bytes = session.read(options.proof_path, proof_limit(*vk));
    if (!bytes) return bytes.error();
    session.set_proof_bytes(bytes->size());
    const Result<Proof> proof = read_proof(*bytes, options.proof_path);
    if (!proof) return proof.error();
    span.reset();

    span.emplace(&session.telemetry(), "verify");
    const double start_ms = session.telemetry().now_ms();
    const auto verified = verify(*vk, *proof, *statement, verifier_options);
    const double verify_ms = session.telemetry().now_ms() - start_ms;
    span.reset();
    JsonWriter json = begin_answer("verify");
    json.member("vk", options.key_path);
    json.member("proof", options.proof_path);
    json.member("proof_bytes", bytes->size());
    json.member("verify_ms", verify_ms);
    json.member("verdict", verified ? "accepted" : "rejected");
    if (!verified) {
        if (!is_judgement(verified.error().kind)) return not_judged(verified.error());
        session.print(fmt::format("rejected: {}\n", to_string(verified.error())), Tone::kBad);
        write_error(json, verified.error());
        if (session.is_json()) session.print_exactly(end_answer(std::move(json)));
        return kExitRejected;
    }
    session.say_good("accepted: {}, {} bytes, in {:.1f} ms\n", shown_path(options.proof_path, "standard input"),
                     grouped(bytes->size()), verify_ms);
    if (auto told = tell_statement(session, options, *vk, *proof, *statement, json); !told) {
        return told.error();
    }
    if (session.is_json()) session.print_exactly(end_answer(std::move(json)));
    if (auto warned = warn_of_weak_key(session, options, *vk); !warned) return warned.error();
    return kExitOk;
}

}  // namespace whorl::cli
