#include "air/program.hpp"

#include <algorithm>
#include <limits>
#include <map>
#include <tuple>

namespace whorl {
namespace {

using Op = SymbolicNode::Op;
constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();

bool is_binary(Op op) {
    return op == Op::kAdd || op == Op::kSub || op == Op::kMul;
}
bool is_public(const SymbolicNode& n) {
    return n.op == Op::kVariable &&
           (n.variable.entry == Variable::Entry::kPublic || n.variable.entry == Variable::Entry::kChallenge);
}

class Compiler {
public:
    Compiler(const AirVerifyingKey& air, const std::vector<bool>& reads_trace, const ProgramRequest& request,
             std::vector<std::uint32_t>& place, std::vector<std::uint32_t>& last_use)
        : air_(air), request_(request), reads_trace_(reads_trace), place_(place), last_use_(last_use) {}

    ConstraintProgram compile() {
        collect_terms();
        order_cone();
        find_last_uses();
        assign_inputs();
        for (const std::uint32_t node : cone_) {
            if (is_inner(node)) emit(node);
            emit_uses(node);
            release_if_done(node, node);
        }
        for (const std::uint32_t node : cone_) place_[node] = last_use_[node] = kNone;
        program_.num_sums = request_.num_sums;
        program_.num_outputs = static_cast<std::uint32_t>(request_.stores.size());
        return std::move(program_);
    }

private:
    bool is_inner(std::uint32_t node) const {
        const Op op = air_.nodes[node].op;
        return is_binary(op) || op == Op::kNeg;
    }

    // Terms by node, one for each (node, sum).
    void collect_terms() {
        for (const auto& term : request_.terms) terms_of_[term.node].push_back(term.sum);
        for (auto& [node, sums] : terms_of_) {
            std::ranges::sort(sums);
            sums.erase(std::ranges::unique(sums).begin(), sums.end());
            if (reads_trace_[node]) continue;
            for (const std::uint32_t sum : sums) program_.constant_terms.push_back({sum, node});
        }
        for (std::uint32_t i = 0; i < request_.stores.size(); ++i) stores_of_[request_.stores[i]].push_back(i);
    }

    // The nodes that read the trace and that something requested is computed from, operands first and each as late as
    // depth first allows: few registers live at once. last_use_[n] becomes n.
    void order_cone() {
        struct Pending {
            std::uint32_t node;
            bool has_operands;
        };
        std::vector<Pending> pending;
        const auto reach = [&](std::uint32_t node) {
            if (reads_trace_[node] && last_use_[node] == kNone) pending.push_back({node, false});
        };
        const auto order_from = [&](std::uint32_t root) {
            reach(root);
            while (!pending.empty()) {
                const auto [node, has_operands] = pending.back();
                if (last_use_[node] != kNone) {
                    pending.pop_back();
                } else if (has_operands || !is_inner(node)) {
                    pending.pop_back();
                    last_use_[node] = node;
                    cone_.push_back(node);
                } else {
                    pending.back().has_operands = true;
                    if (is_binary(air_.nodes[node].op)) reach(air_.nodes[node].right);
                    reach(air_.nodes[node].left);
                }
            }
        };
        for (const auto& [node, sums] : terms_of_) order_from(node);
        for (const auto& [node, outputs] : stores_of_) order_from(node);
    }

    // last_use_[n]: the last node computed from n, n itself where only sums or outputs use it.
    void find_last_uses() {
        for (const std::uint32_t node : cone_) {
            if (!is_inner(node)) continue;
            const SymbolicNode& n = air_.nodes[node];
            for (const std::uint32_t child : {n.left, is_binary(n.op) ? n.right : n.left}) {
                if (reads_trace_[child]) last_use_[child] = node;
            }
        }
    }

    void assign_inputs() {
        // Inputs by (kind, entry, part, offset, column) so that a column's two rows are neighbours of their kind.
        std::map<std::tuple<int, int, std::uint32_t, std::uint32_t, std::uint32_t>, std::vector<std::uint32_t>> found;
        for (const std::uint32_t node : cone_) {
            if (is_inner(node)) continue;
            const SymbolicNode& n = air_.nodes[node];
            const Variable& v = n.variable;
            found[{static_cast<int>(n.op), static_cast<int>(v.entry), v.part_index, v.offset, v.index}].push_back(node);
        }
        for (const auto& [key, nodes] : found) {
            const SymbolicNode& n = air_.nodes[nodes.front()];
            using Kind = ConstraintProgram::Input::Kind;
            const Kind kind = n.op == Op::kVariable     ? Kind::kVariable
                              : n.op == Op::kIsFirstRow ? Kind::kIsFirstRow
                              : n.op == Op::kIsLastRow  ? Kind::kIsLastRow
                                                        : Kind::kIsTransition;
            for (const std::uint32_t node : nodes) place_[node] = program_.num_inputs();
            program_.inputs.push_back({kind, n.variable});
        }
    }

    std::uint32_t constant(std::uint32_t node, bool is_negated) {
        const auto [it, is_new] = constant_index_.try_emplace({node, is_negated}, program_.constants.size());
        if (is_new) program_.constants.push_back({node, is_negated});
        return it->second;
    }

    void emit(std::uint32_t node) {
        using C = ConstraintProgram::Op;
        const SymbolicNode& n = air_.nodes[node];
        ConstraintProgram::Instruction out{C::kNeg, 0, 0, 0};
        if (n.op == Op::kNeg) {
            out = {C::kNeg, 0, place_[n.left], 0};
        } else if (!reads_trace_[n.right]) {
            out.a = place_[n.left];
            out.op = n.op == Op::kMul ? C::kMulConstant : C::kAddConstant;
            out.b = constant(n.right, n.op == Op::kSub);
        } else if (!reads_trace_[n.left]) {
            out.a = place_[n.right];
            out.op = n.op == Op::kMul ? C::kMulConstant : n.op == Op::kAdd ? C::kAddConstant : C::kConstantMinus;
            out.b = constant(n.left, false);
        } else {
            out = {n.op == Op::kAdd   ? C::kAdd
                   : n.op == Op::kSub ? C::kSub
                                      : C::kMul,
                   0, place_[n.left], place_[n.right]};
        }
        // Operands used here for the last time give their register to the result.
        release_if_done(n.left, node);
        if (is_binary(n.op) && n.right != n.left) release_if_done(n.right, node);
        out.dst = take_register();
        place_[node] = out.dst;
        program_.code.push_back(out);
    }

    void emit_uses(std::uint32_t node) {
        using C = ConstraintProgram::Op;
        if (const auto it = terms_of_.find(node); it != terms_of_.end()) {
            for (const std::uint32_t sum : it->second) {
                program_.code.push_back(
                    {C::kAccumulate, sum, place_[node], static_cast<std::uint32_t>(program_.terms.size())});
                program_.terms.push_back({sum, node});
            }
        }
        if (const auto it = stores_of_.find(node); it != stores_of_.end()) {
            for (const std::uint32_t output : it->second) program_.code.push_back({C::kStore, output, place_[node], 0});
        }
    }

    std::uint32_t take_register() {
        if (!free_.empty()) {
            const std::uint32_t r = free_.back();
            free_.pop_back();
            return r;
        }
        return program_.num_inputs() + program_.num_registers++;
    }
    void release_if_done(std::uint32_t node, std::uint32_t user) {
        if (is_inner(node) && reads_trace_[node] && last_use_[node] == user) free_.push_back(place_[node]);
    }

    const AirVerifyingKey& air_;
    const ProgramRequest& request_;
    const std::vector<bool>& reads_trace_;
    // Of all nodes, kNone outside of compile().
    std::vector<std::uint32_t>& place_;
    std::vector<std::uint32_t>& last_use_;
    std::vector<std::uint32_t> cone_;
    std::map<std::uint32_t, std::vector<std::uint32_t>> terms_of_;
    std::map<std::uint32_t, std::vector<std::uint32_t>> stores_of_;
    std::map<std::pair<std::uint32_t, bool>, std::uint32_t> constant_index_;
    std::vector<std::uint32_t> free_;
    ConstraintProgram program_;
};

}  // namespace

ProgramCompiler::ProgramCompiler(const AirVerifyingKey& air)
    : air_(air), reads_trace_(nodes_reading_trace(air)), place_(air.nodes.size(), kNone), last_use_(place_) {}

ConstraintProgram ProgramCompiler::compile(const ProgramRequest& request) {
    return Compiler(air_, reads_trace_, request, place_, last_use_).compile();
}

ConstraintProgram compile_program(const AirVerifyingKey& air, const ProgramRequest& request) {
    return ProgramCompiler(air).compile(request);
}

std::vector<bool> nodes_reading_trace(const AirVerifyingKey& air) {
    std::vector<bool> reads(air.nodes.size());
    for (std::size_t i = 0; i < air.nodes.size(); ++i) {
        const SymbolicNode& n = air.nodes[i];
        switch (n.op) {
            case Op::kConstant:
                reads[i] = false;
                break;
            case Op::kVariable:
                reads[i] = !is_public(n);
                break;
            case Op::kIsFirstRow:
            case Op::kIsLastRow:
            case Op::kIsTransition:
                reads[i] = true;
                break;
            case Op::kNeg:
                reads[i] = reads[n.left];
                break;
            case Op::kAdd:
            case Op::kSub:
            case Op::kMul:
                reads[i] = reads[n.left] || reads[n.right];
                break;
        }
    }
    return reads;
}

std::vector<Fp> constant_node_values(const AirVerifyingKey& air, const std::vector<bool>& reads_trace,
                                     std::span<const Fp> public_values) {
    std::vector<Fp> values(air.nodes.size());
    for (std::size_t i = 0; i < air.nodes.size(); ++i) {
        if (reads_trace[i]) continue;
        const SymbolicNode& n = air.nodes[i];
        switch (n.op) {
            case Op::kConstant:
                values[i] = n.constant;
                break;
            case Op::kVariable:
                values[i] = public_values[n.variable.index];
                break;
            case Op::kNeg:
                values[i] = -values[n.left];
                break;
            case Op::kAdd:
                values[i] = values[n.left] + values[n.right];
                break;
            case Op::kSub:
                values[i] = values[n.left] - values[n.right];
                break;
            case Op::kMul:
                values[i] = values[n.left] * values[n.right];
                break;
            default:
                break;
        }
    }
    return values;
}

std::vector<std::uint32_t> node_degrees(const AirVerifyingKey& air) {
    std::vector<std::uint32_t> degrees(air.nodes.size());
    for (std::size_t i = 0; i < air.nodes.size(); ++i) {
        const SymbolicNode& n = air.nodes[i];
        switch (n.op) {
            case Op::kConstant:
                degrees[i] = 0;
                break;
            case Op::kVariable:
                degrees[i] = is_public(n) ? 0 : 1;
                break;
            case Op::kIsFirstRow:
            case Op::kIsLastRow:
            case Op::kIsTransition:
                degrees[i] = 1;
                break;
            case Op::kNeg:
                degrees[i] = degrees[n.left];
                break;
            case Op::kAdd:
            case Op::kSub:
                degrees[i] = std::max(degrees[n.left], degrees[n.right]);
                break;
            case Op::kMul:
                degrees[i] = degrees[n.left] + degrees[n.right];
                break;
        }
    }
    return degrees;
}

}  // namespace whorl
