#include "air/keygen.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <exception>
#include <functional>
#include <new>
#include <optional>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "air/dag.hpp"
#include "key/height_bounds.hpp"
#include "key/params_fault.hpp"

namespace whorl {
namespace {

Error keygen_error(std::string message) {
    return {ErrorCode::kInvalidArgument, "keygen", std::move(message)};
}

std::string place(std::size_t air_id, const AnyAir& air) {
    return fmt::format("AIR {} ({})", air_id, air.name);
}

Result<std::optional<PreprocessedData>> commit_preprocessed(const SystemParams& params, const AnyAir& air,
                                                            const std::string& where, const CommitFunction& commit) {
    if (!air.preprocessed) return std::optional<PreprocessedData>();
    const Matrix& matrix = *air.preprocessed;
    if (!matrix.is_valid()) return keygen_error(fmt::format("{}: the preprocessed part {}", where, matrix.problem()));
    if (matrix.width() == 0) {
        return keygen_error(fmt::format("{}: the preprocessed part has no columns, expected at least 1", where));
    }
    if (!std::has_single_bit(matrix.height())) {
        return keygen_error(
            fmt::format("{}: the preprocessed part has {} rows, expected a power of two", where, matrix.height()));
    }
    if (matrix.log_height() > params.log_stacked_height()) {
        return keygen_error(fmt::format("{}: the preprocessed part has 2^{} rows, at most 2^{} fit (l_skip + n_stack)",
                                        where, matrix.log_height(), params.log_stacked_height()));
    }
    Result<MatrixCommitment> commitment = commit(params, matrix);
    if (!commitment) {
        Error error = std::move(commitment).error();
        error.message = fmt::format("{}: committing to the preprocessed part: {}", where, to_string(error));
        error.stage = "keygen";
        return error;
    }
    return std::optional<PreprocessedData>(PreprocessedData{
        .commit = commitment->commit,
        .hypercube_dim = static_cast<std::int32_t>(matrix.log_height()) - static_cast<std::int32_t>(params.l_skip),
        .stacking_width = commitment->stacking_width});
}

// The largest degree, as written, and where it first occurs.
struct LargestDegree {
    std::uint32_t degree = 0;
    std::string where;
};

LargestDegree largest_degree(const SymbolicBuilder& builder) {
    LargestDegree largest;
    const auto consider = [&largest](const Expr& expression, fmt::string_view where, const auto&... indices) {
        if (expression.degree() <= largest.degree) return;
        largest = {expression.degree(), fmt::format(fmt::runtime(where), indices...)};
    };
    for (std::size_t i = 0; i < builder.constraints().size(); ++i) {
        consider(builder.constraints()[i], "constraint {}", i);
    }
    for (std::size_t i = 0; i < builder.interactions().size(); ++i) {
        const Interaction<Expr>& interaction = builder.interactions()[i];
        for (std::size_t field = 0; field < interaction.message.size(); ++field) {
            consider(interaction.message[field], "field {} of interaction {}", field, i);
        }
        consider(interaction.count, "the count of interaction {}", i);
    }
    return largest;
}

Result<void> check_interactions(const SystemParams& params, const SymbolicBuilder& builder, const std::string& where) {
    const std::uint64_t max_length = std::uint64_t{1} << params.logup.log_max_message_length;
    for (std::size_t i = 0; i < builder.interactions().size(); ++i) {
        const std::size_t length = builder.interactions()[i].message.size();
        if (length == 0) {
            return keygen_error(
                fmt::format("{}: interaction {} has an empty message, expected at least 1 field", where, i));
        }
        // The bus is hashed with the message and counts as a field.
        if (length + 1 > max_length) {
            return keygen_error(
                fmt::format("{}: interaction {} has a message of {} fields, at most {} fit "
                            "(logup.log_max_message_length is {}, and the bus takes one)",
                            where, i, length, max_length - 1, params.logup.log_max_message_length));
        }
    }
    return {};
}

// The AIR is the caller's code, and may throw.
Result<void> evaluate(const AnyAir& air, SymbolicBuilder& builder, const std::string& where) {
    try {
        air.eval(builder);
    } catch (const std::bad_alloc&) {
        throw;
    } catch (const std::exception& e) {
        return keygen_error(fmt::format("{}: eval() threw: {}", where, e.what()));
    }
    return {};
}

Result<AirVerifyingKey> air_key(const SystemParams& params, const AnyAir& air, const std::string& where,
                                const CommitFunction& commit) {
    AirVerifyingKey key;
    key.width.cached_mains = air.cached_main_widths;
    key.width.common_main = air.common_main_width;
    if (air.preprocessed) key.width.preprocessed = static_cast<std::uint32_t>(air.preprocessed->width());
    key.num_public_values = air.num_public_values;
    key.is_required = air.is_required;

    std::uint64_t main_width = key.width.common_main;
    for (const std::uint32_t width : key.width.cached_mains) main_width += width;
    if (main_width == 0) {
        return keygen_error(fmt::format("{}: the main trace has no columns, expected at least 1", where));
    }

    SymbolicBuilder builder(key.width, key.num_public_values);
    if (auto evaluated = evaluate(air, builder, where); !evaluated) return std::move(evaluated).error();
    if (const auto& fault = builder.fault()) {
        return keygen_error(fmt::format("{}: column {} of {} is read, which has {} columns", where, fault->index,
                                        fault->part, fault->width));
    }
    if (builder.constraints().empty() && builder.interactions().empty()) {
        return keygen_error(fmt::format("{}: there is neither a constraint nor an interaction", where));
    }
    if (auto valid = check_interactions(params, builder, where); !valid) return std::move(valid).error();
    const LargestDegree largest = largest_degree(builder);
    if (largest.degree > params.max_constraint_degree) {
        return keygen_error(
            fmt::format("{}: {} has degree {}, at most {} is possible (max_constraint_degree of the "
                        "parameters)",
                        where, largest.where, largest.degree, params.max_constraint_degree));
    }
    key.max_constraint_degree = static_cast<std::uint8_t>(largest.degree);

    ConstraintDag dag = build_constraint_dag(builder.constraints(), builder.interactions());
    key.nodes = std::move(dag.nodes);
    key.constraint_idx = std::move(dag.constraint_idx);
    key.interactions = std::move(dag.interactions);
    key.need_rot = std::any_of(key.nodes.begin(), key.nodes.end(), [](const SymbolicNode& node) {
        return node.op == SymbolicNode::Op::kVariable && node.variable.offset == 1;
    });
    key.unused_variables = find_unused_variables(key.nodes, key.width, key.need_rot);

    auto preprocessed = commit_preprocessed(params, air, where, commit);
    if (!preprocessed) return std::move(preprocessed).error();
    key.preprocessed = *preprocessed;
    return key;
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
        return keygen_error(fmt::format("these parameters do not work: {}", workable.error().message));
    }
    if (airs.empty()) return keygen_error("the list of AIRs is empty, expected at least 1");

    ProvingKey key;
    key.vk.params = params;
    for (std::size_t i = 0; i < airs.size(); ++i) {
        auto air = air_key(params, airs[i], place(i, airs[i]), commit);
        if (!air) return std::move(air).error();
        key.vk.airs.push_back(std::move(*air));
        key.air_names.push_back(airs[i].name);
        key.preprocessed.push_back(airs[i].preprocessed);
    }
    auto constraints = trace_height_constraints(params, key.vk.airs);
    if (!constraints) return std::move(constraints).error();
    key.vk.trace_height_constraints = std::move(*constraints);
    return key;
}

}  // namespace whorl
