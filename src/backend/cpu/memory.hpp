// The memory that a proof takes on this machine, before it is made.
#pragma once

#include <cstdint>

#include <whorl/params.hpp>

#include "prover/input.hpp"

namespace whorl::cpu {

/// Codewords and Merkle tree of one commitment of `width` stacked columns.
std::uint64_t commitment_bytes(const SystemParams& params, std::uint64_t width);

/// The most that the large buffers of a proof take together, beyond its input. Buffers whose size depends neither on heights nor
/// on widths are left out, so a proof takes a little more (a test compares the two).
std::uint64_t peak_bytes(const ProverInput& input);

}  // namespace whorl::cpu
