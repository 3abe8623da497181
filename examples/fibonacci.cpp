// Prove that 1, 1, 2, 3, 5, … reaches a public number after 2^16 rows, and verify the proof.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include <whorl/air.hpp>
#include <whorl/params.hpp>
#include <whorl/proof.hpp>
#include <whorl/prove.hpp>
#include <whorl/verify.hpp>

using whorl::Fp;

// Two successive numbers; and what everybody sees: the first two, and the last one.
WHORL_COLUMNS(Columns, left, right);
WHORL_COLUMNS(PublicValues, first_left, first_right, last_right);

struct Fibonacci {
    std::string name() const { return "Fibonacci"; }
    std::uint32_t width() const { return whorl::kNumColumns<Columns>; }
    std::uint32_t num_public_values() const { return whorl::kNumColumns<PublicValues>; }

    template <class Builder>
    void eval(Builder& builder) const {
        const auto [local, next] = whorl::columns<Columns>(builder.main());
        const auto values = whorl::columns<PublicValues>(builder.public_values());
        builder.when_first_row().assert_eq(local.left, values.first_left);
        builder.when_first_row().assert_eq(local.right, values.first_right);
        builder.when_transition().assert_eq(next.left, local.right);
        builder.when_transition().assert_eq(next.right, local.left + local.right);
        builder.when_last_row().assert_eq(local.right, values.last_right);
    }
};

int main() {
    // The keys depend on the AIRs only: made once, used for any number of proofs.
    const std::vector<whorl::AnyAir> airs{Fibonacci{}};
    const auto params = whorl::app_params_100_bits(17);
    if (!params) return std::fprintf(stderr, "%s\n", to_string(params.error()).c_str()), 1;
    const auto key = whorl::keygen(*params, airs);
    if (!key) return std::fprintf(stderr, "%s\n", to_string(key.error()).c_str()), 1;

    // The trace: rows by the names of their columns, a power of two of them.
    std::vector<Columns<Fp>> rows{{.left = Fp::one(), .right = Fp::one()}};
    while (rows.size() < 1 << 16) {
        const auto [left, right] = rows.back();
        rows.push_back({.left = right, .right = left + right});
    }
    const Fp last = rows.back().right;
    auto main = whorl::matrix_of<Columns>(rows);
    if (!main) return std::fprintf(stderr, "%s\n", to_string(main.error()).c_str()), 1;
    std::vector<whorl::AirTrace> traces(1);
    traces[0].common_main = *std::move(main);
    traces[0].public_values = {Fp::one(), Fp::one(), last};

    const auto proof = whorl::prove(key->vk, traces);
    if (!proof) return std::fprintf(stderr, "%s\n", to_string(proof.error()).c_str()), 1;

    // A verifier needs the verifying key and the proof, nothing else.
    const auto verdict = whorl::verify(key->vk, *proof);
    if (!verdict) return std::fprintf(stderr, "rejected: %s\n", to_string(verdict.error()).c_str()), 1;

    const auto bytes = whorl::encode_proof(*proof);
    if (!bytes) return std::fprintf(stderr, "%s\n", to_string(bytes.error()).c_str()), 1;
    std::printf("after %zu rows the sequence is at %u mod p: proved in %zu bytes\n", rows.size(), last.canonical(),
                bytes->size());
    return 0;
}
