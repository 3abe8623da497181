// Key generation (PROTOCOL.md 6.4 to 6.6), all but the pre-hash: that hashes encoded bytes, which this room knows
// nothing of.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include <whorl/air.hpp>
#include <whorl/key.hpp>
#include <whorl/params.hpp>
#include <whorl/prove.hpp>

namespace whorl {

/// Commits to one preprocessed matrix (commit_matrix of prove.hpp).
using CommitFunction = std::function<Result<MatrixCommitment>(const SystemParams&, const Matrix&)>;

/// keygen() of air.hpp with vk.pre_hash left zero.
Result<ProvingKey> generate_keys(const SystemParams& params, std::span<const AnyAir> airs,
                                 const CommitFunction& commit);

/// The columns that no node reads, in the key's order (PROTOCOL.md 6.5). Every variable of `nodes` lies inside `widths`.
std::vector<Variable> find_unused_variables(std::span<const SymbolicNode> nodes, const TraceWidths& widths,
                                            bool need_rot);

}  // namespace whorl
