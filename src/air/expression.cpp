#include <algorithm>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include <whorl/air.hpp>

namespace whorl {
namespace {

using Op = SymbolicNode::Op;
using NodePointer = std::shared_ptr<const Expr::Node>;

NodePointer make_leaf(Op op, std::uint32_t degree) {
    auto node = std::make_shared<Expr::Node>();
    node->op = op;
    node->degree = degree;
    return node;
}

// Repeated squaring in an AIR must not wrap around to a degree that looks harmless.
std::uint32_t saturating_sum(std::uint32_t a, std::uint32_t b) {
    return a > std::numeric_limits<std::uint32_t>::max() - b ? std::numeric_limits<std::uint32_t>::max() : a + b;
}

// Ends what only `node` keeps: unique left children are rotated up until there is none, so that no list is needed.
void release(NodePointer node) {
    while (node && node.use_count() == 1) {
        if (NodePointer left = std::move(node->left)) {
            if (left.use_count() != 1) continue;
            node->left = std::move(left->right);
            left->right = std::move(node);
            node = std::move(left);
        } else {
            node = std::exchange(node->right, nullptr);
        }
    }
}

}  // namespace

Expr::Node::~Node() {
    release(std::move(left));
    release(std::move(right));
}

Expr::Expr(Fp constant) {
    auto node = std::make_shared<Node>();
    node->constant = constant;
    node_ = std::move(node);
}

Expr Expr::variable(const Variable& variable) {
    auto node = std::make_shared<Node>();
    node->op = Op::kVariable;
    node->variable = variable;
    const bool is_column = variable.entry == Variable::Entry::kMain || variable.entry == Variable::Entry::kPreprocessed;
    node->degree = is_column ? 1 : 0;
    return Expr(std::move(node));
}

Expr Expr::is_first_row() {
    return Expr(make_leaf(Op::kIsFirstRow, 1));
}
Expr Expr::is_last_row() {
    return Expr(make_leaf(Op::kIsLastRow, 1));
}
Expr Expr::is_transition() {
    return Expr(make_leaf(Op::kIsTransition, 1));
}

std::uint32_t Expr::degree() const {
    return node_->degree;
}

Expr Expr::operator-() const {
    auto node = std::make_shared<Node>();
    node->op = Op::kNeg;
    node->degree = degree();
    node->left = node_;
    return Expr(std::move(node));
}

Expr Expr::binary(Op op, const Expr& a, const Expr& b) {
    auto node = std::make_shared<Node>();
    node->op = op;
    node->degree = op == Op::kMul ? saturating_sum(a.degree(), b.degree()) : std::max(a.degree(), b.degree());
    node->left = a.node_;
    node->right = b.node_;
    return Expr(std::move(node));
}

SymbolicBuilder::SymbolicBuilder(const TraceWidths& widths, std::uint32_t num_public_values)
    : fault_(std::make_shared<std::optional<Row<Expr>::Fault>>()),
      is_first_row_(Expr::is_first_row()),
      is_last_row_(Expr::is_last_row()),
      is_transition_(Expr::is_transition()) {
    const auto num_cached = static_cast<std::uint32_t>(widths.cached_mains.size());
    for (std::uint32_t part = 0; part < num_cached; ++part) {
        cached_mains_.push_back(
            window(Variable::Entry::kMain, part, widths.cached_mains[part], fmt::format("cached main {}", part)));
    }
    common_main_ = window(Variable::Entry::kMain, num_cached, widths.common_main, "the common main");
    no_part_ = window(Variable::Entry::kMain, 0, 0, fmt::format("a cached main beyond the {} there are", num_cached));
    preprocessed_ = window(Variable::Entry::kPreprocessed, 0, widths.preprocessed.value_or(0), "the preprocessed part");

    std::vector<Expr> values;
    for (std::uint32_t i = 0; i < num_public_values; ++i) {
        values.push_back(Expr::variable({.entry = Variable::Entry::kPublic, .index = i}));
    }
    public_values_ = Row<Expr>(std::move(values), "the public values", fault_);
}

const Window<Expr>& SymbolicBuilder::cached_main(std::size_t part) const {
    return part < cached_mains_.size() ? cached_mains_[part] : no_part_;
}

Window<Expr> SymbolicBuilder::window(Variable::Entry entry, std::uint32_t part_index, std::uint32_t width,
                                     const std::string& part) const {
    const auto row = [&](std::uint32_t offset) {
        std::vector<Expr> values;
        values.reserve(width);
        for (std::uint32_t index = 0; index < width; ++index) {
            values.push_back(Expr::variable({entry, part_index, offset, index}));
        }
        return Row<Expr>(std::move(values), part, fault_);
    };
    return {row(0), row(1)};
}

}  // namespace whorl
