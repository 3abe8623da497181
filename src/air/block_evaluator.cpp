#include "air/block_evaluator.hpp"

#include <algorithm>
#include <limits>

namespace whorl {
namespace {

using Op = SymbolicNode::Op;

bool is_inner(const SymbolicNode& node) {
    return node.op == Op::kAdd || node.op == Op::kSub || node.op == Op::kNeg || node.op == Op::kMul;
}
bool has_right(const SymbolicNode& node) {
    return is_inner(node) && node.op != Op::kNeg;
}

bool is_current_column(const SymbolicNode& node) {
    return node.op == Op::kVariable && node.variable.entry != Variable::Entry::kPublic && node.variable.offset == 0;
}

void apply(Op op, const Fp* a, const Fp* b, Fp* out, std::size_t num_rows) {
    switch (op) {
        case Op::kAdd:
            for (std::size_t i = 0; i < num_rows; ++i) out[i] = a[i] + b[i];
            break;
        case Op::kSub:
            for (std::size_t i = 0; i < num_rows; ++i) out[i] = a[i] - b[i];
            break;
        case Op::kMul:
            for (std::size_t i = 0; i < num_rows; ++i) out[i] = a[i] * b[i];
            break;
        default:
            for (std::size_t i = 0; i < num_rows; ++i) out[i] = -a[i];
            break;
    }
}

}  // namespace

BlockEvaluator::BlockEvaluator(const AirVerifyingKey& air, const AirTrace& trace, Roots roots)
    : air_(&air), trace_(&trace) {
    // last_use[i]: the last node that reads node i; kForever for the interactions'. 0 means unused: node 0 reads nothing.
    constexpr std::uint32_t kForever = std::numeric_limits<std::uint32_t>::max();
    std::vector<std::uint32_t> last_use(air.nodes.size());
    std::vector<std::uint32_t> constraint_of(air.nodes.size(), kNoConstraint);
    for (const SymbolicInteraction& interaction : air.interactions) {
        last_use[interaction.count] = kForever;
        for (const std::uint32_t field : interaction.message) last_use[field] = kForever;
    }
    if (roots == Roots::kConstraintsAndInteractions) {
        for (std::uint32_t i = 0; i < air.constraint_idx.size(); ++i) constraint_of[air.constraint_idx[i]] = i;
    }
    for (std::uint32_t i = static_cast<std::uint32_t>(air.nodes.size()); i-- > 0;) {
        const SymbolicNode& node = air.nodes[i];
        if ((last_use[i] == 0 && constraint_of[i] == kNoConstraint) || !is_inner(node)) continue;
        last_use[node.left] = std::max(last_use[node.left], i);
        if (has_right(node)) last_use[node.right] = std::max(last_use[node.right], i);
    }

    std::vector<std::uint32_t> slot_of(air.nodes.size(), kNoSlot);
    std::vector<std::uint32_t> free_slots;
    for (std::uint32_t i = 0; i < air.nodes.size(); ++i) {
        if (last_use[i] == 0 && constraint_of[i] == kNoConstraint) continue;
        const SymbolicNode& node = air.nodes[i];
        if (!is_current_column(node)) {
            if (free_slots.empty()) free_slots.push_back(num_slots_++);
            slot_of[i] = free_slots.back();
            free_slots.pop_back();
        }
        steps_.push_back({i, slot_of[i], constraint_of[i]});
        const auto release = [&](std::uint32_t child) {
            if (last_use[child] != i || slot_of[child] == kNoSlot) return;
            free_slots.push_back(slot_of[child]);
            slot_of[child] = kNoSlot;
        };
        if (is_inner(node)) release(node.left);
        if (has_right(node)) release(node.right);
        if (last_use[i] == 0 && slot_of[i] != kNoSlot) free_slots.push_back(slot_of[i]);
    }
}

BlockEvaluator::Scratch BlockEvaluator::make_scratch() const {
    return {std::vector<Fp>(num_slots_ * kRows), std::vector<const Fp*>(air_->nodes.size())};
}

const Fp* BlockEvaluator::column(const Variable& variable) const {
    if (variable.entry == Variable::Entry::kPreprocessed) return trace_->preprocessed->column(variable.index).data();
    const bool is_cached = variable.part_index < trace_->cached_mains.size();
    const Matrix& part = is_cached ? trace_->cached_mains[variable.part_index].matrix() : trace_->common_main;
    return part.column(variable.index).data();
}

const Fp* BlockEvaluator::evaluate_leaf(const SymbolicNode& node, Fp* out, std::size_t first_row,
                                        std::size_t num_rows) const {
    const std::size_t height = trace_->height();
    switch (node.op) {
        case Op::kVariable: {
            if (node.variable.entry == Variable::Entry::kPublic) {
                std::fill_n(out, num_rows, trace_->public_values[node.variable.index]);
                return out;
            }
            const Fp* values = column(node.variable);
            if (node.variable.offset == 0) return values + first_row;
            if (first_row + num_rows < height) return values + first_row + 1;
            std::copy(values + first_row + 1, values + height, out);
            out[num_rows - 1] = values[0];
            return out;
        }
        case Op::kIsFirstRow:
            std::fill_n(out, num_rows, Fp::zero());
            if (first_row == 0) out[0] = Fp::one();
            return out;
        case Op::kIsLastRow:
        case Op::kIsTransition: {
            const bool is_last = node.op == Op::kIsLastRow;
            std::fill_n(out, num_rows, is_last ? Fp::zero() : Fp::one());
            if (first_row + num_rows == height) out[num_rows - 1] = is_last ? Fp::one() : Fp::zero();
            return out;
        }
        default:
            std::fill_n(out, num_rows, node.constant);
            return out;
    }
}

void BlockEvaluator::evaluate(std::size_t first_row, std::size_t num_rows, Scratch& scratch,
                              const OnConstraint& on_constraint) const {
    for (const Step& step : steps_) {
        const SymbolicNode& node = air_->nodes[step.node];
        Fp* out = step.slot == kNoSlot ? nullptr : scratch.slots.data() + step.slot * kRows;
        const Fp*& value = scratch.values[step.node];
        if (is_inner(node)) {
            apply(node.op, scratch.values[node.left], scratch.values[node.right], out, num_rows);
            value = out;
        } else {
            value = evaluate_leaf(node, out, first_row, num_rows);
        }
        if (step.constraint != kNoConstraint) on_constraint(step.constraint, {value, num_rows});
    }
}

}  // namespace whorl
