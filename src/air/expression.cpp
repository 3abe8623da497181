#include <algorithm>
#include <iterator>
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

std::vector<std::string> detail::column_names(std::string_view list) {
    std::vector<std::string> names;
    while (!list.empty()) {
        const std::size_t comma = std::min(list.find(','), list.size());
        std::string_view declared = list.substr(0, comma);
        list.remove_prefix(std::min(comma + 1, list.size()));
        while (declared.starts_with(' ')) declared.remove_prefix(1);
        const std::size_t name_size = std::min(declared.find_first_of(" ["), declared.size());
        // The elements of an array: names so far, each with every index of the next extent.
        std::vector<std::string> elements{std::string(declared.substr(0, name_size))};
        for (std::size_t at = declared.find('['); at != std::string_view::npos; at = declared.find('[', at + 1)) {
            const std::size_t extent = count_columns(declared.substr(at, declared.find(']', at) - at + 1));
            std::vector<std::string> longer;
            for (const std::string& element : elements) {
                for (std::size_t i = 0; i < extent; ++i) longer.push_back(fmt::format("{}[{}]", element, i));
            }
            elements = std::move(longer);
        }
        std::ranges::move(elements, std::back_inserter(names));
    }
    return names;
}

SymbolicBuilder::SymbolicBuilder(const TraceWidths& widths, std::uint32_t num_public_values)
    : is_first_row_(Expr::is_first_row()), is_last_row_(Expr::is_last_row()), is_transition_(Expr::is_transition()) {
    const auto num_cached = static_cast<std::uint32_t>(widths.cached_mains.size());
    for (std::uint32_t part = 0; part < num_cached; ++part) {
        cached_mains_.push_back(
            window(Variable::Entry::kMain, part, widths.cached_mains[part], fmt::format("cached main {}", part)));
    }
    no_part_ = window(Variable::Entry::kMain, 0, 0, fmt::format("a cached main beyond the {} there are", num_cached));
    common_main_ = window(Variable::Entry::kMain, num_cached, widths.common_main, "the common main");
    preprocessed_ = window(Variable::Entry::kPreprocessed, 0, widths.preprocessed.value_or(0), "the preprocessed part");

    std::vector<Expr> values;
    for (std::uint32_t i = 0; i < num_public_values; ++i) {
        values.push_back(Expr::variable({.entry = Variable::Entry::kPublic, .index = i}));
    }
    public_values_ = Row<Expr>(std::move(values), add_part("the public values", num_public_values));
}

const Window<Expr>& SymbolicBuilder::cached_main(std::size_t part) const {
    return part < cached_mains_.size() ? cached_mains_[part] : no_part_;
}

std::shared_ptr<PartReads> SymbolicBuilder::add_part(std::string part, std::size_t width) {
    auto reads = std::make_shared<PartReads>();
    reads->part = std::move(part);
    reads->width = width;
    reads_.push_back(reads);
    return reads;
}

Window<Expr> SymbolicBuilder::window(Variable::Entry entry, std::uint32_t part_index, std::uint32_t width,
                                     std::string part) {
    const std::shared_ptr<PartReads> reads = add_part(std::move(part), width);
    const auto row = [&](std::uint32_t offset) {
        std::vector<Expr> values;
        values.reserve(width);
        for (std::uint32_t index = 0; index < width; ++index) {
            values.push_back(Expr::variable({entry, part_index, offset, index}));
        }
        return Row<Expr>(std::move(values), reads);
    };
    return {row(0), row(1)};
}

}  // namespace whorl
