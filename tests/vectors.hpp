// The stored tasks (tests/vectors/README.md), for every suite.
#pragma once

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <vector>

#include <whorl/key.hpp>
#include <whorl/proof.hpp>

namespace whorl::test {

inline const std::vector<std::string> kVectorNames = {
    "cached",
    "fib_2e5",
    "fib_height_1",
    "fib_three_airs_one_absent",
    "interactions",
    "keccak_5_perms",
    "keccakf_1024",
    "mixture",
    "mixture_app_100_bits",
    "mixture_l_skip_5",
    "preprocessed",
    "preprocessed_and_cached",
    "self_interactions",
};

inline std::filesystem::path vector_path(const std::string& name, const std::string& file) {
    return std::filesystem::path(WHORL_TEST_VECTORS) / name / file;
}

inline std::vector<std::byte> read_file(const std::filesystem::path& path) {
    std::ifstream in(path, std::ios::binary);
    if (!in) throw std::runtime_error("cannot read " + path.string());
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    const auto* data = reinterpret_cast<const std::byte*>(text.data());
    return {data, data + text.size()};
}

inline std::vector<std::byte> key_bytes(const std::string& vector) {
    return read_file(vector_path(vector, "vk.postcard"));
}
inline std::vector<std::byte> proof_bytes(const std::string& vector) {
    return read_file(vector_path(vector, "proof.bin"));
}

template <class T>
T value_of(Result<T> result) {
    if (!result) throw std::runtime_error(to_string(result.error()));
    return *std::move(result);
}
inline VerifyingKey load_key(const std::string& vector) {
    return value_of(decode_verifying_key(key_bytes(vector)));
}
inline Proof load_proof(const std::string& vector) {
    return value_of(decode_proof(proof_bytes(vector)));
}

}  // namespace whorl::test
