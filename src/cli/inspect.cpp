#include <fmt/ranges.h>

#include <algorithm>
#include <set>
#include <variant>

#include <whorl/security.hpp>

#include "cli/answer.hpp"
#include "cli/commands.hpp"
#include "cli/proof_fit.hpp"
#include "cli/table.hpp"
#include "engine/json_values.hpp"
#include "text/printable.hpp"

namespace whorl::cli {
namespace {

std::string proximity_text(const Proximity& proximity) {
    if (const auto* split = std::get_if<SplitUniqueList>(&proximity)) {
        return fmt::format("unique decoding, list decoding with m = {} from round {}", split->m,
                           split->list_start_round);
    }
    if (const auto* list = std::get_if<ListDecoding>(&proximity)) {
        return fmt::format("list decoding, m = {}", list->m);
    }
    return "unique decoding";
}

std::string params_text(const SystemParams& params) {
    Table table({{"", Align::kLeft}, {"", Align::kRight}, {"", Align::kLeft}});
    const auto add = [&](const char* name, std::uint64_t value, const char* meaning) {
        table.add({name, grouped(value), meaning});
    };
    add("l_skip", params.l_skip, "log2 of the univariate skip domain");
    add("n_stack", params.n_stack, "hypercube variables of a stacked column");
    add("w_stack", params.w_stack, "most stacked columns over all commitments");
    add("log_blowup", params.log_blowup, "-log2 of the initial code rate");
    add("max_constraint_degree", params.max_constraint_degree, "");
    add("whir.k", params.whir.k, "variables folded per round");
    add("whir.mu_pow_bits", params.whir.mu_pow_bits, "grinding before the batching challenge");
    add("whir.folding_pow_bits", params.whir.folding_pow_bits, "grinding before each folding challenge");
    add("whir.query_phase_pow_bits", params.whir.query_phase_pow_bits, "grinding before each round's queries");
    add("logup.max_interaction_count", params.logup.max_interaction_count, "");
    add("logup.log_max_message_length", params.logup.log_max_message_length, "");
    add("logup.pow_bits", params.logup.pow_bits, "grinding before the LogUp challenges");

    Table rounds({{"round"}, {"log2 message"}, {"log2 domain"}, {"-log2 rate"}, {"queries"}});
    for (std::uint32_t i = 0; i < params.whir.num_rounds(); ++i) {
        const std::uint32_t log_message = params.log_stacked_height() - i * params.whir.k;
        const std::uint32_t log_domain = params.log_codeword_height() - i;
        rounds.add({fmt::to_string(i), fmt::to_string(log_message), fmt::to_string(log_domain),
                    fmt::to_string(log_domain - log_message), fmt::to_string(params.whir.num_queries[i])});
    }
    return fmt::format("Security parameters\n{}\nWHIR rounds ({}; final polynomial of 2^{} coefficients)\n{}",
                       table.text(), proximity_text(params.whir.proximity), params.log_final_poly_len(), rounds.text());
}

// What the numbers rest on; docs/statement.md has more.
constexpr const char* kAssumptions =
    R"(Counted as openvm-stark-backend 2.0.1 does, for any proof that the key admits: the chance, as -log2, to
pass a step without valid traces, where each try costs its grinding in hash evaluations. The weakest
step counts, not the sum of all. Assumed: Poseidon2 is as good as a random function, so that the
transcript's challenges are random and no two Merkle trees have one root (which costs 2^123 hashes).
Proximity gaps are the proven ones, of unique decoding and of list decoding (BCHKS25); none is
conjectured. "none": no theorem holds.
)";

std::string security_text(const SecurityBits& bits) {
    Table steps({{"step", Align::kLeft}, {"bits"}});
    steps.add({"LogUp challenges", bits_text(bits.logup)});
    steps.add({"GKR sumcheck", bits_text(bits.gkr_sumcheck)});
    steps.add({"GKR batching", bits_text(bits.gkr_batching)});
    steps.add({"zerocheck sumcheck", bits_text(bits.zerocheck_sumcheck)});
    steps.add({"constraint batching", bits_text(bits.constraint_batching)});
    steps.add({"stacked reduction", bits_text(bits.stacked_reduction)});
    steps.add({"mu batching", bits_text(bits.mu_batching)});
    steps.add({"WHIR, with mu batching", bits_text(bits.whir())});
    Table rounds({{"WHIR round"},
                  {"fold"},
                  {"= gap"},
                  {"+ sumcheck"},
                  {"shift"},
                  {"= queries"},
                  {"+ gamma"},
                  {"out of domain"}});
    for (std::size_t i = 0; i < bits.whir_rounds.size(); ++i) {
        const WhirRoundSecurity& round = bits.whir_rounds[i];
        rounds.add({fmt::to_string(i), bits_text(round.fold), bits_text(round.proximity_gap), bits_text(round.sumcheck),
                    bits_text(round.shift), bits_text(round.query), bits_text(round.gamma_batching),
                    bits_text(round.out_of_domain)});
    }
    return fmt::format("Security: {} bits ({})\n{}\n{}\n{}", bits_text(bits.total()), bits.weakest(), steps.text(),
                       rounds.text(), kAssumptions);
}

std::set<std::uint16_t> buses_of(const AirVerifyingKey& air) {
    std::set<std::uint16_t> buses;
    for (const SymbolicInteraction& interaction : air.interactions) buses.insert(interaction.bus_index);
    return buses;
}

std::string airs_text(const VerifyingKey& vk) {
    Table table({{"AIR"},
                 {"main"},
                 {"cached"},
                 {"preprocessed"},
                 {"public"},
                 {"next row"},
                 {"required"},
                 {"nodes"},
                 {"constraints"},
                 {"degree"},
                 {"interactions"},
                 {"buses", Align::kLeft}});
    for (std::size_t i = 0; i < vk.airs.size(); ++i) {
        const AirVerifyingKey& air = vk.airs[i];
        const std::set<std::uint16_t> buses = buses_of(air);
        table.add({fmt::to_string(i), grouped(air.width.common_main),
                   air.width.cached_mains.empty() ? "-" : fmt::format("{}", fmt::join(air.width.cached_mains, "+")),
                   air.width.preprocessed ? grouped(*air.width.preprocessed) : "-",
                   fmt::to_string(air.num_public_values), air.need_rot ? "yes" : "-", air.is_required ? "yes" : "-",
                   grouped(air.nodes.size()), grouped(air.constraint_idx.size()),
                   fmt::to_string(air.max_constraint_degree), grouped(air.interactions.size()),
                   buses.empty() ? "-" : fmt::format("{}", fmt::join(buses, ","))});
    }
    return fmt::format("AIRs (widths in columns)\n{}", table.text());
}

std::string height_constraints_text(const VerifyingKey& vk) {
    if (vk.trace_height_constraints.empty()) return {};
    std::string text = "\nTrace heights\n";
    for (const TraceHeightConstraint& constraint : vk.trace_height_constraints) {
        std::string sum;
        for (std::size_t i = 0; i < constraint.coefficients.size(); ++i) {
            if (constraint.coefficients[i] == 0) continue;
            sum += fmt::format("{}{} h{}", sum.empty() ? "" : " + ", constraint.coefficients[i], i);
        }
        text += fmt::format("  {} < {}\n", sum.empty() ? "0" : sum, grouped(constraint.threshold));
    }
    return text;
}

std::string proof_text(const Proof& proof, std::span<const ProofSection> proof_sections, std::size_t size_bytes) {
    Table traces({{"AIR"}, {"log2 height"}, {"height"}, {"cached commitments"}, {"public values", Align::kLeft}});
    for (std::size_t i = 0; i < proof.trace_vdata.size(); ++i) {
        const std::optional<TraceVData>& data = proof.trace_vdata[i];
        if (!data) {
            traces.add({fmt::to_string(i), "-", "absent", "-", ""});
            continue;
        }
        std::vector<std::uint32_t> public_values;
        if (i < proof.public_values.size()) {
            for (const Fp x : proof.public_values[i]) public_values.push_back(x.canonical());
        }
        // A hostile proof may claim any height.
        traces.add({fmt::to_string(i), fmt::to_string(data->log_height),
                    data->log_height < 64 ? grouped(std::uint64_t{1} << data->log_height) : "?",
                    fmt::to_string(data->cached_commitments.size()), fmt::format("{}", fmt::join(public_values, " "))});
    }
    Table sections({{"section", Align::kLeft}, {"bytes"}, {"share"}});
    for (const ProofSection& section : proof_sections) {
        sections.add({section.name, grouped(section.size_bytes),
                      fmt::format("{:.1f}%", 100.0 * static_cast<double>(section.size_bytes) /
                                                 static_cast<double>(std::max<std::size_t>(size_bytes, 1)))});
    }
    sections.add({"all", grouped(size_bytes), "100.0%"});
    return fmt::format("Traces\n{}\nProof size by section\n{}", traces.text(), sections.text());
}

template <class Numbers>
void write_numbers(JsonWriter& json, std::string_view name, const Numbers& numbers) {
    json.open(name, '[');
    for (const auto& number : numbers) {
        json.item();
        json.value(number);
    }
    json.close(']');
}

void write_air(JsonWriter& json, std::size_t air_id, const AirVerifyingKey& air) {
    json.open('{');
    json.member("air_id", air_id);
    json.member("common_main_width", air.width.common_main);
    write_numbers(json, "cached_main_widths", air.width.cached_mains);
    if (air.width.preprocessed) {
        json.member("preprocessed_width", *air.width.preprocessed);
    } else {
        json.member("preprocessed_width", nullptr);
    }
    json.member("num_public_values", air.num_public_values);
    json.member("needs_next_row", air.need_rot);
    json.member("is_required", air.is_required);
    json.member("num_nodes", air.nodes.size());
    json.member("num_constraints", air.constraint_idx.size());
    json.member("max_constraint_degree", std::uint32_t{air.max_constraint_degree});
    json.member("num_interactions", air.interactions.size());
    write_numbers(json, "buses", buses_of(air));
    json.close('}');
}

void write_key(JsonWriter& json, const std::string& path, const VerifyingKey& vk, std::size_t size_bytes,
               const SecurityBits& bits) {
    json.member("vk", path);
    json.member("vk_bytes", size_bytes);
    write_digest(json, "pre_hash", vk.pre_hash);
    write_params(json, vk.params);
    write_security(json, bits);
    json.open("airs", '[');
    for (std::size_t i = 0; i < vk.airs.size(); ++i) {
        json.item();
        write_air(json, i, vk.airs[i]);
    }
    json.close(']');
    json.open("trace_height_constraints", '[');
    for (const TraceHeightConstraint& constraint : vk.trace_height_constraints) {
        json.item();
        json.open('{');
        write_numbers(json, "coefficients", constraint.coefficients);
        json.member("threshold", constraint.threshold);
        json.close('}');
    }
    json.close(']');
}

void write_proof(JsonWriter& json, const std::string& path, const Proof& proof, std::size_t size_bytes,
                 std::span<const std::string> misfits, std::span<const ProofSection> sections) {
    json.open("proof", '{');
    json.member("proof", path);
    json.member("proof_bytes", size_bytes);
    write_digest(json, "common_main_commitment", proof.common_main_commit);
    write_numbers(json, "misfits", misfits);
    json.open("airs", '[');
    for (std::size_t i = 0; i < proof.trace_vdata.size(); ++i) {
        const std::optional<TraceVData>& data = proof.trace_vdata[i];
        if (!data) continue;
        json.item();
        json.open('{');
        json.member("air_id", i);
        json.member("log_height", data->log_height);
        write_elements(json, "public_values",
                       i < proof.public_values.size() ? proof.public_values[i] : std::vector<Fp>());
        write_digests(json, "cached_commitments", data->cached_commitments);
        json.close('}');
    }
    json.close(']');
    json.open("sections", '[');
    for (const ProofSection& section : sections) {
        json.item();
        json.open('{');
        json.member("name", section.name);
        json.member("bytes", section.size_bytes);
        json.close('}');
    }
    json.close(']');
    json.close('}');
}

}  // namespace

Result<ExitCode> run_inspect(Session& session, const InspectOptions& options) {
    session.claim_input("--vk", options.key_path);
    session.claim_input("--proof", options.proof_path);
    if (auto begun = session.begin(); !begun) return begun.error();

    JsonWriter json = begin_answer("inspect");
    const Result<VerifyingKey> vk = read_key(session, options.key_path);
    if (!vk) return vk.error();
    const Result<std::vector<std::byte>> key_bytes = encode_verifying_key(*vk);
    if (!key_bytes) return key_bytes.error();
    session.print(fmt::format("Verifying key {}: {} AIRs, {} bytes\n  pre-hash {}\n\n",
                              shown_path(options.key_path, "standard input"), vk->airs.size(),
                              grouped(key_bytes->size()), digest_text(vk->pre_hash)));
    session.print(params_text(vk->params) + '\n');
    const Result<SecurityBits> bits = security_bits(*vk);
    if (!bits) return bits.error();
    session.print(security_text(*bits) + '\n');
    session.print(airs_text(*vk));
    session.print(height_constraints_text(*vk));
    write_key(json, options.key_path, *vk, key_bytes->size(), *bits);
    if (options.proof_path.empty()) {
        if (session.is_json()) session.print_exactly(end_answer(std::move(json)));
        return kExitOk;
    }

    const Result<std::vector<std::byte>> bytes = session.read(options.proof_path, proof_limit(*vk));
    if (!bytes) return bytes.error();
    const Result<Proof> proof = read_proof(*bytes, options.proof_path);
    if (!proof) return proof.error();
    const Result<std::vector<ProofSection>> sections = proof_sections(*proof);
    if (!sections) return sections.error();
    const std::size_t size_bytes = bytes->size();
    session.set_proof_bytes(size_bytes);
    session.print(fmt::format("\nProof {}: {} bytes ({})\n  common main commitment {}\n",
                              shown_path(options.proof_path, "standard input"), grouped(size_bytes),
                              human_bytes(size_bytes), digest_text(proof->common_main_commit)));
    const std::vector<std::string> misfits = find_misfits(*vk, *proof);
    for (const std::string& misfit : misfits) session.print(fmt::format("  not a proof under this key: {}\n", misfit));
    if (misfits.empty())
        session.print("  has the shape of a proof under this key; whorl verify tells whether it is valid\n");
    session.print('\n' + proof_text(*proof, *sections, size_bytes));
    write_proof(json, options.proof_path, *proof, size_bytes, misfits, *sections);
    if (session.is_json()) session.print_exactly(end_answer(std::move(json)));
    return kExitOk;
}

}  // namespace whorl::cli
