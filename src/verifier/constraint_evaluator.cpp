#include "verifier/constraint_evaluator.hpp"

namespace whorl::verifier {
namespace {

Fp4 variable_value(const Context& context, std::uint32_t trace, const Variable& variable) {
    const AirVerifyingKey& air = context.air(trace);
    if (variable.entry == Variable::Entry::kPublic) {
        return Fp4(context.proof.public_values[context.layout.traces[trace].air_id][variable.index]);
    }
    PartRef part{PartRef::Kind::kPreprocessed, trace, 0};
    if (variable.entry == Variable::Entry::kMain) {
        // In the DAG the common main part comes last.
        const bool is_common = variable.part_index == air.width.cached_mains.size();
        part = {is_common ? PartRef::Kind::kCommonMain : PartRef::Kind::kCachedMain, trace, variable.part_index};
    }
    const OpeningPair pair = opening_pair(part_openings(context, part), variable.index, air.need_rot);
    return variable.offset == 0 ? pair.plain : pair.rotated;
}

bool is_base(const SymbolicNode& node) {
    return node.op == SymbolicNode::Op::kConstant ||
           (node.op == SymbolicNode::Op::kVariable && node.variable.entry == Variable::Entry::kPublic);
}

}  // namespace

std::vector<Fp4> evaluate_nodes(const Context& context, std::uint32_t trace, const RowSelectors& selectors) {
    using Op = SymbolicNode::Op;
    const std::vector<SymbolicNode>& nodes = context.air(trace).nodes;
    std::vector<Fp4> values(nodes.size());
    for (std::size_t i = 0; i < nodes.size(); ++i) {
        const SymbolicNode& node = nodes[i];
        switch (node.op) {
            case Op::kVariable:
                values[i] = variable_value(context, trace, node.variable);
                break;
            case Op::kIsFirstRow:
                values[i] = selectors.is_first;
                break;
            case Op::kIsLastRow:
                values[i] = selectors.is_last;
                break;
            case Op::kIsTransition:
                values[i] = Fp4::one() - selectors.is_last;
                break;
            case Op::kConstant:
                values[i] = Fp4(node.constant);
                break;
            case Op::kAdd:
                values[i] = values[node.left] + values[node.right];
                break;
            case Op::kSub:
                values[i] = values[node.left] - values[node.right];
                break;
            case Op::kNeg:
                values[i] = -values[node.left];
                break;
            case Op::kMul:
                if (is_base(nodes[node.left])) {
                    values[i] = values[node.left].c[0] * values[node.right];
                } else if (is_base(nodes[node.right])) {
                    values[i] = values[node.left] * values[node.right].c[0];
                } else {
                    values[i] = values[node.left] * values[node.right];
                }
                break;
        }
    }
    return values;
}

}  // namespace whorl::verifier
