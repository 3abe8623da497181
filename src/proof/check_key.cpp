#include "proof/check_key.hpp"

#include <algorithm>
#include <limits>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "key/height_bounds.hpp"
#include "key/params_fault.hpp"
#include "machine/guard.hpp"
#include "proof/layout.hpp"

namespace whorl {
namespace {

using Op = SymbolicNode::Op;
using Entry = Variable::Entry;
using Section = KeyFault::Section;

/// Keeps the first fault; checks after it do nothing.
class FaultFinder {
public:
    void enter(Section section, std::size_t air_id = 0) {
        section_ = section;
        air_id_ = air_id;
    }
    bool ok() const { return !fault_; }
    /// `what` is called for a fault only.
    template <class What>
    void fail(const What& what, std::string expected, std::string found) {
        if (fault_) return;
        fault_ = KeyFault{section_, air_id_, what(), std::move(expected), std::move(found)};
    }
    template <class What>
    void expect_below(std::uint64_t value, std::uint64_t limit, const What& what) {
        if (value >= limit) fail(what, fmt::format("below {}", limit), fmt::to_string(value));
    }
    template <class What>
    void expect_at_most(std::uint64_t value, std::uint64_t limit, const What& what) {
        if (value > limit) fail(what, fmt::format("at most {}", limit), fmt::to_string(value));
    }
    template <class What>
    void expect_at_least(std::uint64_t value, std::uint64_t limit, const What& what) {
        if (value < limit) fail(what, fmt::format("at least {}", limit), fmt::to_string(value));
    }
    template <class What>
    void expect_equal(std::uint64_t value, std::uint64_t expected, const What& what) {
        if (value != expected) fail(what, fmt::to_string(expected), fmt::to_string(value));
    }
    template <class What>
    void expect_element(Fp value, const What& what) {
        if (value.montgomery() >= Fp::kModulus) {
            fail(what, fmt::format("a Montgomery word below {}", Fp::kModulus), fmt::to_string(value.montgomery()));
        }
    }
    std::optional<KeyFault> take() { return std::move(fault_); }

private:
    Section section_ = Section::kParams;
    std::size_t air_id_ = 0;
    std::optional<KeyFault> fault_;
};

auto named(std::string_view name) {
    return [name] { return std::string(name); };
}

void check_widths(FaultFinder& faults, const SystemParams& params, const AirVerifyingKey& air) {
    if (air.width.preprocessed.has_value() != air.preprocessed.has_value()) {
        faults.fail(named("preprocessed width"), "present exactly when preprocessed data is",
                    air.preprocessed ? "absent" : "present");
        return;
    }
    std::uint64_t main_width = air.width.common_main;
    for (const std::uint32_t width : air.width.cached_mains) main_width += width;
    faults.expect_at_least(main_width, 1, named("main width"));
    if (!air.preprocessed) return;
    for (const Fp x : air.preprocessed->commit) faults.expect_element(x, named("preprocessed commitment"));
    // The height lies between 1 and the stacked height.
    const std::int64_t dim = air.preprocessed->hypercube_dim;
    if (dim < -std::int64_t{params.l_skip} || dim > std::int64_t{params.n_stack}) {
        faults.fail(named("preprocessed hypercube_dim"), fmt::format("from -{} to {}", params.l_skip, params.n_stack),
                    fmt::to_string(dim));
        return;
    }
    const MatrixShape shape{*air.width.preprocessed, static_cast<std::uint32_t>(dim + params.l_skip)};
    faults.expect_equal(air.preprocessed->stacking_width,
                        stacked_width(params.l_skip, params.log_stacked_height(), {&shape, 1}),
                        named("preprocessed stacking width"));
}

// A variable that an expression reads must exist.
template <class Place>
void check_variable(FaultFinder& faults, const AirVerifyingKey& air, const Variable& variable, const Place& place) {
    const auto what = [&](std::string_view name) {
        return [&place, name] { return fmt::format("{}, {}", place(), name); };
    };
    std::uint64_t width = 0;
    switch (variable.entry) {
        case Entry::kPreprocessed:
            width = air.width.preprocessed.value_or(0);
            break;
        case Entry::kMain: {
            const std::size_t num_cached = air.width.cached_mains.size();
            faults.expect_at_most(variable.part_index, num_cached, what("variable part"));
            if (!faults.ok()) return;
            width =
                variable.part_index == num_cached ? air.width.common_main : air.width.cached_mains[variable.part_index];
            break;
        }
        case Entry::kPublic:
            width = air.num_public_values;
            break;
        case Entry::kChallenge:
            faults.fail(what("variable entry"), "a trace column or public value", "a challenge");
            return;
        default:
            faults.fail(what("variable entry"), "a kind from 0 to 3",
                        fmt::to_string(static_cast<unsigned>(variable.entry)));
            return;
    }
    faults.expect_below(variable.index, width, what("variable index"));
    faults.expect_at_most(variable.offset, air.need_rot ? 1 : 0, what("variable offset"));
}

// Node `id`: its operands come before it and its degree is no less than they make it. `degrees` holds the true degree of
// each earlier node; returns this one's.
std::uint32_t check_node(FaultFinder& faults, const SystemParams& params, const AirVerifyingKey& air, std::size_t id,
                         const std::vector<std::uint32_t>& degrees) {
    const SymbolicNode& node = air.nodes[id];
    const auto place = [id] { return fmt::format("node {}", id); };
    const auto what = [&](std::string_view name) {
        return [&place, name] { return fmt::format("{}, {}", place(), name); };
    };
    switch (node.op) {
        case Op::kVariable:
            check_variable(faults, air, node.variable, place);
            return node.variable.entry == Entry::kMain || node.variable.entry == Entry::kPreprocessed ? 1 : 0;
        case Op::kIsFirstRow:
        case Op::kIsLastRow:
        case Op::kIsTransition:
            return 1;
        case Op::kConstant:
            faults.expect_element(node.constant, what("constant"));
            return 0;
        case Op::kAdd:
        case Op::kSub:
        case Op::kMul:
        case Op::kNeg:
            break;
        default:
            faults.fail(what("kind"), "a kind from 0 to 8", fmt::to_string(static_cast<unsigned>(node.op)));
            return 0;
    }
    const std::uint32_t right = node.op == Op::kNeg ? node.left : node.right;
    faults.expect_below(node.left, id, what("left operand"));
    faults.expect_below(right, id, what("right operand"));
    if (!faults.ok()) return 0;
    const std::uint64_t degree = node.op == Op::kMul ? std::uint64_t{degrees[node.left]} + degrees[right]
                                                     : std::max(degrees[node.left], degrees[right]);
    faults.expect_at_least(node.degree, degree, what("degree"));
    faults.expect_at_most(node.degree, params.max_constraint_degree, what("degree"));
    return faults.ok() ? static_cast<std::uint32_t>(degree) : 0;
}

void check_air(FaultFinder& faults, const SystemParams& params, const AirVerifyingKey& air) {
    check_widths(faults, params, air);
    faults.expect_at_most(air.nodes.size(), std::numeric_limits<std::uint32_t>::max(), named("number of nodes"));
    if (!faults.ok()) return;
    std::vector<std::uint32_t> degrees;
    degrees.reserve(air.nodes.size());
    for (std::size_t id = 0; id < air.nodes.size() && faults.ok(); ++id) {
        degrees.push_back(check_node(faults, params, air, id, degrees));
    }

    // Roots of constraints and interactions decide the degree of what is sent.
    std::uint32_t max_degree = 0;
    const auto check_root = [&](std::uint32_t root, const auto& what) {
        faults.expect_below(root, air.nodes.size(), what);
        if (faults.ok()) max_degree = std::max(max_degree, degrees[root]);
    };
    for (std::size_t i = 0; i < air.constraint_idx.size() && faults.ok(); ++i) {
        const auto what = [i] { return fmt::format("constraint {}", i); };
        check_root(air.constraint_idx[i], what);
        if (i > 0 && air.constraint_idx[i] <= air.constraint_idx[i - 1]) {
            faults.fail(what, fmt::format("above {}", air.constraint_idx[i - 1]),
                        fmt::to_string(air.constraint_idx[i]));
        }
    }
    const std::uint64_t max_length = (std::uint64_t{1} << params.logup.log_max_message_length) - 1;
    for (std::size_t i = 0; i < air.interactions.size() && faults.ok(); ++i) {
        const SymbolicInteraction& interaction = air.interactions[i];
        const auto what = [i](std::string_view name) {
            return [i, name] { return fmt::format("interaction {}, {}", i, name); };
        };
        faults.expect_at_least(interaction.message.size(), 1, what("message length"));
        faults.expect_at_most(interaction.message.size(), max_length, what("message length"));
        for (const std::uint32_t root : interaction.message) check_root(root, what("message value"));
        check_root(interaction.count, what("count"));
    }
    faults.expect_at_most(air.max_constraint_degree, params.max_constraint_degree, named("max_constraint_degree"));
    faults.expect_at_least(air.max_constraint_degree, max_degree, named("max_constraint_degree"));
}

void check_height_constraints(FaultFinder& faults, const VerifyingKey& vk) {
    const auto bounds = trace_height_bounds(vk.params, vk.airs);
    if (!bounds) {
        faults.fail(named("interactions"), "trace height constraints that fit their types", bounds.error().message);
        return;
    }
    faults.expect_equal(vk.trace_height_constraints.size(), bounds->size(), named("number of constraints"));
    for (std::size_t c = 0; c < bounds->size() && faults.ok(); ++c) {
        const TraceHeightConstraint& found = vk.trace_height_constraints[c];
        const TraceHeightBound& bound = (*bounds)[c];
        const auto what = [&](std::string_view name) {
            return [&bound, c, name] {
                return fmt::format("constraint {} ({}), {}", c,
                                   bound.bus ? fmt::format("bus {}", *bound.bus) : "all interactions", name);
            };
        };
        faults.expect_equal(found.threshold, bound.threshold, what("threshold"));
        faults.expect_equal(found.coefficients.size(), vk.airs.size(), what("number of coefficients"));
        auto weight = bound.weights.begin();
        for (std::size_t air = 0; air < vk.airs.size() && faults.ok(); ++air) {
            const bool has_weight = weight != bound.weights.end() && weight->first == air;
            faults.expect_equal(found.coefficients[air], has_weight ? (weight++)->second : 0,
                                [&] { return what("coefficient of AIR ")() + fmt::to_string(air); });
        }
    }
}

}  // namespace

std::optional<KeyFault> find_key_fault(const VerifyingKey& vk) {
    FaultFinder faults;
    if (const auto params = find_params_fault(vk.params); !params) {
        faults.fail(named("system parameters"), "workable ones", params.error().message);
        return faults.take();
    }
    faults.enter(Section::kAirs);
    faults.expect_at_least(vk.airs.size(), 1, named("number of AIRs"));
    faults.expect_at_most(vk.airs.size(), std::numeric_limits<std::uint32_t>::max(), named("number of AIRs"));
    for (std::size_t air = 0; air < vk.airs.size() && faults.ok(); ++air) {
        faults.enter(Section::kAirs, air);
        check_air(faults, vk.params, vk.airs[air]);
    }
    if (!faults.ok()) return faults.take();
    faults.enter(Section::kHeightConstraints);
    check_height_constraints(faults, vk);
    return faults.take();
}

namespace {

Result<void> check_invariants(const VerifyingKey& vk) {
    const std::optional<KeyFault> fault = find_key_fault(vk);
    if (!fault) return {};
    const std::string section = fault->section == Section::kAirs                ? fmt::format("AIR {}: ", fault->air_id)
                                : fault->section == Section::kHeightConstraints ? "trace height constraints: "
                                                                                : "";
    return Error{ErrorCode::kInvalidArgument, "key",
                 fmt::format("{}{}: expected {}, found {}", section, fault->what, fault->expected, fault->found)};
}

}  // namespace

Result<void> check_key(const VerifyingKey& vk) noexcept {
    return guarded("key", [&] { return check_invariants(vk); });
}

}  // namespace whorl
