// Evaluates an AIR's DAG on blocks of rows of its trace, straight from the columns.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include <whorl/field.hpp>
#include <whorl/key.hpp>
#include <whorl/trace.hpp>

namespace whorl {

class BlockEvaluator {
public:
    /// Rows evaluated together: long enough to vectorise, short enough that the live values of a large AIR stay in cache.
    static constexpr std::size_t kRows = 128;

    enum class Roots { kConstraintsAndInteractions, kInteractions };

    /// `trace` must have the shape of `air`; both must outlive the evaluator. Nodes that `roots` do not need are skipped.
    BlockEvaluator(const AirVerifyingKey& air, const AirTrace& trace, Roots roots);

    /// One thread's memory, reused from block to block.
    struct Scratch {
        std::vector<Fp> slots;
        std::vector<const Fp*> values;  ///< [node][row of the block]
    };
    Scratch make_scratch() const;

    /// Called with a constraint's position in constraint_idx and its values on the block's rows.
    using OnConstraint = std::function<void(std::uint32_t constraint, std::span<const Fp> values)>;

    /// Evaluates rows first_row … first_row + num_rows (num_rows ≤ kRows). Afterwards the values of the interactions'
    /// nodes are at scratch.values; those of other nodes may be overwritten.
    void evaluate(std::size_t first_row, std::size_t num_rows, Scratch& scratch,
                  const OnConstraint& on_constraint) const;

private:
    static constexpr std::uint32_t kNoSlot = static_cast<std::uint32_t>(-1);
    static constexpr std::uint32_t kNoConstraint = static_cast<std::uint32_t>(-1);

    struct Step {
        std::uint32_t node = 0;
        std::uint32_t slot = kNoSlot;  // where the value goes; columns of the current row need none
        std::uint32_t constraint = kNoConstraint;
    };

    const Fp* column(const Variable& variable) const;
    const Fp* evaluate_leaf(const SymbolicNode& node, Fp* out, std::size_t first_row, std::size_t num_rows) const;

    const AirVerifyingKey* air_;
    const AirTrace* trace_;
    std::vector<Step> steps_;
    std::uint32_t num_slots_ = 0;
};

}  // namespace whorl
