#include "proofs.hpp"

#include <nanobind/operators.h>
#include <nanobind/stl/array.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <whorl/proof.hpp>
#include <whorl/statement.hpp>
#include <whorl/transcript.hpp>
#include <whorl/verify.hpp>

#include "bytes.hpp"
#include "errors.hpp"
#include "field.hpp"
#include "keys.hpp"
#include "released.hpp"

namespace nb = nanobind;
using namespace nb::literals;

namespace whorl::python {
namespace {

Proof proof_from_bytes(const nb::bytes& bytes) {
    Result<Proof> proof = [&] {
        const Released released;
        return decode_proof(to_span(bytes));
    }();
    return take(std::move(proof));
}

nb::bytes proof_bytes(const Proof& proof) {
    return to_bytes(take(encode_proof(proof)));
}

void judge(nb::handle key, const Proof& proof, const Statement* statement, Transcript* transcript,
           std::uint32_t threads) {
    const VerifyingKey& vk = verifying_key(key);
    const VerifierOptions options{.num_threads = threads};
    Result<void, VerifyError> verdict = [&] {
        const Released released;
        if (statement != nullptr) {
            return transcript == nullptr ? verify(vk, proof, *statement, options)
                                         : verify(vk, proof, *statement, *transcript, options);
        }
        return transcript == nullptr ? verify(vk, proof, options) : verify(vk, proof, *transcript, options);
    }();
    take(std::move(verdict));
}

void bind_statement(nb::module_& module) {
    nb::class_<AirStatement>(module, "AirStatement", R"(An AIR that must have a trace; what is None may be anything.)")
        .def(
            "__init__",
            [](AirStatement* s, std::size_t air_id, std::optional<std::uint32_t> log_height,
               std::optional<std::vector<Fp>> public_values, std::optional<std::vector<Digest>> cached_commitments) {
                new (s) AirStatement{.air_id = air_id,
                                     .log_height = log_height,
                                     .public_values = std::move(public_values),
                                     .cached_commitments = std::move(cached_commitments)};
            },
            "air_id"_a, "log_height"_a = nb::none(), "public_values"_a = nb::none(),
            "cached_commitments"_a = nb::none())
        .def_rw("air_id", &AirStatement::air_id)
        .def_rw("log_height", &AirStatement::log_height)
        .def_rw("public_values", &AirStatement::public_values)
        .def_rw("cached_commitments", &AirStatement::cached_commitments)
        .def(nb::self == nb::self);
    nb::class_<Statement>(module, "Statement", R"(What a caller knows before it sees a proof (docs/statement.md).

Parameters
----------
airs
    One AirStatement an AIR that must have a trace.
allows_other_airs
    Whether others may have one too, which may then be any.
params, pre_hash
    The key's, where they are given.
min_security_bits
    A key with fewer is refused; 0 accepts all.)")
        .def(
            "__init__",
            [](Statement* s, std::vector<AirStatement> airs, bool allows_other_airs, std::optional<SystemParams> params,
               std::optional<Digest> pre_hash, double min_security_bits) {
                new (s) Statement{.airs = std::move(airs),
                                  .allows_other_airs = allows_other_airs,
                                  .params = std::move(params),
                                  .pre_hash = pre_hash,
                                  .min_security_bits = min_security_bits};
            },
            "airs"_a = std::vector<AirStatement>(), "allows_other_airs"_a = true, "params"_a = nb::none(),
            "pre_hash"_a = nb::none(), "min_security_bits"_a = kDefaultMinSecurityBits)
        .def_rw("airs", &Statement::airs)
        .def_rw("allows_other_airs", &Statement::allows_other_airs)
        .def_rw("params", &Statement::params)
        .def_rw("pre_hash", &Statement::pre_hash)
        .def_rw("min_security_bits", &Statement::min_security_bits)
        .def(nb::self == nb::self);
    module.def(
        "statement_of",
        [](nb::handle key, const Proof& proof) { return take(statement_of(verifying_key(key), proof)); }, "key"_a,
        "proof"_a, "All that a proof says under a key. It says nothing about whether the proof is valid.");
}

void bind_transcript(nb::module_& module) {
    nb::class_<Transcript>(module, "Transcript",
                           R"(A Fiat-Shamir transcript, for proofs that are part of a larger protocol.)")
        .def(nb::init<>())
        .def(
            "observe", [](Transcript& t, Fp value) { t.observe(value); }, "value"_a)
        .def("sample", &Transcript::sample)
        .def(
            "sample_bits",
            [](Transcript& t, unsigned num_bits) {
                if (num_bits >= 31) raise_invalid("transcript", "expected fewer than 31 bits");
                return t.sample_bits(num_bits);
            },
            "num_bits"_a);
}

}  // namespace

void bind_proofs(nb::module_& module) {
    nb::class_<Proof>(module, "Proof", R"(A SWIRL proof; ``bytes(proof)`` is its encoding (proof.bin).)")
        .def_static("from_bytes", &proof_from_bytes, "data"_a,
                    R"(Reads a proof from untrusted bytes, without judging it.

Raises
------
FormatError
    With the section and the offset of what is wrong.)")
        .def("__bytes__", &proof_bytes)
        .def_prop_ro(
            "common_main_commit", [](const Proof& p) { return p.common_main_commit; }, "8 numbers.")
        .def_prop_ro(
            "public_values", [](const Proof& p) { return p.public_values; },
            "By AIR: its public values. What an unverified proof says.")
        .def_prop_ro(
            "log_heights",
            [](const Proof& p) {
                std::vector<std::optional<std::uint32_t>> out;
                for (const auto& data : p.trace_vdata)
                    out.push_back(data ? std::optional(data->log_height) : std::nullopt);
                return out;
            },
            "By AIR: log2 of the rows of its trace, or None where it has none.")
        .def_prop_ro(
            "sections",
            [](const Proof& p) {
                std::vector<std::tuple<std::string, std::size_t>> out;
                for (const ProofSection& s : take(proof_sections(p))) out.emplace_back(s.name, s.size_bytes);
                return out;
            },
            "Name and size in bytes of each stretch of the encoding.")
        .def(nb::self == nb::self)
        .def("__getstate__", [](const Proof& p) { return nb::make_tuple(proof_bytes(p)); })
        .def("__setstate__",
             [](Proof& p, const std::tuple<nb::bytes>& state) { new (&p) Proof(proof_from_bytes(std::get<0>(state))); })
        .def("__repr__", [](const Proof& p) {
            return "<whorl.Proof of " + std::to_string(p.trace_vdata.size()) +
                   (p.trace_vdata.size() == 1 ? " AIR>" : " AIRs>");
        });
    bind_statement(module);
    bind_transcript(module);
    module.def("verify", &judge, "key"_a, "proof"_a, "statement"_a = nb::none(), "transcript"_a = nb::none(),
               "threads"_a = 1);
    module.def(
        "max_proof_bytes", [](nb::handle key) { return max_proof_bytes(verifying_key(key)); }, "key"_a,
        "The bytes of the largest proof that a key admits.");
}

}  // namespace whorl::python
