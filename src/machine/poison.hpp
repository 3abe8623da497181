// A pattern for memory that nobody has written yet, so that tests see when its contents reach a result.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

namespace whorl {

/// The byte that fresh memory is filled with; none: it stays as the system gave it. It begins as WHORL_POISON in the
/// environment (0 to 255), for whole test runs.
std::optional<std::uint8_t> poison();
/// For tests; for all threads.
void set_poison(std::optional<std::uint8_t> byte);

/// Fills memory that was just obtained, where tests ask for it.
void poison_fresh(void* memory, std::size_t bytes);

}  // namespace whorl
