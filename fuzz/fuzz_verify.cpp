// A hostile key and a hostile proof: verify must come to an answer, whatever it is.
#include <whorl/verify.hpp>

#include "input.hpp"
#include "proof/key_codec.hpp"

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t max_size,
                                               unsigned seed) {
    return whorl::fuzz::mutate(data, size, max_size, seed);
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace whorl;
    const fuzz::Input input = fuzz::split(data, size);
    // The pre-hash is taken as it is: recomputed after a mutation of the key it would change every challenge, and no
    // proof would get beyond the first proof of work.
    const auto key = decode_verifying_key(input.key, PreHashCheck::kIgnore);
    if (!key) return 0;
    const auto proof = decode_proof(input.proof);
    if (!proof) return 0;
    const auto verdict = verify(*key, *proof);
    if (!verdict && to_string(verdict.error()).empty()) __builtin_trap();
    return 0;
}
