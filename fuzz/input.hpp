// The fuzzers' input: a little-endian u32 with the key's length, the key, the proof; and a mutator that knows it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <random>
#include <span>
#include <vector>

#include <whorl/field.hpp>

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size);

namespace whorl::fuzz {

inline constexpr std::size_t kPrefix = 4;

struct Input {
    std::span<const std::byte> key;
    std::span<const std::byte> proof;
};

inline Input split(const std::uint8_t* data, std::size_t size) {
    if (size < kPrefix) return {};
    std::uint32_t length = 0;
    std::memcpy(&length, data, kPrefix);
    const auto rest = std::as_bytes(std::span(data, size)).subspan(kPrefix);
    const std::size_t key_size = std::min<std::size_t>(length, rest.size());
    return {rest.first(key_size), rest.subspan(key_size)};
}

inline std::vector<std::uint8_t> to_vector(std::span<const std::byte> bytes) {
    std::vector<std::uint8_t> out(bytes.size());
    std::ranges::transform(bytes, out.begin(), [](std::byte b) { return std::to_integer<std::uint8_t>(b); });
    return out;
}

// libFuzzer's own mutations on a part that may grow to `max_size`.
inline void mutate_bytes(std::vector<std::uint8_t>& part, std::size_t max_size) {
    const std::size_t size = part.size();
    part.resize(std::max(size, max_size));
    part.resize(LLVMFuzzerMutate(part.data(), size, part.size()));
}

// Another field element at some word of the proof, or another small number where there is one: alterations that still
// decode. Words lie at an odd offset after the bitmap of up to eight AIRs.
inline void mutate_word(std::vector<std::uint8_t>& proof, std::mt19937& random) {
    constexpr std::size_t kFirstWord = 41;
    if (proof.size() < kFirstWord + 4) return;
    const std::size_t offset = kFirstWord + random() % ((proof.size() - kFirstWord) / 4) * 4;
    std::uint32_t word = 0;
    std::memcpy(&word, &proof[offset], 4);
    switch (random() % 4) {
        case 0:
            word = word < (1U << 16) ? word + random() % 5 - 2 : random() % Fp::kModulus;
            break;
        case 1:
            word = (word + 1) % Fp::kModulus;
            break;
        case 2:
            word = random() % 2 == 0 ? 0 : Fp::kModulus - 1;
            break;
        default:
            word = random() % Fp::kModulus;
    }
    std::memcpy(&proof[offset], &word, 4);
}

inline std::size_t mutate(std::uint8_t* data, std::size_t size, std::size_t max_size, unsigned seed) {
    std::mt19937 random(seed);
    const Input input = split(data, size);
    std::vector<std::uint8_t> key = to_vector(input.key);
    std::vector<std::uint8_t> proof = to_vector(input.proof);
    const std::size_t room = max_size - std::min(max_size, kPrefix + key.size() + proof.size());
    switch (random() % 4) {
        case 0:
            mutate_bytes(key, key.size() + room);
            break;
        case 1:
            mutate_bytes(proof, proof.size() + room);
            break;
        default:
            for (unsigned i = 0; i <= random() % 3; ++i) mutate_word(proof, random);
    }
    const std::size_t key_size = std::min(key.size(), max_size - std::min(max_size, kPrefix));
    const std::size_t proof_size = std::min(proof.size(), max_size - std::min(max_size, kPrefix + key_size));
    if (max_size < kPrefix) return 0;
    const std::uint32_t length = static_cast<std::uint32_t>(key_size);
    std::memcpy(data, &length, kPrefix);
    std::copy_n(key.begin(), key_size, data + kPrefix);
    std::copy_n(proof.begin(), proof_size, data + kPrefix + key_size);
    return kPrefix + key_size + proof_size;
}

}  // namespace whorl::fuzz
