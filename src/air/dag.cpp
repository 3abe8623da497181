#include "air/dag.hpp"

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <unordered_map>

namespace whorl {
namespace {

using Op = SymbolicNode::Op;

struct NodeHash {
    std::size_t operator()(const SymbolicNode& node) const {
        std::uint64_t hash = static_cast<std::uint64_t>(node.op);
        const auto mix = [&hash](std::uint64_t x) {
            hash = (hash ^ x) * 0x9e3779b97f4a7c15;
            hash ^= hash >> 29;
        };
        mix(std::uint64_t{node.left} << 32 | node.right);
        mix(std::uint64_t{node.degree} << 32 | node.constant.montgomery());
        mix(std::uint64_t{node.variable.part_index} << 32 | node.variable.index);
        mix(std::uint64_t{node.variable.offset} << 8 | static_cast<std::uint64_t>(node.variable.entry));
        return hash;
    }
};

class DagBuilder {
public:
    /// The node index of `root`. Its children are added first, left before right, without recursion: sums over many
    /// columns are deep.
    std::uint32_t add(const Expr& root) {
        pending_.push_back({&root.node(), false});
        while (!pending_.empty()) {
            const auto [node, children_done] = pending_.back();
            pending_.pop_back();
            if (index_of_.contains(node)) continue;
            if (!children_done && node->left) {
                pending_.push_back({node, true});
                if (node->right) pending_.push_back({node->right.get(), false});
                pending_.push_back({node->left.get(), false});
                continue;
            }
            index_of_.emplace(node, node->left ? simplify(*node) : intern(leaf(*node)));
        }
        return index_of_.at(&root.node());
    }

    std::vector<SymbolicNode> take_nodes() { return std::move(nodes_); }

private:
    struct Pending {
        const Expr::Node* node;
        bool children_done;
    };

    static SymbolicNode leaf(const Expr::Node& node) {
        return {.op = node.op, .variable = node.variable, .constant = node.constant};
    }
    static SymbolicNode constant(Fp value) { return {.op = Op::kConstant, .variable = {}, .constant = value}; }

    std::uint32_t intern(const SymbolicNode& node) {
        const auto [entry, is_new] = interned_.try_emplace(node, static_cast<std::uint32_t>(nodes_.size()));
        if (is_new) nodes_.push_back(node);
        return entry->second;
    }

    bool is_constant(std::uint32_t index) const { return nodes_[index].op == Op::kConstant; }
    bool is_constant(std::uint32_t index, Fp value) const {
        return is_constant(index) && nodes_[index].constant == value;
    }
    bool is_negation(std::uint32_t index) const { return nodes_[index].op == Op::kNeg; }

    // The rewrites, in the order of PROTOCOL.md 6.4. Children that fall away stay in the list.
    std::uint32_t simplify(const Expr::Node& node) {
        const std::uint32_t left = index_of_.at(node.left.get());
        const auto inner = [&](Op op, std::uint32_t a, std::uint32_t b) {
            return intern({.op = op, .variable = {}, .constant = {}, .left = a, .right = b, .degree = node.degree});
        };
        if (node.op == Op::kNeg) {
            return is_constant(left) ? intern(constant(-nodes_[left].constant)) : inner(Op::kNeg, left, 0);
        }
        const std::uint32_t right = index_of_.at(node.right.get());
        const bool both_constant = is_constant(left) && is_constant(right);
        const Fp a = nodes_[left].constant;  // zero where there is none
        const Fp b = nodes_[right].constant;
        switch (node.op) {
            case Op::kAdd:
                if (both_constant) return intern(constant(a + b));
                if (is_constant(left, Fp::zero())) return right;
                if (is_constant(right, Fp::zero())) return left;
                if (is_negation(right)) return inner(Op::kSub, left, nodes_[right].left);
                return inner(Op::kAdd, left, right);
            case Op::kSub:
                if (both_constant) return intern(constant(a - b));
                if (is_constant(right, Fp::zero())) return left;
                if (is_negation(right)) return inner(Op::kAdd, left, nodes_[right].left);
                return inner(Op::kSub, left, right);
            default:
                assert(node.op == Op::kMul);
                if (both_constant) return intern(constant(a * b));
                if (is_constant(left, Fp::zero()) || is_constant(right, Fp::one())) return left;
                if (is_constant(right, Fp::zero()) || is_constant(left, Fp::one())) return right;
                return inner(Op::kMul, left, right);
        }
    }

    std::vector<Pending> pending_;
    std::unordered_map<const Expr::Node*, std::uint32_t> index_of_;
    std::unordered_map<SymbolicNode, std::uint32_t, NodeHash> interned_;
    std::vector<SymbolicNode> nodes_;
};

}  // namespace

ConstraintDag build_constraint_dag(std::span<const Expr> constraints, std::span<const Interaction<Expr>> interactions) {
    ConstraintDag dag;
    DagBuilder builder;
    for (const Expr& constraint : constraints) dag.constraint_idx.push_back(builder.add(constraint));
    const std::vector<std::uint32_t> nodes = dag.constraint_idx;
    std::sort(dag.constraint_idx.begin(), dag.constraint_idx.end());
    const auto repeats = std::unique(dag.constraint_idx.begin(), dag.constraint_idx.end());
    dag.constraint_idx.erase(repeats, dag.constraint_idx.end());
    for (const std::uint32_t node : nodes) {
        const auto found = std::lower_bound(dag.constraint_idx.begin(), dag.constraint_idx.end(), node);
        dag.position_of.push_back(static_cast<std::uint32_t>(found - dag.constraint_idx.begin()));
    }

    for (const Interaction<Expr>& interaction : interactions) {
        SymbolicInteraction& added = dag.interactions.emplace_back();
        added.bus_index = interaction.bus_index;
        added.count_weight = interaction.count_weight;
        for (const Expr& field : interaction.message) added.message.push_back(builder.add(field));
        added.count = builder.add(interaction.count);
    }
    dag.nodes = builder.take_nodes();
    return dag;
}

}  // namespace whorl
