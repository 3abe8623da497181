// Links whorl::verifier: bytes that are no key are refused.
#include <whorl/key.hpp>
#include <whorl/version.hpp>

#include <array>
#include <cstddef>
#include <cstdio>

int main() {
    constexpr std::array<std::byte, 3> kNoKey{};
    const auto key = whorl::decode_verifying_key(kNoKey);
    if (key) return std::puts("three zero bytes were taken for a key"), 1;
    std::printf("whorl %s: %s\n", WHORL_VERSION, to_string(key.error()).c_str());
    return 0;
}
