// The row by row check behind check_constraints (whorl/check.hpp), for traces that fit their key.
#pragma once

#include <span>

#include <whorl/check.hpp>

namespace whorl {

/// check_constraints. Precondition: check_traces(vk, traces).
CheckReport check_rows(const VerifyingKey& vk, std::span<const AirTrace> traces, const KeyNotes& notes);

}  // namespace whorl
