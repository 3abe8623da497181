#include "air/keygen.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <exception>
#include <functional>
#include <map>
#include <new>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "air/dag.hpp"
#include "air/render.hpp"
#include "key/height_bounds.hpp"
#include "key/params_fault.hpp"

namespace whorl {
namespace {

constexpr std::size_t kErrorsInMessage = 20;
constexpr std::size_t kMaxExpressionLength = 200;

Error keygen_error(std::string message) {
    return {ErrorCode::kInvalidArgument, "keygen", std::move(message)};
}

// What is wrong with the AIRs: all of it, so that one run shows it.
class Faults {
public:
    void add(std::string text) {
        if (std::ranges::find(texts_, text) != texts_.end()) return;  // e.g. of both rows of a window
        if (++count_ <= kErrorsInMessage) texts_.push_back(std::move(text));
    }
    bool empty() const { return count_ == 0; }
    Error take() const {
        if (count_ == 1) return keygen_error(texts_.front());
        std::string message = fmt::format("{} errors", count_);
        for (const std::string& text : texts_) message += "\n  " + text;
        if (count_ > texts_.size()) message += fmt::format("\n  and {} more", count_ - texts_.size());
        return keygen_error(std::move(message));
    }

private:
    std::vector<std::string> texts_;
    std::size_t count_ = 0;
};

std::string_view base_name(std::string_view path) {
    return path.substr(path.find_last_of("/\\") + 1);  // npos + 1 is 0
}

// At most kMaxNoteBytes, and whole UTF-8 characters.
std::string cut(std::string_view text) {
    if (text.size() <= kMaxNoteBytes) return std::string(text);
    std::size_t size = kMaxNoteBytes;
    while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xC0U) == 0x80U) --size;
    return std::string(text.substr(0, size));
}

std::vector<std::string> cut(const std::vector<std::string>& texts) {
    std::vector<std::string> out;
    out.reserve(texts.size());
    for (const std::string& text : texts) out.push_back(cut(text));
    return out;
}

SourceNote to_source_note(const Note& note) {
    return {cut(base_name(note.file())), note.line(), cut(note.label())};
}

// One AIR on its way into the key.
class AirGeneration {
public:
    AirGeneration(const SystemParams& params, std::uint32_t air_id, const AnyAir& air, Faults& faults)
        : params_(params), air_(air), faults_(faults), label_(fmt::format("AIR {} ({})", air_id, air.name)) {
        key_.width.cached_mains = air.cached_main_widths;
        key_.width.common_main = air.common_main_width;
        if (air.preprocessed) key_.width.preprocessed = static_cast<std::uint32_t>(air.preprocessed->width());
        key_.num_public_values = air.num_public_values;
        key_.is_required = air.is_required;
    }

    /// Errors: kMachine, and what else is no fault of the AIR.
    Result<void> run(const CommitFunction& commit) {
        if (auto committed = commit_preprocessed(commit); !committed) return committed;
        std::uint64_t main_width = key_.width.common_main;
        for (const std::uint32_t width : key_.width.cached_mains) main_width += width;
        if (main_width == 0) {
            fault("the main trace has no columns, expected at least 1",
                  "return their number from width() or cached_main_widths()");
            return {};
        }
        if (!air_.column_names.empty() && air_.column_names.size() != key_.width.common_main) {
            fault(fmt::format("column_names() has {} names, expected {} as width() says, or none",
                              air_.column_names.size(), key_.width.common_main),
                  "name each column of the common main; an empty text stands for no name");
        }
        SymbolicBuilder builder(key_.width, key_.num_public_values);
        if (!evaluate(builder)) return {};
        take_notes(builder);
        add_nodes(builder);
        check_reads(builder);
        check_presence(builder);
        check_interactions();
        check_degrees();
        return {};
    }

    AirVerifyingKey take_key() { return std::move(key_); }
    AirNotes take_notes() { return std::move(notes_); }
    const BusNames& bus_names() const { return bus_names_; }
    const std::string& label() const { return label_; }

private:
    void fault(const std::string& what, std::string_view remedy) {
        faults_.add(fmt::format("{}: {}; {}", label_, what, remedy));
    }
    void fault(const SourceNote& note, const std::string& what, std::string_view remedy) {
        const std::string place = render_note(note);
        faults_.add(fmt::format("{}{}{}: {}; {}", label_, place.empty() ? "" : ", ", place, what, remedy));
    }

    // The AIR is the caller's code, and may throw.
    bool evaluate(SymbolicBuilder& builder) {
        try {
            air_.eval(builder);
            return true;
        } catch (const std::bad_alloc&) {
            throw;
        } catch (const std::exception& e) {
            fault(fmt::format("eval() threw: {}", e.what()), "its constraints are not known until it returns");
        } catch (...) {
            fault("eval() threw what is no std::exception", "its constraints are not known until it returns");
        }
        return false;
    }

    void take_notes(const SymbolicBuilder& builder) {
        const auto names_of = [&](std::size_t part) { return cut(builder.reads()[part]->names); };
        const std::size_t num_cached = key_.width.cached_mains.size();
        for (std::size_t part = 0; part < num_cached; ++part) notes_.cached_mains.push_back(names_of(part));
        notes_.common_main = air_.column_names.empty() ? names_of(num_cached + 1) : cut(air_.column_names);
        notes_.preprocessed = names_of(num_cached + 2);
        notes_.public_values = names_of(num_cached + 3);
        for (const Note& note : builder.interaction_notes()) notes_.interactions.push_back(to_source_note(note));
        bus_names_ = builder.bus_names();
    }

    // From here on messages count constraints as the key does, and so as check_constraints.
    // Whether a column that the node reads is one of this AIR.
    bool is_own(const SymbolicNode& node) const {
        if (node.op != SymbolicNode::Op::kVariable) return true;
        const Variable& variable = node.variable;
        const std::vector<std::uint32_t>& cached = key_.width.cached_mains;
        switch (variable.entry) {
            case Variable::Entry::kPreprocessed:
                return variable.index < key_.width.preprocessed.value_or(0);
            case Variable::Entry::kPublic:
                return variable.index < key_.num_public_values;
            case Variable::Entry::kMain:
                if (variable.part_index < cached.size()) return variable.index < cached[variable.part_index];
                return variable.part_index == cached.size() && variable.index < key_.width.common_main;
            default:
                return false;
        }
    }

    void add_nodes(const SymbolicBuilder& builder) {
        ConstraintDag dag = build_constraint_dag(builder.constraints(), builder.interactions());
        key_.nodes = std::move(dag.nodes);
        key_.constraint_idx = std::move(dag.constraint_idx);
        key_.interactions = std::move(dag.interactions);
        key_.need_rot = std::any_of(key_.nodes.begin(), key_.nodes.end(), [](const SymbolicNode& node) {
            return node.op == SymbolicNode::Op::kVariable && node.variable.offset == 1;
        });
        if (std::ranges::all_of(key_.nodes, [this](const SymbolicNode& node) { return is_own(node); })) {
            key_.unused_variables = find_unused_variables(key_.nodes, key_.width, key_.need_rot);
        } else {
            fault("an expression reads a column that this AIR does not have",
                  "expressions are good for the builder that made them, not for that of another AIR");
        }

        notes_.constraints.resize(key_.constraint_idx.size());
        constraint_degrees_.resize(key_.constraint_idx.size());
        for (std::size_t i = dag.position_of.size(); i-- > 0;) {  // backwards: of equal ones the first stays
            const std::uint32_t position = dag.position_of[i];
            notes_.constraints[position] = to_source_note(builder.constraint_notes()[i]);
            constraint_degrees_[position] = std::max(constraint_degrees_[position], builder.constraints()[i].degree());
        }
        for (const Interaction<Expr>& interaction : builder.interactions()) {
            std::vector<std::uint32_t>& degrees = interaction_degrees_.emplace_back();
            for (const Expr& field : interaction.message) degrees.push_back(field.degree());
            degrees.push_back(interaction.count.degree());
        }
    }

    void check_reads(const SymbolicBuilder& builder) {
        for (const auto& part : builder.reads()) {
            for (const PartReads::Fault& read : part->faults) {
                const SourceNote note = to_source_note(Note(read.place));
                if (read.is_struct) {
                    fault(note,
                          fmt::format("{} is read as {} columns, expected its {}", part->part, read.index, part->width),
                          "make the declared width and the struct agree (whorl::kNumColumns<Columns> is the width of a "
                          "struct)");
                } else if (part == builder.reads().back()) {
                    fault(note,
                          fmt::format("public value {} is read, the AIR declares {}", read.index,
                                      part->width == 0 ? "none" : fmt::to_string(part->width)),
                          "return their number from num_public_values(), or read a smaller index (the first is 0)");
                } else {
                    fault(note,
                          fmt::format("column {} of {} is read, which has {}", read.index, part->part,
                                      part->width == 1 ? "1 column" : fmt::format("{} columns", part->width)),
                          "raise the width that the AIR declares, or read a smaller index (the first is 0)");
                }
            }
        }
    }

    void check_presence(const SymbolicBuilder& builder) {
        if (!builder.constraints().empty() || !builder.interactions().empty()) return;
        fault("there is neither a constraint nor an interaction", "eval() must state at least one");
    }

    void check_interactions() {
        const std::uint64_t max_length = std::uint64_t{1} << params_.logup.log_max_message_length;
        for (std::size_t i = 0; i < key_.interactions.size(); ++i) {
            const SourceNote& note = note_at(notes_.interactions, i);
            const std::size_t length = key_.interactions[i].message.size();
            if (length == 0) {
                fault(note, fmt::format("interaction {} has an empty message, expected at least 1 field", i),
                      "send a constant where there is nothing else to say");
            }
            // The bus is hashed with the message and counts as a field.
            if (length + 1 > max_length) {
                fault(note,
                      fmt::format("interaction {} has a message of {} fields, at most {} fit "
                                  "(logup.log_max_message_length is {}, and the bus takes one)",
                                  i, length, max_length - 1, params_.logup.log_max_message_length),
                      "split the message, or raise logup.log_max_message_length");
            }
        }
    }

    void check_degrees() {
        std::uint32_t largest = 0;
        const auto check = [&](std::uint32_t degree, const SourceNote& note, const auto& describe) {
            largest = std::max(largest, degree);
            if (degree <= params_.max_constraint_degree) return;
            fault(note,
                  fmt::format("{} has degree {}, at most {} is possible (max_constraint_degree of the parameters)",
                              describe(), degree, params_.max_constraint_degree),
                  "put a partial product into a column of its own");
        };
        for (std::size_t i = 0; i < key_.constraint_idx.size(); ++i) {
            check(constraint_degrees_[i], notes_.constraints[i], [&] {
                return fmt::format("constraint {} `{}`", i,
                                   render_constraint(key_, notes_, key_.constraint_idx[i], kMaxExpressionLength));
            });
        }
        for (std::size_t i = 0; i < key_.interactions.size(); ++i) {
            const SymbolicInteraction& interaction = key_.interactions[i];
            for (std::size_t f = 0; f <= interaction.message.size(); ++f) {
                const bool is_count = f == interaction.message.size();
                check(interaction_degrees_[i][f], note_at(notes_.interactions, i), [&] {
                    const std::string text = render_expression(
                        key_, notes_, is_count ? interaction.count : interaction.message[f], kMaxExpressionLength);
                    return is_count ? fmt::format("the count of interaction {} `{}`", i, text)
                                    : fmt::format("field {} of interaction {} `{}`", f, i, text);
                });
            }
        }
        key_.max_constraint_degree = static_cast<std::uint8_t>(largest);
    }

    Result<void> commit_preprocessed(const CommitFunction& commit) {
        if (!air_.preprocessed) return {};
        const Matrix& matrix = *air_.preprocessed;
        if (!matrix.is_valid()) {
            fault(fmt::format("the preprocessed part {}", matrix.problem()),
                  "make it with Matrix::create and look at the error");
            return {};
        }
        if (matrix.width() == 0) {
            fault("the preprocessed part has no columns, expected at least 1",
                  "return std::nullopt where there is none");
            return {};
        }
        if (!std::has_single_bit(matrix.height())) {
            fault(fmt::format("the preprocessed part has {} rows, expected a power of two", matrix.height()),
                  "pad it, and the traces with it");
            return {};
        }
        if (matrix.log_height() > params_.log_stacked_height()) {
            fault(fmt::format("the preprocessed part has 2^{} rows, at most 2^{} fit (l_skip + n_stack)",
                              matrix.log_height(), params_.log_stacked_height()),
                  "take parameters for a larger stacked height");
            return {};
        }
        Result<MatrixCommitment> commitment = commit(params_, matrix);
        if (!commitment) {
            Error error = std::move(commitment).error();
            error.message = fmt::format("{}: committing to the preprocessed part: {}", label_, to_string(error));
            error.stage = "keygen";
            if (error.code != ErrorCode::kInvalidArgument) return error;
            faults_.add(std::move(error.message));
            return {};
        }
        key_.preprocessed = PreprocessedData{
            .commit = commitment->commit,
            .hypercube_dim = static_cast<std::int32_t>(matrix.log_height()) - static_cast<std::int32_t>(params_.l_skip),
            .stacking_width = commitment->stacking_width};
        return {};
    }

    const SystemParams& params_;
    const AnyAir& air_;
    Faults& faults_;
    std::string label_;
    AirVerifyingKey key_;
    AirNotes notes_;
    std::vector<std::uint32_t> constraint_degrees_;                // as written, in the key's order
    std::vector<std::vector<std::uint32_t>> interaction_degrees_;  // of the fields, then of the count
    BusNames bus_names_;
};

// One name a bus: two are two buses that share a number.
void add_bus_names(const AirGeneration& air, std::map<std::uint16_t, std::string>& names,
                   std::map<std::uint16_t, std::string>& named_by, Faults& faults) {
    for (const auto& [bus, of_air] : air.bus_names()) {
        for (const auto& [full_name, note] : of_air) {
            const std::string name = cut(full_name);
            const std::string place = fmt::format("{}, {}", air.label(), render_note(to_source_note(note)));
            const auto [first, is_new] = names.try_emplace(bus, name);
            if (is_new) {
                named_by[bus] = place;
            } else if (first->second != name) {
                faults.add(
                    fmt::format("{}: bus {} is named \"{}\", and \"{}\" by {}; give each bus a number of its own, "
                                "or one name",
                                place, bus, name, first->second, named_by[bus]));
            }
        }
    }
}

}  // namespace

std::vector<Variable> find_unused_variables(std::span<const SymbolicNode> nodes, const TraceWidths& widths,
                                            bool need_rot) {
    using Entry = Variable::Entry;
    // Parts in the key's order; is_read[column][offset].
    std::vector<std::vector<std::array<bool, 2>>> is_read(widths.cached_mains.size() + 2);
    is_read[0].resize(widths.preprocessed.value_or(0));
    for (std::size_t part = 0; part < widths.cached_mains.size(); ++part) {
        is_read[part + 1].resize(widths.cached_mains[part]);
    }
    is_read.back().resize(widths.common_main);
    for (const SymbolicNode& node : nodes) {
        if (node.op != SymbolicNode::Op::kVariable) continue;
        const Variable& variable = node.variable;
        if (variable.entry == Entry::kPreprocessed) is_read[0][variable.index][variable.offset] = true;
        if (variable.entry == Entry::kMain) is_read[variable.part_index + 1][variable.index][variable.offset] = true;
    }

    std::vector<Variable> unused;
    for (std::uint32_t part = 0; part < is_read.size(); ++part) {
        for (std::uint32_t index = 0; index < is_read[part].size(); ++index) {
            for (std::uint32_t offset = 0; offset <= (need_rot ? 1U : 0U); ++offset) {
                if (is_read[part][index][offset]) continue;
                unused.push_back({.entry = part == 0 ? Entry::kPreprocessed : Entry::kMain,
                                  .part_index = part == 0 ? 0 : part - 1,
                                  .offset = offset,
                                  .index = index});
            }
        }
    }
    return unused;
}

Result<ProvingKey> generate_keys(const SystemParams& params, std::span<const AnyAir> airs,
                                 const CommitFunction& commit) {
    if (auto workable = find_params_fault(params); !workable) {
        return keygen_error(
            fmt::format("these parameters do not work: {}; {}", workable.error().message, kParamsRemedy));
    }
    if (airs.empty()) return keygen_error("the list of AIRs is empty, expected at least 1");

    ProvingKey key;
    key.vk.params = params;
    Faults faults;
    std::map<std::uint16_t, std::string> named_by;
    for (std::uint32_t i = 0; i < airs.size(); ++i) {
        AirGeneration air(params, i, airs[i], faults);
        if (auto generated = air.run(commit); !generated) return std::move(generated).error();
        add_bus_names(air, key.notes.buses, named_by, faults);
        key.vk.airs.push_back(air.take_key());
        key.notes.airs.push_back(air.take_notes());
        key.air_names.push_back(airs[i].name);
        key.preprocessed.push_back(airs[i].preprocessed);
    }
    if (!faults.empty()) return faults.take();
    auto constraints = trace_height_constraints(params, key.vk.airs, key.air_names);
    if (!constraints) return std::move(constraints).error();
    key.vk.trace_height_constraints = std::move(*constraints);
    return key;
}

}  // namespace whorl
