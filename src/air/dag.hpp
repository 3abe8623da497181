// From expressions to the constraint DAG that a key holds: simplified, and each node stored once (PROTOCOL.md 6.4).
// The node order is hashed into the key, so every step here is part of the protocol.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <whorl/air.hpp>
#include <whorl/key.hpp>

namespace whorl {

struct ConstraintDag {
    std::vector<SymbolicNode> nodes;
    std::vector<std::uint32_t> constraint_idx;  ///< ascending, without repeats
    std::vector<SymbolicInteraction> interactions;
    /// Of each constraint as it was given, its position in constraint_idx: the number by which messages name it.
    std::vector<std::uint32_t> position_of;
};

/// Adds the constraints in order, then of each interaction its message in order and its count.
ConstraintDag build_constraint_dag(std::span<const Expr> constraints, std::span<const Interaction<Expr>> interactions);

}  // namespace whorl
