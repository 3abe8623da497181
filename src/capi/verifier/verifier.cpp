// The first part of whorl/whorl.h: errors, keys, proofs, verifying.
#include <fmt/format.h>

#include <algorithm>
#include <new>
#include <tuple>
#include <utility>

#include <whorl/security.hpp>
#include <whorl/statement.hpp>
#include <whorl/verify.hpp>
#include <whorl/version.hpp>

#include "capi/verifier/handles.hpp"

struct whorl_statement {
    whorl::Statement statement;
};

namespace whorl::capi {
namespace {

whorl_code code_of(ErrorCode code) {
    switch (code) {
        case ErrorCode::kInvalidArgument:
            return WHORL_INVALID_ARGUMENT;
        case ErrorCode::kBadFormat:
            return WHORL_BAD_FORMAT;
        case ErrorCode::kIo:
            return WHORL_IO;
        case ErrorCode::kUnsatisfied:
            return WHORL_UNSATISFIED;
        case ErrorCode::kMachine:
            return WHORL_MACHINE;
        case ErrorCode::kInternal:
            return WHORL_INTERNAL;
        case ErrorCode::kCancelled:
            return WHORL_CANCELLED;
    }
    return WHORL_INTERNAL;
}

std::span<const std::byte> as_bytes(const uint8_t* bytes, std::size_t size) {
    return std::as_bytes(std::span(bytes, size));
}

Result<void> check_air(std::string_view stage, std::size_t air_id, std::size_t num_airs) {
    if (air_id < num_airs) return {};
    return bad_argument(stage, fmt::format("expected an AIR below {}, found {}", num_airs, air_id));
}

// The entry of an AIR, made where there is none.
AirStatement& entry_of(Statement& statement, std::size_t air_id) {
    const auto found = std::ranges::find(statement.airs, air_id, &AirStatement::air_id);
    return found != statement.airs.end() ? *found : statement.airs.emplace_back(AirStatement{.air_id = air_id});
}

// Writes what fits.
template <class Values>
void write_canonical(const Values& values, uint32_t* words, std::size_t capacity, std::size_t& next) {
    for (const Fp x : values) {
        if (next < capacity) words[next] = x.canonical();
        ++next;
    }
}

}  // namespace

whorl_code fail(whorl_error** out, whorl_code code, std::string stage, std::string message) noexcept {
    if (out != nullptr) *out = new (std::nothrow) whorl_error{code, std::move(stage), std::move(message)};
    return code;
}

whorl_code fail(whorl_error** out, Error error) noexcept {
    return fail(out, code_of(error.code), std::move(error.stage), std::move(error.message));
}

Error missing(std::string_view stage, std::string_view what) {
    return bad_argument(stage, fmt::format("expected {}, found NULL", what));
}

Result<std::vector<Fp>> read_canonical(std::string_view stage, const uint32_t* words, std::size_t num_words) {
    if (words == nullptr && num_words != 0) return missing(stage, "words");
    std::vector<Fp> values(num_words);
    for (std::size_t i = 0; i < num_words; ++i) {
        if (words[i] >= Fp::kModulus) {
            return bad_argument(stage,
                                fmt::format("expected words below {}, found {} at {}", Fp::kModulus, words[i], i));
        }
        values[i] = Fp::from_canonical(words[i]);
    }
    return values;
}

Result<Digest> read_digest(std::string_view stage, const uint32_t* words, std::size_t num_words) {
    Digest digest{};
    if (num_words != digest.size()) {
        return bad_argument(stage, fmt::format("expected {} words, found {}", digest.size(), num_words));
    }
    const Result<std::vector<Fp>> values = read_canonical(stage, words, num_words);
    if (!values) return values.error();
    std::ranges::copy(*values, digest.begin());
    return digest;
}

Result<void> write_digest(std::string_view stage, const Digest& digest, uint32_t* words, std::size_t num_words) {
    if (words == nullptr) return missing(stage, "words");
    if (num_words != digest.size()) {
        return bad_argument(stage, fmt::format("expected room for {} words, found {}", digest.size(), num_words));
    }
    std::size_t next = 0;
    write_canonical(digest, words, num_words, next);
    return {};
}

}  // namespace whorl::capi

using whorl::Result;
namespace capi = whorl::capi;

namespace {

constexpr const char* kTranscript = "transcript";
constexpr std::size_t kStateWords = std::tuple_size_v<decltype(whorl::TranscriptState::sponge)> + 2;

}  // namespace

uint32_t whorl_abi_version(void) {
    return WHORL_ABI_VERSION;
}

const char* whorl_version(void) {
    return WHORL_VERSION;
}

whorl_code whorl_error_code(const whorl_error* error) {
    return error != nullptr ? error->code : WHORL_OK;
}
const char* whorl_error_stage(const whorl_error* error) {
    return error != nullptr ? error->stage.c_str() : "";
}
const char* whorl_error_message(const whorl_error* error) {
    return error != nullptr ? error->message.c_str() : "";
}
void whorl_error_free(whorl_error* error) {
    delete error;
}

const uint8_t* whorl_bytes_data(const whorl_bytes* bytes) {
    return bytes != nullptr ? reinterpret_cast<const uint8_t*>(bytes->bytes.data()) : nullptr;
}
size_t whorl_bytes_size(const whorl_bytes* bytes) {
    return bytes != nullptr ? bytes->bytes.size() : 0;
}
void whorl_bytes_free(whorl_bytes* bytes) {
    delete bytes;
}

whorl_code whorl_key_decode(const uint8_t* bytes, size_t size, whorl_key** key, whorl_error** error) {
    return capi::call(error, "key", [&]() -> Result<void> {
        if (key == nullptr) return capi::missing("key", "a place for the key");
        if (bytes == nullptr && size != 0) return capi::missing("key", "bytes");
        Result<whorl::VerifyingKey> vk = whorl::decode_verifying_key(capi::as_bytes(bytes, size));
        if (!vk) return std::move(vk).error();
        *key = new whorl_key{*std::move(vk), {}, {}};
        return {};
    });
}

whorl_code whorl_key_decode_named(const uint8_t* bytes, size_t size, const char* const* air_names, size_t num_names,
                                  whorl_key** key, whorl_error** error) {
    return capi::call(error, "key", [&]() -> Result<void> {
        if (key == nullptr) return capi::missing("key", "a place for the key");
        if (bytes == nullptr && size != 0) return capi::missing("key", "bytes");
        if (air_names == nullptr && num_names != 0) return capi::missing("key", "names");
        Result<whorl::VerifyingKey> vk = whorl::decode_verifying_key(capi::as_bytes(bytes, size));
        if (!vk) return std::move(vk).error();
        if (num_names != vk->airs.size()) {
            return capi::bad_argument(
                "key", fmt::format("expected a name for each of {} AIRs, found {}", vk->airs.size(), num_names));
        }
        std::vector<std::string> names;
        names.reserve(num_names);
        for (std::size_t i = 0; i < num_names; ++i) {
            if (air_names[i] == nullptr) return capi::missing("key", fmt::format("the name of AIR {}", i));
            names.emplace_back(air_names[i]);
        }
        *key = new whorl_key{*std::move(vk), std::move(names), {}};
        return {};
    });
}

whorl_code whorl_key_encode(const whorl_key* key, whorl_bytes** bytes, whorl_error** error) {
    return capi::call(error, "key", [&]() -> Result<void> {
        if (key == nullptr) return capi::missing("key", "a key");
        if (bytes == nullptr) return capi::missing("key", "a place for the bytes");
        Result<std::vector<std::byte>> encoded = whorl::encode_verifying_key(key->vk);
        if (!encoded) return std::move(encoded).error();
        *bytes = new whorl_bytes{*std::move(encoded)};
        return {};
    });
}

void whorl_key_free(whorl_key* key) {
    delete key;
}

uint32_t whorl_key_modulus(const whorl_key*) {
    return whorl::Fp::kModulus;
}
size_t whorl_key_digest_words(const whorl_key*) {
    return whorl::Digest{}.size();
}

whorl_code whorl_key_pre_hash(const whorl_key* key, uint32_t* words, size_t num_words, whorl_error** error) {
    return capi::call(error, "key", [&]() -> Result<void> {
        if (key == nullptr) return capi::missing("key", "a key");
        return capi::write_digest("key", key->vk.pre_hash, words, num_words);
    });
}

double whorl_key_security_bits(const whorl_key* key) {
    if (key == nullptr) return -1;
    const auto bits = whorl::security_bits(key->vk);
    return bits ? bits->total() : -1;
}

uint64_t whorl_key_max_proof_bytes(const whorl_key* key) {
    return key != nullptr ? whorl::max_proof_bytes(key->vk) : 0;
}

size_t whorl_key_num_airs(const whorl_key* key) {
    return key != nullptr ? key->vk.airs.size() : 0;
}

whorl_code whorl_key_air(const whorl_key* key, size_t air_id, whorl_air_info* info, whorl_error** error) {
    return capi::call(error, "key", [&]() -> Result<void> {
        if (key == nullptr) return capi::missing("key", "a key");
        if (info == nullptr) return capi::missing("key", "a struct");
        if (auto ok = capi::check_air("key", air_id, key->vk.airs.size()); !ok) return ok;
        const whorl::AirVerifyingKey& air = key->vk.airs[air_id];
        whorl_air_info read{};
        read.common_main_width = air.width.common_main;
        read.num_cached_mains = static_cast<uint32_t>(air.width.cached_mains.size());
        read.preprocessed_width = air.width.preprocessed.value_or(0);
        read.num_public_values = air.num_public_values;
        read.num_constraints = static_cast<uint32_t>(air.constraint_idx.size());
        read.num_interactions = static_cast<uint32_t>(air.interactions.size());
        read.is_required = air.is_required ? 1 : 0;
        return capi::write_struct("key", read, info);
    });
}

whorl_code whorl_key_cached_main_width(const whorl_key* key, size_t air_id, size_t part, uint32_t* width,
                                       whorl_error** error) {
    return capi::call(error, "key", [&]() -> Result<void> {
        if (key == nullptr) return capi::missing("key", "a key");
        if (width == nullptr) return capi::missing("key", "a place for the width");
        if (auto ok = capi::check_air("key", air_id, key->vk.airs.size()); !ok) return ok;
        const auto& widths = key->vk.airs[air_id].width.cached_mains;
        if (part >= widths.size()) {
            return capi::bad_argument(
                "key", fmt::format("expected a cached part of AIR {} below {}, found {}", air_id, widths.size(), part));
        }
        *width = widths[part];
        return {};
    });
}

whorl_code whorl_proof_decode(const uint8_t* bytes, size_t size, whorl_proof** proof, whorl_error** error) {
    return capi::call(error, "proof", [&]() -> Result<void> {
        if (proof == nullptr) return capi::missing("proof", "a place for the proof");
        if (bytes == nullptr && size != 0) return capi::missing("proof", "bytes");
        Result<whorl::Proof> decoded = whorl::decode_proof(capi::as_bytes(bytes, size));
        if (!decoded) return std::move(decoded).error();
        *proof = new whorl_proof{*std::move(decoded)};
        return {};
    });
}

whorl_code whorl_proof_encode(const whorl_proof* proof, whorl_bytes** bytes, whorl_error** error) {
    return capi::call(error, "proof", [&]() -> Result<void> {
        if (proof == nullptr) return capi::missing("proof", "a proof");
        if (bytes == nullptr) return capi::missing("proof", "a place for the bytes");
        Result<std::vector<std::byte>> encoded = whorl::encode_proof(proof->proof);
        if (!encoded) return std::move(encoded).error();
        *bytes = new whorl_bytes{*std::move(encoded)};
        return {};
    });
}

void whorl_proof_free(whorl_proof* proof) {
    delete proof;
}

size_t whorl_proof_num_airs(const whorl_proof* proof) {
    return proof != nullptr ? proof->proof.trace_vdata.size() : 0;
}

whorl_code whorl_proof_has_trace(const whorl_proof* proof, size_t air_id, uint8_t* has_trace, whorl_error** error) {
    return capi::call(error, "proof", [&]() -> Result<void> {
        if (proof == nullptr) return capi::missing("proof", "a proof");
        if (has_trace == nullptr) return capi::missing("proof", "a place for the answer");
        const Result<bool> answer = whorl::has_trace(proof->proof, air_id);
        if (!answer) return answer.error();
        *has_trace = *answer ? 1 : 0;
        return {};
    });
}

whorl_code whorl_proof_height(const whorl_proof* proof, size_t air_id, uint64_t* height, whorl_error** error) {
    return capi::call(error, "proof", [&]() -> Result<void> {
        if (proof == nullptr) return capi::missing("proof", "a proof");
        if (height == nullptr) return capi::missing("proof", "a place for the height");
        const Result<std::uint64_t> answer = whorl::height_of(proof->proof, air_id);
        if (!answer) return answer.error();
        *height = *answer;
        return {};
    });
}

whorl_code whorl_proof_public_values(const whorl_proof* proof, size_t air_id, uint32_t* words, size_t capacity,
                                     size_t* num_words, whorl_error** error) {
    return capi::call(error, "proof", [&]() -> Result<void> {
        if (proof == nullptr) return capi::missing("proof", "a proof");
        if (num_words == nullptr || (words == nullptr && capacity != 0))
            return capi::missing("proof", "a place for the words");
        const auto values = whorl::public_values_of(proof->proof, air_id);
        if (!values) return values.error();
        std::size_t next = 0;
        capi::write_canonical(*values, words, capacity, next);
        *num_words = next;
        return {};
    });
}

whorl_code whorl_proof_cached_commitments(const whorl_proof* proof, size_t air_id, uint32_t* words, size_t capacity,
                                          size_t* num_words, whorl_error** error) {
    return capi::call(error, "proof", [&]() -> Result<void> {
        if (proof == nullptr) return capi::missing("proof", "a proof");
        if (num_words == nullptr || (words == nullptr && capacity != 0))
            return capi::missing("proof", "a place for the words");
        const auto commitments = whorl::cached_commitments_of(proof->proof, air_id);
        if (!commitments) return commitments.error();
        std::size_t next = 0;
        for (const whorl::Digest& digest : *commitments) capi::write_canonical(digest, words, capacity, next);
        *num_words = next;
        return {};
    });
}

whorl_code whorl_statement_new(whorl_statement** statement, whorl_error** error) {
    return capi::call(error, "statement", [&]() -> Result<void> {
        if (statement == nullptr) return capi::missing("statement", "a place for the statement");
        *statement = new whorl_statement{};
        return {};
    });
}

void whorl_statement_free(whorl_statement* statement) {
    delete statement;
}

whorl_code whorl_statement_set_min_security_bits(whorl_statement* statement, double bits, whorl_error** error) {
    return capi::call(error, "statement", [&]() -> Result<void> {
        if (statement == nullptr) return capi::missing("statement", "a statement");
        if (!(bits >= 0))
            return capi::bad_argument("statement", fmt::format("expected 0 bits or more, found {}", bits));
        statement->statement.min_security_bits = bits;
        return {};
    });
}

whorl_code whorl_statement_set_pre_hash(whorl_statement* statement, const uint32_t* words, size_t num_words,
                                        whorl_error** error) {
    return capi::call(error, "statement", [&]() -> Result<void> {
        if (statement == nullptr) return capi::missing("statement", "a statement");
        const Result<whorl::Digest> digest = capi::read_digest("statement", words, num_words);
        if (!digest) return digest.error();
        statement->statement.pre_hash = *digest;
        return {};
    });
}

whorl_code whorl_statement_set_params(whorl_statement* statement, const whorl_params* params, whorl_error** error) {
    return capi::call(error, "statement", [&]() -> Result<void> {
        if (statement == nullptr) return capi::missing("statement", "a statement");
        if (params == nullptr) return capi::missing("statement", "parameters");
        statement->statement.params = params->params;
        return {};
    });
}

whorl_code whorl_statement_allow_other_airs(whorl_statement* statement, uint8_t is_allowed, whorl_error** error) {
    return capi::call(error, "statement", [&]() -> Result<void> {
        if (statement == nullptr) return capi::missing("statement", "a statement");
        statement->statement.allows_other_airs = is_allowed != 0;
        return {};
    });
}

whorl_code whorl_statement_require_air(whorl_statement* statement, size_t air_id, whorl_error** error) {
    return capi::call(error, "statement", [&]() -> Result<void> {
        if (statement == nullptr) return capi::missing("statement", "a statement");
        capi::entry_of(statement->statement, air_id);
        return {};
    });
}

whorl_code whorl_statement_set_public_values(whorl_statement* statement, size_t air_id, const uint32_t* words,
                                             size_t num_words, whorl_error** error) {
    return capi::call(error, "statement", [&]() -> Result<void> {
        if (statement == nullptr) return capi::missing("statement", "a statement");
        Result<std::vector<whorl::Fp>> values = capi::read_canonical("statement", words, num_words);
        if (!values) return values.error();
        capi::entry_of(statement->statement, air_id).public_values = *std::move(values);
        return {};
    });
}

whorl_code whorl_statement_set_cached_commitments(whorl_statement* statement, size_t air_id, const uint32_t* words,
                                                  size_t num_words, whorl_error** error) {
    return capi::call(error, "statement", [&]() -> Result<void> {
        if (statement == nullptr) return capi::missing("statement", "a statement");
        constexpr std::size_t kWords = std::tuple_size_v<whorl::Digest>;
        if (num_words % kWords != 0) {
            return capi::bad_argument("statement",
                                      fmt::format("expected a multiple of {} words, found {}", kWords, num_words));
        }
        if (words == nullptr && num_words != 0) return capi::missing("statement", "words");
        std::vector<whorl::Digest> digests;
        for (std::size_t i = 0; i < num_words; i += kWords) {
            const Result<whorl::Digest> digest = capi::read_digest("statement", words + i, kWords);
            if (!digest) return digest.error();
            digests.push_back(*digest);
        }
        capi::entry_of(statement->statement, air_id).cached_commitments = std::move(digests);
        return {};
    });
}

whorl_code whorl_verify(const whorl_key* key, const whorl_proof* proof, const whorl_statement* statement,
                        whorl_error** error) {
    whorl_transcript transcript;
    return whorl_verify_from(key, proof, statement, &transcript, error);
}

whorl_code whorl_verify_from(const whorl_key* key, const whorl_proof* proof, const whorl_statement* statement,
                             whorl_transcript* transcript, whorl_error** error) {
    if (key == nullptr || proof == nullptr || transcript == nullptr) {
        return capi::call(error, "verify", [&]() -> Result<void> {
            return capi::missing("verify", key == nullptr ? "a key" : proof == nullptr ? "a proof" : "a transcript");
        });
    }
    const auto verdict = statement != nullptr
                             ? whorl::verify(key->vk, proof->proof, statement->statement, transcript->transcript)
                             : whorl::verify(key->vk, proof->proof, transcript->transcript);
    if (verdict) return WHORL_OK;
    const whorl::VerifyErrorKind kind = verdict.error().kind;
    const whorl_code code = is_judgement(kind)                         ? WHORL_REJECTED
                            : kind == whorl::VerifyErrorKind::kMachine ? WHORL_MACHINE
                                                                       : WHORL_INTERNAL;
    std::string stage;
    try {
        stage = name(kind);
    } catch (...) {  // the code says enough
    }
    return capi::fail(error, code, std::move(stage), to_string(verdict.error()));
}

whorl_code whorl_transcript_new(const whorl_key* key, whorl_transcript** transcript, whorl_error** error) {
    return capi::call(error, kTranscript, [&]() -> Result<void> {
        if (key == nullptr) return capi::missing(kTranscript, "a key");
        if (transcript == nullptr) return capi::missing(kTranscript, "a place for the transcript");
        *transcript = new whorl_transcript();
        return {};
    });
}

void whorl_transcript_free(whorl_transcript* transcript) {
    delete transcript;
}

whorl_code whorl_transcript_observe(whorl_transcript* transcript, const uint32_t* words, size_t num_words,
                                    whorl_error** error) {
    return capi::call(error, kTranscript, [&]() -> Result<void> {
        if (transcript == nullptr) return capi::missing(kTranscript, "a transcript");
        const Result<std::vector<whorl::Fp>> values = capi::read_canonical(kTranscript, words, num_words);
        if (!values) return values.error();
        for (const whorl::Fp x : *values) transcript->transcript.observe(x);
        return {};
    });
}

whorl_code whorl_transcript_sample(whorl_transcript* transcript, uint32_t* words, size_t num_words,
                                   whorl_error** error) {
    return capi::call(error, kTranscript, [&]() -> Result<void> {
        if (transcript == nullptr) return capi::missing(kTranscript, "a transcript");
        if (words == nullptr && num_words != 0) return capi::missing(kTranscript, "words");
        for (size_t i = 0; i < num_words; ++i) words[i] = transcript->transcript.sample().canonical();
        return {};
    });
}

size_t whorl_transcript_state_words(const whorl_transcript* transcript) {
    return transcript == nullptr ? 0 : kStateWords;
}

whorl_code whorl_transcript_state(const whorl_transcript* transcript, uint32_t* words, size_t num_words,
                                  whorl_error** error) {
    return capi::call(error, kTranscript, [&]() -> Result<void> {
        if (transcript == nullptr) return capi::missing(kTranscript, "a transcript");
        if (words == nullptr) return capi::missing(kTranscript, "words");
        if (num_words != kStateWords) {
            return capi::bad_argument(kTranscript,
                                      fmt::format("expected room for {} words, found {}", kStateWords, num_words));
        }
        const whorl::TranscriptState& state = transcript->transcript.state();
        for (const whorl::Fp x : state.sponge) *words++ = x.canonical();
        *words++ = state.absorb_index;
        *words = state.squeeze_index;
        return {};
    });
}

whorl_code whorl_transcript_set_state(whorl_transcript* transcript, const uint32_t* words, size_t num_words,
                                      whorl_error** error) {
    return capi::call(error, kTranscript, [&]() -> Result<void> {
        if (transcript == nullptr) return capi::missing(kTranscript, "a transcript");
        if (words == nullptr) return capi::missing(kTranscript, "words");
        if (num_words != kStateWords) {
            return capi::bad_argument(kTranscript, fmt::format("expected {} words, found {}", kStateWords, num_words));
        }
        whorl::TranscriptState state;
        const Result<std::vector<whorl::Fp>> sponge = capi::read_canonical(kTranscript, words, state.sponge.size());
        if (!sponge) return sponge.error();
        std::ranges::copy(*sponge, state.sponge.begin());
        state.absorb_index = words[state.sponge.size()];
        state.squeeze_index = words[state.sponge.size() + 1];
        const Result<whorl::Transcript> made = whorl::Transcript::from_state(state);
        if (!made) return made.error();
        transcript->transcript = *made;
        return {};
    });
}
