// Fresh memory filled with a byte, for as long as a test wants it.
#pragma once

#include <cstdint>
#include <optional>

#include "machine/poison.hpp"

namespace whorl::test {

class Poisoned {
public:
    explicit Poisoned(std::uint8_t byte) : before_(poison()) { set_poison(byte); }
    ~Poisoned() { set_poison(before_); }
    Poisoned(const Poisoned&) = delete;
    Poisoned& operator=(const Poisoned&) = delete;

private:
    std::optional<std::uint8_t> before_;
};

}  // namespace whorl::test
