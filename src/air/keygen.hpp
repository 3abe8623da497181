// Key generation (PROTOCOL.md 6.4 to 6.6), all but the pre-hash: that hashes encoded bytes, which this room knows
// nothing of.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <utility>
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

/// trace_height_bounds in the key's form: a coefficient for each AIR.
Result<std::vector<TraceHeightConstraint>> trace_height_constraints(const SystemParams& params,
                                                                    std::span<const AirVerifyingKey> airs);

/// A trace height constraint and what it protects.
struct TraceHeightBound {
    std::optional<std::uint16_t> bus;  ///< the bus whose counts must not wrap; none: the number of interactions
    std::vector<std::pair<std::uint32_t, std::uint64_t>> weights;  ///< (AIR, coefficient ≠ 0), ascending AIRs
    std::uint32_t threshold = 0;
};

/// Per bus and over all buses, without those that another one implies, in the key's order (PROTOCOL.md 6.6). Takes memory
/// linear in the number of interactions.
/// Errors: kInvalidArgument when a coefficient exceeds 32 bits, a weighted sum of heights could exceed 64 bits, or there are
/// more than kMaxBuses buses.
Result<std::vector<TraceHeightBound>> trace_height_bounds(const SystemParams& params,
                                                          std::span<const AirVerifyingKey> airs);

}  // namespace whorl
