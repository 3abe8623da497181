// The memory that a proof takes on this machine, before it is made.
#pragma once

#include <cstdint>

#include <whorl/device.hpp>
#include <whorl/params.hpp>

#include "prover/input.hpp"

namespace whorl::cpu {

/// Codewords and Merkle tree of one commitment of `width` stacked columns.
std::uint64_t commitment_bytes(const SystemParams& params, std::uint64_t width);

/// The large buffers of a proof, beyond its input, by stage; no arena holds them, so their offsets are 0. Buffers whose size
/// depends neither on heights nor on widths are left out, so a proof takes a little more than the plan's peak (a test compares
/// the two).
MemoryPlan plan_memory(const ProofShape& shape);

}  // namespace whorl::cpu
