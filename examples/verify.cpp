// Verify a proof that arrives as bytes, with the verifier alone (whorl::verifier).
//
//   example_verify KEY_FILE PROOF_FILE        exit code: 0 accepted, 1 rejected, 2 no answer
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <optional>
#include <vector>

#include <whorl/error.hpp>
#include <whorl/key.hpp>
#include <whorl/proof.hpp>
#include <whorl/verify.hpp>

namespace {

constexpr std::uint64_t kMaxKeyBytes = std::uint64_t{64} << 20;

// The file's bytes; nothing where it cannot be read or is longer than `limit`.
std::optional<std::vector<std::byte>> read_file(const char* path, std::uint64_t limit) {
    std::ifstream in(path, std::ios::binary | std::ios::ate);
    const std::streamoff size = in ? static_cast<std::streamoff>(in.tellg()) : -1;
    if (size < 0 || static_cast<std::uint64_t>(size) > limit) return std::nullopt;
    std::vector<std::byte> bytes(static_cast<std::size_t>(size));
    in.seekg(0);
    if (!in.read(reinterpret_cast<char*>(bytes.data()), size)) return std::nullopt;
    return bytes;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 3) return std::fprintf(stderr, "usage: %s KEY_FILE PROOF_FILE\n", argv[0]), 2;

    // The key decides what is proved, so it must come from someone you trust. Decoding checks that it is well made.
    const auto key_bytes = read_file(argv[1], kMaxKeyBytes);
    if (!key_bytes) return std::fprintf(stderr, "cannot read a key from %s\n", argv[1]), 2;
    const auto key = whorl::decode_verifying_key(*key_bytes);
    if (!key) return std::fprintf(stderr, "%s\n", to_string(key.error()).c_str()), 2;

    // The proof may come from anyone. No proof longer than this is accepted under the key.
    const auto proof_bytes = read_file(argv[2], whorl::max_proof_bytes(*key));
    if (!proof_bytes) return std::fprintf(stderr, "cannot read a proof from %s\n", argv[2]), 2;
    const auto proof = whorl::decode_proof(*proof_bytes);
    if (!proof) return std::fprintf(stderr, "%s\n", to_string(proof.error()).c_str()), 2;

    const auto verdict = whorl::verify(*key, *proof);
    if (!verdict && !whorl::is_judgement(verdict.error().kind)) {
        return std::fprintf(stderr, "%s\n", to_string(verdict.error()).c_str()), 2;
    }
    std::printf("%s\n", verdict ? "accepted" : ("rejected: " + to_string(verdict.error())).c_str());
    return verdict ? 0 : 1;
}
