#include "machine/poison.hpp"

#include <atomic>
#include <cstdlib>
#include <cstring>

namespace whorl {
namespace {

constexpr int kNone = -1;

int from_environment() {
    const char* text = std::getenv("WHORL_POISON");
    if (text == nullptr || *text == '\0') return kNone;
    return static_cast<int>(std::strtoul(text, nullptr, 0) & 0xFF);
}

std::atomic<int>& current() {
    static std::atomic<int> byte{from_environment()};
    return byte;
}

}  // namespace

std::optional<std::uint8_t> poison() {
    const int byte = current().load(std::memory_order_relaxed);
    if (byte == kNone) return std::nullopt;
    return static_cast<std::uint8_t>(byte);
}

void set_poison(std::optional<std::uint8_t> byte) {
    current().store(byte ? *byte : kNone);
}

void poison_fresh(void* memory, std::size_t bytes) {
    if (const auto byte = poison(); byte && bytes != 0) std::memset(memory, *byte, bytes);
}

}  // namespace whorl
