// Keys, proofs and statements for the verifier as WebAssembly, a line of JSON each, with the verdict of the native one.
//
//   wasm_cases VECTOR...    all that the reject suites do to these vectors, and each rule broken alone, whatever its vector
//
// Bytes are named by what they were before: {"file", "size", "edits": [[offset, "hex"], ...]}.
#include <whorl/whorl.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <fstream>
#include <iostream>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <whorl/field.hpp>
#include <whorl/key.hpp>
#include <whorl/proof.hpp>
#include <whorl/security.hpp>

#include "capi/handles.hpp"
#include "reject/rule_cases.hpp"
#include "reject/support.hpp"
#include "vectors.hpp"

namespace whorl::test {
namespace {

using nlohmann::json;

using Bytes = std::vector<std::byte>;

// ---- the native verdict --------------------------------------------------------------------------------------------

struct Verdict {
    whorl_code code = WHORL_OK;
    std::string stage, message;
};

/// Runs calls until one fails.
class Calls {
public:
    bool ok() const { return verdict_.code == WHORL_OK; }
    template <class Call>
    void run(const Call& call) {
        if (!ok()) return;
        whorl_error* error = nullptr;
        verdict_.code = call(&error);
        const ErrorHandle owner(error);
        verdict_.stage = whorl_error_stage(error);
        verdict_.message = whorl_error_message(error);
    }
    Verdict verdict() const { return verdict_; }

private:
    Verdict verdict_;
};

const uint8_t* data_of(const Bytes& bytes) {
    return reinterpret_cast<const uint8_t*>(bytes.data());
}

// `statement` has the members of StatementOptions (wasm/whorl.d.mts).
void apply(const json& statement, whorl_statement* handle, Calls& calls) {
    const auto words = [](const json& list) { return list.get<std::vector<uint32_t>>(); };
    if (statement.contains("minSecurityBits")) {
        calls.run([&](whorl_error** error) {
            return whorl_statement_set_min_security_bits(handle, statement["minSecurityBits"].get<double>(), error);
        });
    }
    if (statement.contains("preHash")) {
        const auto hash = words(statement["preHash"]);
        calls.run(
            [&](whorl_error** error) { return whorl_statement_set_pre_hash(handle, hash.data(), hash.size(), error); });
    }
    for (const json& air : statement.value("airs", json::array())) {
        const auto id = air["airId"].get<std::size_t>();
        calls.run([&](whorl_error** error) { return whorl_statement_require_air(handle, id, error); });
        if (air.contains("publicValues")) {
            const auto values = words(air["publicValues"]);
            calls.run([&](whorl_error** error) {
                return whorl_statement_set_public_values(handle, id, values.data(), values.size(), error);
            });
        }
        if (air.contains("cachedCommitments")) {
            const auto digests = words(air["cachedCommitments"]);
            calls.run([&](whorl_error** error) {
                return whorl_statement_set_cached_commitments(handle, id, digests.data(), digests.size(), error);
            });
        }
    }
}

Verdict judge(const Bytes& key_bytes, const Bytes& proof_bytes, const json& statement) {
    Calls calls;
    whorl_key* key = nullptr;
    calls.run([&](whorl_error** error) { return whorl_key_decode(data_of(key_bytes), key_bytes.size(), &key, error); });
    const KeyHandle key_owner(key);
    whorl_proof* proof = nullptr;
    calls.run([&](whorl_error** error) {
        return whorl_proof_decode(data_of(proof_bytes), proof_bytes.size(), &proof, error);
    });
    const ProofHandle proof_owner(proof);
    whorl_statement* stated = nullptr;
    if (!statement.is_null()) {
        calls.run([&](whorl_error** error) { return whorl_statement_new(&stated, error); });
        if (calls.ok()) apply(statement, stated, calls);
    }
    const StatementHandle statement_owner(stated);
    calls.run([&](whorl_error** error) { return whorl_verify(key, proof, stated, error); });
    return calls.verdict();
}

// ---- lines ---------------------------------------------------------------------------------------------------------

std::string hex(std::span<const std::byte> bytes) {
    std::string text;
    for (const std::byte b : bytes) text += fmt::format("{:02x}", std::to_integer<unsigned>(b));
    return text;
}

json described(const std::string& file, const Bytes& before, const Bytes& after) {
    const auto old = [&](std::size_t i) { return i < before.size() ? before[i] : std::byte{0}; };
    json edits = json::array();
    for (std::size_t i = 0; i < after.size(); ++i) {
        if (after[i] == old(i)) continue;
        const std::size_t start = i;
        while (i < after.size() && after[i] != old(i)) ++i;
        edits.push_back({start, hex(std::span(after).subspan(start, i - start))});
    }
    return {{"file", file}, {"size", after.size()}, {"edits", edits}};
}

/// Key and proof of a stored vector; writes cases that differ from it.
class Vector {
public:
    explicit Vector(std::string name)
        : name_(std::move(name)), key_(test::key_bytes(name_)), proof_(test::proof_bytes(name_)) {}

    const Bytes& key() const { return key_; }
    const Bytes& proof() const { return proof_; }

    void write(const std::string& what, const Bytes& key, const Bytes& proof, const json& statement = nullptr) const {
        const Verdict verdict = judge(key, proof, statement);
        const json line{{"name", name_ + ": " + what},
                        {"key", described(name_ + "/vk.postcard", key_, key)},
                        {"proof", described(name_ + "/proof.bin", proof_, proof)},
                        {"statement", statement},
                        {"code", static_cast<int>(verdict.code)},
                        {"stage", verdict.stage},
                        {"message", verdict.message}};
        std::cout << line.dump() << "\n";
    }
    void write_proof(const std::string& what, const Bytes& proof) const { write(what, key_, proof); }
    void write_proof(const std::string& what, const Proof& proof) const {
        write(what, key_, value_of(encode_proof(proof)));
    }
    void write_key(const std::string& what, const Bytes& key) const { write(what, key, proof_); }
    void write_statement(const std::string& what, const json& statement) const { write(what, key_, proof_, statement); }

private:
    std::string name_;
    Bytes key_, proof_;
};

// ---- cases ---------------------------------------------------------------------------------------------------------

void write_altered_numbers(const Vector& vector, const std::string& name) {
    std::ifstream in(std::filesystem::path(WHORL_TEST_VECTORS).parent_path() / "reject/altered" / (name + ".json"));
    const json survey = json::parse(in);
    for (const std::size_t offset : survey["elements"]) {
        Bytes altered = vector.proof();
        store_le(altered, offset, 4, (load_u32(altered, offset) + 1) % Fp::kModulus);
        vector.write_proof(fmt::format("element at byte {}", offset), altered);
    }
    for (const json& entry : survey["lengths"]) {
        Bytes altered = vector.proof();
        store_le(altered, entry["offset"].get<std::size_t>(), entry["size"].get<std::size_t>(),
                 entry["value"].get<std::uint64_t>());
        vector.write_proof("length " + entry.dump(), altered);
    }
}

void write_cut_and_extended(const Vector& vector) {
    for (std::size_t size = 0; size < vector.proof().size(); ++size) {
        Bytes cut = vector.proof();
        cut.resize(size);
        vector.write_proof(fmt::format("proof cut to {} bytes", size), cut);
    }
    for (const std::size_t extra : {1, 2, 3, 4, 16, 1000}) {
        Bytes longer = vector.proof();
        longer.resize(longer.size() + extra);
        vector.write_proof(fmt::format("{} bytes behind the proof", extra), longer);
    }
}

// Numbers of keys have up to ten bytes, seven bits each.
constexpr unsigned kVarintBytes = 10;

void write_altered_keys(const Vector& vector) {
    const Bytes& key = vector.key();
    for (std::size_t i = 0; i < key.size(); ++i) {
        Bytes cut = key;
        cut.resize(i);
        vector.write_key(fmt::format("key cut to {} bytes", i), cut);
        Bytes altered = key;
        altered[i] ^= std::byte{1};
        vector.write_key(fmt::format("key with another byte {}", i), altered);
        for (const unsigned size : {5U, kVarintBytes}) {
            Bytes huge = key;
            huge[i] = std::byte{1};
            huge.insert(huge.begin() + static_cast<std::ptrdiff_t>(i), size - 1, std::byte{0xff});
            vector.write_key(fmt::format("key with a number of {} bytes at byte {}", size, i), huge);
        }
    }
    Bytes longer = key;
    longer.push_back(std::byte{0});
    vector.write_key("a byte behind the key", longer);
}

void write_other_keys(const Vector& vector) {
    for (const std::string& other : kSmallVectors) vector.write_key("key of " + other, key_bytes(other));
}

// Public values, AIRs and lists with an entry per AIR or trace, as tests/reject/malformed_test.cpp alters them.
void write_altered_airs(const Vector& vector) {
    const VerifyingKey key = value_of(decode_verifying_key(vector.key()));
    const Proof proof = value_of(decode_proof(vector.proof()));
    for (std::size_t air = 0; air < proof.public_values.size(); ++air) {
        for (std::size_t i = 0; i < proof.public_values[air].size(); ++i) {
            Proof altered = proof;
            altered.public_values[air][i] += Fp::one();
            vector.write_proof(fmt::format("AIR {}, public value {}", air, i), altered);
        }
        Proof extended = proof;
        extended.public_values[air].push_back(Fp::zero());
        vector.write_proof(fmt::format("AIR {}, one public value more", air), extended);
        vector.write_proof(fmt::format("AIR {} dropped or added", air), with_air_dropped_or_added(key, proof, air));
    }
    Proof longer = proof;
    longer.trace_vdata.emplace_back();
    longer.public_values.emplace_back();
    vector.write_proof("one AIR more", longer);
    Proof shorter = proof;
    shorter.trace_vdata.pop_back();
    shorter.public_values.pop_back();
    vector.write_proof("one AIR less", shorter);

    const auto swap_all = [&](const char* list, auto list_of) {
        for (std::size_t i = 0; i < list_of(proof).size(); ++i) {
            for (std::size_t j = 0; j < i; ++j) {
                Proof swapped = proof;
                std::swap(list_of(swapped)[i], list_of(swapped)[j]);
                vector.write_proof(fmt::format("{} {} and {} swapped", list, j, i), swapped);
            }
        }
    };
    swap_all("traces", [](auto& p) -> auto& { return p.trace_vdata; });
    swap_all("public values", [](auto& p) -> auto& { return p.public_values; });
    swap_all("numerators", [](auto& p) -> auto& { return p.batch_constraint.numerator_term_per_air; });
    swap_all("denominators", [](auto& p) -> auto& { return p.batch_constraint.denominator_term_per_air; });
    swap_all("column openings", [](auto& p) -> auto& { return p.batch_constraint.column_openings; });
    swap_all("stacking openings", [](auto& p) -> auto& { return p.stacking.stacking_openings; });
}

template <class Values>
json canonical(const Values& values) {
    json words = json::array();
    for (const Fp x : values) words.push_back(x.canonical());
    return words;
}

// Statements that are the proof's, and such with one part that is not.
void write_statements(const Vector& vector) {
    const VerifyingKey key = value_of(decode_verifying_key(vector.key()));
    const Proof proof = value_of(decode_proof(vector.proof()));
    json whole{{"minSecurityBits", 0}, {"preHash", canonical(key.pre_hash)}, {"airs", json::array()}};
    for (std::size_t air = 0; air < proof.trace_vdata.size(); ++air) {
        if (!proof.trace_vdata[air]) continue;
        json digests = json::array();
        for (const Digest& digest : proof.trace_vdata[air]->cached_commitments) {
            for (const json& word : canonical(digest)) digests.push_back(word);
        }
        whole["airs"].push_back(
            {{"airId", air}, {"publicValues", canonical(proof.public_values[air])}, {"cachedCommitments", digests}});
    }
    vector.write_statement("its own statement", whole);
    vector.write_statement("an empty statement", json::object());
    for (const double bits : {0.0, 1.0, 100.0, 1e9, value_of(security_bits(key)).total(), -1.0}) {
        vector.write_statement(fmt::format("{} bits of security", bits), {{"minSecurityBits", bits}});
    }

    const auto write_lists = [&](const std::string& what, const json::json_pointer& list) {
        const json& words = whole.at(list);
        for (std::size_t i = 0; i < words.size(); ++i) {
            json other = whole;
            other[list][i] = (words[i].get<std::uint32_t>() + 1) % Fp::kModulus;
            vector.write_statement(fmt::format("{}, another word {}", what, i), other);
            other[list][i] = Fp::kModulus;
            vector.write_statement(fmt::format("{}, the modulus as word {}", what, i), other);
        }
        for (const std::size_t extra : {1, 8}) {
            json other = whole;
            for (std::size_t i = 0; i < extra; ++i) other[list].push_back(0);
            vector.write_statement(fmt::format("{}, {} words more", what, extra), other);
        }
        if (words.empty()) return;
        json other = whole;
        other[list].erase(words.size() - 1);
        vector.write_statement(what + ", one word less", other);
    };
    write_lists("pre-hash", json::json_pointer("/preHash"));
    for (std::size_t i = 0; i < whole["airs"].size(); ++i) {
        for (const char* list : {"publicValues", "cachedCommitments"}) {
            write_lists(fmt::format("entry {}, {}", i, list), json::json_pointer(fmt::format("/airs/{}/{}", i, list)));
        }
    }
    for (const std::uint32_t air :
         {static_cast<std::uint32_t>(key.airs.size()), 0x7fffffffU, 0x80000000U, 0xffffffffU}) {
        vector.write_statement(fmt::format("a trace of AIR {}", air),
                               {{"minSecurityBits", 0}, {"airs", {{{"airId", air}}}}});
    }
}

// A key is decoded with its hash, so an altered one carries its own. Some alterations have no bytes of their own: what becomes of them
// is a case like any other.
void write_rule_cases() {
    for (const RuleCase& c : rule_cases()) {
        const Vector vector(c.vector);
        VerifyingKey key = value_of(decode_verifying_key(vector.key()));
        Proof proof = value_of(decode_proof(vector.proof()));
        c.break_it(key, proof);
        key.pre_hash = value_of(verifying_key_pre_hash(key));
        vector.write(fmt::format("rule {}", name(c.kind)), value_of(encode_verifying_key(key)),
                     value_of(encode_proof(proof)));
    }
}

void write_all(std::span<char* const> names) {
    for (const std::string& name : kVectorNames) {
        const Vector vector(name);
        vector.write_proof("as it is", vector.proof());
    }
    write_rule_cases();
    for (const std::string& name : kSmallVectors) write_statements(Vector(name));
    for (const char* name : names) {
        const Vector vector(name);
        write_altered_numbers(vector, name);
        write_cut_and_extended(vector);
        write_altered_keys(vector);
        write_other_keys(vector);
        write_altered_airs(vector);
    }
}

}  // namespace
}  // namespace whorl::test

int main(int argc, char** argv) {
    try {
        whorl::test::write_all(std::span(argv, static_cast<std::size_t>(argc)).subspan(1));
    } catch (const std::exception& e) {
        std::fprintf(stderr, "wasm_cases: %s\n", e.what());
        return 1;
    }
    return std::cout.flush() ? 0 : 1;
}
