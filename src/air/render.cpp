#include "air/render.hpp"

#include <string_view>
#include <utility>

#include <fmt/format.h>

namespace whorl {
namespace {

using Op = SymbolicNode::Op;

// How tightly the operator of a node binds.
int precedence(const SymbolicNode& node) {
    switch (node.op) {
        case Op::kAdd:
        case Op::kSub:
            return 1;
        case Op::kNeg:
            return 2;
        case Op::kMul:
            return 3;
        default:
            return 4;
    }
}

class Renderer {
public:
    Renderer(const AirVerifyingKey& air, std::size_t max_length) : air_(air), max_length_(max_length) {}

    void add(std::uint32_t index, int min_precedence, int depth) {
        constexpr int kMaxDepth = 100;  // recursion must not follow a key's longest chain
        if (is_full_) return;
        if (text_.size() > max_length_ || depth > kMaxDepth) {
            put("…");
            is_full_ = true;
            return;
        }
        const SymbolicNode& node = air_.nodes[index];
        const int own = precedence(node);
        if (own < min_precedence) put("(");
        switch (node.op) {
            case Op::kVariable:
                put(variable_name(air_, node.variable));
                break;
            case Op::kIsFirstRow:
                put("is_first_row");
                break;
            case Op::kIsLastRow:
                put("is_last_row");
                break;
            case Op::kIsTransition:
                put("is_transition");
                break;
            case Op::kConstant:
                put(signed_value(node.constant));
                break;
            case Op::kNeg:
                put("-");
                add(node.left, own + 1, depth + 1);
                break;
            default:
                add(node.left, own, depth + 1);
                put(node.op == Op::kAdd ? " + " : node.op == Op::kSub ? " - " : " * ");
                add(node.right, own + 1, depth + 1);
                break;
        }
        if (own < min_precedence) put(")");
    }

    std::string take() { return std::move(text_); }

private:
    void put(std::string_view text) {
        if (!is_full_) text_ += text;
    }

    const AirVerifyingKey& air_;
    std::size_t max_length_;
    std::string text_;
    bool is_full_ = false;
};

}  // namespace

std::string variable_name(const AirVerifyingKey& air, const Variable& variable) {
    const char* next = variable.offset == 1 ? "next " : "";
    switch (variable.entry) {
        case Variable::Entry::kPreprocessed:
            return fmt::format("{}preprocessed[{}]", next, variable.index);
        case Variable::Entry::kMain:
            if (variable.part_index < air.width.cached_mains.size()) {
                return fmt::format("{}cached{}[{}]", next, variable.part_index, variable.index);
            }
            return fmt::format("{}main[{}]", next, variable.index);
        case Variable::Entry::kPublic:
            return fmt::format("public[{}]", variable.index);
        case Variable::Entry::kChallenge:
            break;
    }
    return fmt::format("challenge[{}]", variable.index);
}

std::string signed_value(Fp value) {
    const std::uint32_t canonical = value.canonical();
    if (canonical <= Fp::kModulus / 2) return fmt::format("{}", canonical);
    return fmt::format("-{}", Fp::kModulus - canonical);
}

std::string render_expression(const AirVerifyingKey& air, std::uint32_t root, std::size_t max_length) {
    Renderer renderer(air, max_length);
    renderer.add(root, 0, 0);
    return renderer.take();
}

std::vector<Variable> variables_of(const AirVerifyingKey& air, std::uint32_t root) {
    std::vector<bool> is_needed(root + 1);
    is_needed[root] = true;
    for (std::uint32_t i = root + 1; i-- > 0;) {
        const SymbolicNode& node = air.nodes[i];
        if (!is_needed[i] || precedence(node) == 4) continue;
        is_needed[node.left] = true;
        if (node.op != Op::kNeg) is_needed[node.right] = true;
    }
    std::vector<Variable> variables;
    for (std::uint32_t i = 0; i <= root; ++i) {
        if (is_needed[i] && air.nodes[i].op == Op::kVariable) variables.push_back(air.nodes[i].variable);
    }
    return variables;
}

}  // namespace whorl
