// A program that sums bytes, proved for two starting values: two AIRs that talk over a bus, preprocessed and cached columns, one prover for
// all proofs, and a verifier that has only bytes and a statement.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <whorl/air.hpp>
#include <whorl/error.hpp>
#include <whorl/params.hpp>
#include <whorl/proof.hpp>
#include <whorl/prove.hpp>
#include <whorl/statement.hpp>
#include <whorl/verify.hpp>

using whorl::Fp;

namespace {

constexpr std::size_t kNumSteps = 1024;
constexpr std::size_t kNumBytes = 256;
constexpr whorl::LookupBus kByteBus{0};

// The machine. Its program, one number a step, is a cached part: it has a commitment of its own, by which a verifier knows which program
// ran. Common main: the sum before the step. Public values: the sum before the first step and after the last one.
struct Summer {
    std::string name() const { return "Summer"; }
    std::uint32_t width() const { return 1; }
    std::vector<std::uint32_t> cached_main_widths() const { return {1}; }
    std::uint32_t num_public_values() const { return 2; }

    template <class Builder>
    void eval(Builder& builder) const {
        const auto& [local, next] = builder.main();
        const auto& number = builder.cached_main(0).local[0];
        const auto& values = builder.public_values();
        builder.when_first_row().assert_eq(local[0], values[0]);
        builder.when_transition().assert_eq(next[0], local[0] + number);
        builder.when_last_row().assert_eq(local[0] + number, values[1]);
        kByteBus.lookup_key(builder, {number}, builder.one());
    }
};

// The table of bytes. The bytes are preprocessed: fixed in the key, so that no prover chooses them. Common main: how often each is looked up.
struct Bytes {
    std::string name() const { return "Bytes"; }
    std::uint32_t width() const { return 1; }
    std::optional<whorl::Matrix> preprocessed() const {
        whorl::Matrix bytes(1, kNumBytes);
        for (std::size_t row = 0; row < bytes.height(); ++row) {
            bytes.at(row, 0) = Fp::from_canonical(static_cast<std::uint32_t>(row));
        }
        return bytes;
    }

    template <class Builder>
    void eval(Builder& builder) const {
        kByteBus.add_key_with_lookups(builder, {builder.preprocessed().local[0]}, builder.main().local[0]);
    }
};

int report(const char* what, const std::string& why) {
    std::fprintf(stderr, "%s: %s\n", what, why.c_str());
    return 1;
}

/// The trace of both AIRs for a start; `sum` becomes the result.
std::vector<whorl::AirTrace> make_traces(const whorl::ProvingKey& key, const whorl::Matrix& program, Fp start,
                                         Fp& sum) {
    std::vector<whorl::AirTrace> traces(2);
    traces[0] = {.air_id = 0, .common_main = whorl::Matrix(1, kNumSteps), .cached_mains = {program}};
    traces[1] = {.air_id = 1, .common_main = whorl::Matrix(1, kNumBytes), .preprocessed = key.preprocessed[1]};
    sum = start;
    for (std::size_t row = 0; row < kNumSteps; ++row) {
        traces[0].common_main.at(row, 0) = sum;
        const Fp number = program.at(row, 0);
        traces[1].common_main.at(number.canonical(), 0) += Fp::one();
        sum += number;
    }
    traces[0].public_values = {start, sum};
    return traces;
}

/// What a service does with bytes that somebody sent: decode within limits, then accept nothing but what it asked about.
int judge(const whorl::VerifyingKey& vk, std::span<const std::byte> bytes, const whorl::Statement& statement) {
    if (bytes.size() > whorl::max_proof_bytes(vk)) return report("proof", "too long");
    const auto proof = whorl::decode_proof(bytes);
    if (!proof) return report("decode_proof", to_string(proof.error()));
    const auto verdict = whorl::verify(vk, *proof, statement);
    if (!verdict) return report("rejected", to_string(verdict.error()));
    return 0;
}

}  // namespace

int main() {
    const auto params = whorl::app_params_100_bits(11);
    if (!params) return report("params", to_string(params.error()));
    const std::vector<whorl::AnyAir> airs{Summer{}, Bytes{}};
    const auto key = whorl::keygen(*params, airs);
    if (!key) return report("keygen", to_string(key.error()));

    // The program, and the commitment that names it.
    whorl::Matrix program(1, kNumSteps);
    for (std::size_t row = 0; row < kNumSteps; ++row) {
        program.at(row, 0) = Fp::from_canonical(static_cast<std::uint32_t>(7 * row % kNumBytes));
    }
    const auto commitment = whorl::commit_matrix(*params, program);
    if (!commitment) return report("commit_matrix", to_string(commitment.error()));

    // One prover for all proofs of a key.
    auto prover = whorl::Prover::create(key->vk);
    if (!prover) return report("prover", to_string(prover.error()));
    for (const std::uint32_t start : {0U, 1000000U}) {
        Fp sum;
        const auto proof = prover->prove(make_traces(*key, program, Fp::from_canonical(start), sum));
        if (!proof) return report("prove", to_string(proof.error()));
        const auto bytes = whorl::encode_proof(*proof);
        if (!bytes) return report("encode_proof", to_string(bytes.error()));

        whorl::Statement statement;
        statement.pre_hash = key->vk.pre_hash;  // a service has it from a source that it trusts
        statement.airs = {{.air_id = 0,
                           .public_values = std::vector<Fp>{Fp::from_canonical(start), sum},
                           .cached_commitments = std::vector<whorl::Digest>{commitment->commit}},
                          {.air_id = 1}};
        statement.allows_other_airs = false;
        if (const int failed = judge(key->vk, *bytes, statement)) return failed;
        std::printf("from %u the program sums to %u: proved in %zu bytes\n", start, sum.canonical(), bytes->size());

        // A proof about another result is not accepted as one about this.
        statement.airs[0].public_values->back() += Fp::one();
        const auto read_back = whorl::decode_proof(*bytes);
        if (!read_back || whorl::verify(key->vk, *read_back, statement))
            return report("verify", "another sum was accepted");
    }
    return 0;
}
