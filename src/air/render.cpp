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
    Renderer(const AirVerifyingKey& air, const AirNotes& notes, std::size_t max_length)
        : air_(air), notes_(notes), max_length_(max_length) {}

    // Without recursion: a key may nest selectors as deep as it has nodes.
    void add_constraint(std::uint32_t root) {
        while (air_.nodes[root].op == Op::kMul && !is_full_) {
            const Op selector = air_.nodes[air_.nodes[root].left].op;
            const char* condition = selector == Op::kIsFirstRow     ? "when_first_row: "
                                    : selector == Op::kIsLastRow    ? "when_last_row: "
                                    : selector == Op::kIsTransition ? "when_transition: "
                                                                    : nullptr;
            if (condition == nullptr) break;
            put_limited(condition);
            root = air_.nodes[root].right;
        }
        const SymbolicNode& node = air_.nodes[root];
        if (node.op == Op::kSub) {
            add(node.left, 1, 0);
            put(" == ");
            add(node.right, 1, 0);
        } else {
            add(root, 1, 0);
            put(" == 0");
        }
    }

    void add(std::uint32_t index, int min_precedence, int depth) {
        constexpr int kMaxDepth = 100;  // recursion must not follow a key's longest chain
        if (is_full_) return;
        if (text_.size() > max_length_ || depth > kMaxDepth) return end();
        const SymbolicNode& node = air_.nodes[index];
        const int own = precedence(node);
        if (own < min_precedence) put("(");
        switch (node.op) {
            case Op::kVariable:
                put(variable_name(air_, notes_, node.variable));
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

    void put_limited(std::string_view text) {
        if (text_.size() > max_length_) return end();
        put(text);
    }
    void end() {
        put("…");
        is_full_ = true;
    }

    const AirVerifyingKey& air_;
    const AirNotes& notes_;
    std::size_t max_length_;
    std::string text_;
    bool is_full_ = false;
};

}  // namespace

std::string variable_name(const AirVerifyingKey& air, const AirNotes& notes, const Variable& variable) {
    const auto element = [&](const std::string& part, const std::vector<std::string>& names) {
        const char* next = variable.offset == 1 ? "next " : "";
        if (variable.index >= names.size() || names[variable.index].empty()) {
            return fmt::format("{}{}[{}]", next, part, variable.index);
        }
        return fmt::format("{}{}.{}", next, part, names[variable.index]);
    };
    static const std::vector<std::string> kNoNames;
    switch (variable.entry) {
        case Variable::Entry::kPreprocessed:
            return element("preprocessed", notes.preprocessed);
        case Variable::Entry::kMain:
            if (variable.part_index < air.width.cached_mains.size()) {
                const std::size_t part = variable.part_index;
                return element(fmt::format("cached{}", part),
                               part < notes.cached_mains.size() ? notes.cached_mains[part] : kNoNames);
            }
            // The part that most columns are in stands without its name.
            if (variable.index < notes.common_main.size() && !notes.common_main[variable.index].empty()) {
                return fmt::format("{}{}", variable.offset == 1 ? "next." : "", notes.common_main[variable.index]);
            }
            return element("main", kNoNames);
        case Variable::Entry::kPublic:
            return element("public", notes.public_values);
        case Variable::Entry::kChallenge:
            break;
    }
    return element("challenge", kNoNames);
}

std::string signed_value(Fp value) {
    const std::uint32_t canonical = value.canonical();
    if (canonical <= Fp::kModulus / 2) return fmt::format("{}", canonical);
    return fmt::format("-{}", Fp::kModulus - canonical);
}

std::string render_expression(const AirVerifyingKey& air, const AirNotes& notes, std::uint32_t root,
                              std::size_t max_length) {
    Renderer renderer(air, notes, max_length);
    renderer.add(root, 0, 0);
    return renderer.take();
}

std::string render_constraint(const AirVerifyingKey& air, const AirNotes& notes, std::uint32_t root,
                              std::size_t max_length) {
    Renderer renderer(air, notes, max_length);
    renderer.add_constraint(root);
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

std::string air_label(std::uint32_t air_id, std::span<const std::string> names) {
    if (air_id >= names.size() || names[air_id].empty()) return fmt::format("AIR {}", air_id);
    return fmt::format("AIR {} ({})", air_id, names[air_id]);
}

std::string render_note(const SourceNote& note) {
    std::string text = note.file.empty() ? std::string() : fmt::format("{}:{}", note.file, note.line);
    if (!note.label.empty()) text += fmt::format("{}\"{}\"", text.empty() ? "" : " ", note.label);
    return text;
}

const AirNotes& notes_of(const KeyNotes& notes, std::uint32_t air_id) {
    static const AirNotes kNone;
    return air_id < notes.airs.size() ? notes.airs[air_id] : kNone;
}

const SourceNote& note_at(const std::vector<SourceNote>& notes, std::size_t position) {
    static const SourceNote kNone;
    return position < notes.size() ? notes[position] : kNone;
}

}  // namespace whorl
