// Hostile key and proof bytes: what decodes encodes to bytes that decode to the same.
#include <algorithm>

#include <whorl/proof.hpp>

#include "input.hpp"
#include "proof/key_codec.hpp"

namespace {

using namespace whorl;

void require(bool condition) {
    if (!condition) __builtin_trap();
}

// The depths of paths are written once, from the first query: a proof without queries in some round has no place for
// those of the others.
bool has_all_queries(const Proof& proof) {
    const auto is_empty = [](const auto& list) { return list.empty(); };
    return std::ranges::none_of(proof.whir.initial_round_opened_rows, is_empty) &&
           std::ranges::none_of(proof.whir.codeword_opened_values, is_empty);
}

void try_key(std::span<const std::byte> bytes) {
    const auto key = decode_verifying_key(bytes, PreHashCheck::kIgnore);
    if (!key) return require(!key.error().message.empty());
    const auto again = decode_verifying_key(*encode_verifying_key(*key), PreHashCheck::kIgnore);
    require(again.has_value() && *again == *key);
    static_cast<void>(decode_verifying_key(bytes).has_value());
}

void try_proof(std::span<const std::byte> bytes) {
    const auto proof = decode_proof(bytes);
    if (!proof) return require(!proof.error().message.empty());
    const std::vector<std::byte> encoded = *encode_proof(*proof);
    std::size_t size = 0;
    const std::vector<ProofSection> sections = *proof_sections(*proof);
    for (const ProofSection& section : sections) size += section.size_bytes;
    require(size == encoded.size());
    if (!has_all_queries(*proof)) return;
    const auto again = decode_proof(encoded);
    require(again.has_value() && *again == *proof);
}

}  // namespace

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t max_size,
                                               unsigned seed) {
    return fuzz::mutate(data, size, max_size, seed);
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const fuzz::Input input = fuzz::split(data, size);
    try_key(input.key);
    try_proof(input.proof);
    return 0;
}
