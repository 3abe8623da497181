#include "airs/tasks.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "airs/block_shapes.hpp"
#include "airs/shaped_air.hpp"
#include "airs/small.hpp"
#include "key/app_params.hpp"

namespace whorl {
namespace {

using Traces = std::vector<AirTrace>;

// Appends one fixture: its AIRs, and what makes their traces from the first one's id.
struct TaskBuilder {
    AirTask task;
    std::vector<std::function<Traces()>> trace_makers;

    TaskBuilder(std::string name, const SystemParams& params) : task{std::move(name), params, {}, {}} {}

    template <class MakeTraces>
    void add(std::vector<AnyAir> airs, MakeTraces make_traces) {
        const auto first_id = static_cast<std::uint32_t>(task.airs.size());
        std::move(airs.begin(), airs.end(), std::back_inserter(task.airs));
        trace_makers.push_back([first_id, make_traces = std::move(make_traces)] { return make_traces(first_id); });
    }

    AirTask finish() && {
        task.make_traces = [makers = std::move(trace_makers)] {
            Traces all;
            for (const auto& make : makers) {
                Traces traces = make();
                std::move(traces.begin(), traces.end(), std::back_inserter(all));
            }
            return all;
        };
        return std::move(task);
    }
};

// Row r is bit r.
std::vector<bool> selectors_from_bits(std::uint32_t bits) {
    std::vector<bool> selectors(32);
    for (unsigned row = 0; row < 32; ++row) selectors[row] = bits >> row & 1;
    return selectors;
}

std::vector<bool> alternating_selectors(std::size_t height) {
    std::vector<bool> selectors(height);
    for (std::size_t row = 0; row < height; row += 2) selectors[row] = true;
    return selectors;
}

void add_fibonacci(TaskBuilder& builder, std::uint32_t a, std::uint32_t b, std::size_t height) {
    builder.add({FibonacciAir{}}, [=](std::uint32_t id) { return Traces{fibonacci_trace(id, a, b, height)}; });
}

void add_fibonacci_selector(TaskBuilder& builder, std::uint32_t a, std::uint32_t b,
                            const std::vector<bool>& selectors) {
    builder.add({FibonacciSelectorAir{selectors}},
                [=](std::uint32_t id) { return Traces{fibonacci_selector_trace(id, a, b, selectors)}; });
}

// A sender and a receiver whose messages balance.
void add_dummy_interactions(TaskBuilder& builder, bool has_cached_fields) {
    const DummyInteractionAir sender{.is_send = true, .has_cached_fields = has_cached_fields};
    const DummyInteractionAir receiver{.is_send = false, .has_cached_fields = has_cached_fields};
    builder.add({sender, receiver}, [=](std::uint32_t id) {
        const std::array<std::uint32_t, 4> sent_counts{0, 3, 7, 546};
        const std::array<std::vector<std::uint32_t>, 4> sent_fields{{{1}, {5}, {4}, {889}}};
        const std::array<std::uint32_t, 8> received_counts{1, 3, 4, 2, 0, 545, 1, 0};
        const std::array<std::vector<std::uint32_t>, 8> received_fields{
            {{5}, {4}, {4}, {5}, {123}, {889}, {889}, {456}}};
        return Traces{dummy_interaction_trace(id, sender, sent_counts, sent_fields),
                      dummy_interaction_trace(id + 1, receiver, received_counts, received_fields)};
    });
}

void add_self_interactions(TaskBuilder& builder, const std::vector<std::uint32_t>& widths, unsigned log_height,
                           std::uint16_t bus_index) {
    std::vector<AnyAir> airs;
    for (const std::uint32_t width : widths) airs.emplace_back(SelfInteractionAir{width, bus_index});
    builder.add(std::move(airs), [=](std::uint32_t id) {
        Traces traces;
        for (const std::uint32_t width : widths) traces.push_back(self_interaction_trace(id++, width, log_height));
        return traces;
    });
}

AirTask mixture(std::string name, unsigned log_height, const SystemParams& params) {
    TaskBuilder builder(std::move(name), params);
    const std::size_t height = std::size_t{1} << log_height;
    add_fibonacci(builder, 8, 8, height);
    add_dummy_interactions(builder, /*has_cached_fields=*/false);
    add_dummy_interactions(builder, /*has_cached_fields=*/true);
    add_fibonacci_selector(builder, 7, 3, alternating_selectors(height));
    add_self_interactions(builder, {4, 7, 8, 8, 10, 100}, log_height, 5);
    return std::move(builder).finish();
}

AirTask fib_three_airs_one_absent(const SystemParams& params) {
    TaskBuilder builder("fib_three_airs_one_absent", params);
    builder.add({FibonacciAir{}, FibonacciAir{}, FibonacciAir{}}, [](std::uint32_t id) {
        return Traces{fibonacci_trace(id, 3, 5, 64), fibonacci_trace(id + 2, 3, 5, 64)};
    });
    return std::move(builder).finish();
}

AirTask preprocessed_and_cached(const SystemParams& params) {
    TaskBuilder builder("preprocessed_and_cached", params);
    const PreprocessedCachedAir air{.selectors = selectors_from_bits(0x9e34b444), .num_cached_parts = 2};
    builder.add({air}, [=](std::uint32_t id) { return Traces{preprocessed_cached_trace(id, air)}; });
    return std::move(builder).finish();
}

constexpr std::array<std::string_view, 13> kVectorNames = {"cached",
                                                           "fib_2e5",
                                                           "fib_height_1",
                                                           "fib_three_airs_one_absent",
                                                           "interactions",
                                                           "keccak_5_perms",
                                                           "keccakf_1024",
                                                           "mixture",
                                                           "mixture_app_100_bits",
                                                           "mixture_l_skip_5",
                                                           "preprocessed",
                                                           "preprocessed_and_cached",
                                                           "self_interactions"};

}  // namespace

std::span<const std::string_view> vector_task_names() {
    return kVectorNames;
}

std::optional<AirTask> vector_task(std::string_view name) {
    const SystemParams small = test_params_small(2, 8, 3);
    TaskBuilder builder(std::string(name), small);
    if (name == "fib_2e5") {
        add_fibonacci(builder, 0, 1, 32);
    } else if (name == "fib_height_1") {
        add_fibonacci(builder, 0, 1, 1);
    } else if (name == "fib_three_airs_one_absent") {
        return fib_three_airs_one_absent(small);
    } else if (name == "interactions" || name == "cached") {
        add_dummy_interactions(builder, /*has_cached_fields=*/name == "cached");
    } else if (name == "preprocessed") {
        add_fibonacci_selector(builder, 0, 1, selectors_from_bits(0x0712dd0f));
    } else if (name == "preprocessed_and_cached") {
        return preprocessed_and_cached(small);
    } else if (name == "self_interactions") {
        add_self_interactions(builder, {4, 7, 8, 8, 10}, 4, 5);
    } else if (name == "mixture") {
        return mixture("mixture", 4, small);
    } else if (name == "mixture_l_skip_5") {
        return mixture("mixture_l_skip_5", 5, test_params_small(5, 5, 4));
    } else if (name == "mixture_app_100_bits") {
        return mixture("mixture_app_100_bits", 7, *app_params_100_bits(17));
    } else if (name == "keccak_5_perms") {
        SystemParams params = test_params_small(4, 11, 4);
        params.max_constraint_degree = 4;
        return keccak_task(random_keccak_inputs(5, /*seed=*/7), params);
    } else if (name == "keccakf_1024") {
        return keccak_task(random_keccak_inputs(1024), *app_params_100_bits(21));
    } else {
        return std::nullopt;
    }
    return std::move(builder).finish();
}

AirTask keccak_task(std::vector<KeccakState> inputs, const SystemParams& params) {
    TaskBuilder builder("keccakf", params);
    builder.add({KeccakAir{}}, [inputs = std::move(inputs)](std::uint32_t id) {
        AirTrace trace;
        trace.air_id = id;
        trace.common_main = keccak_trace(inputs);
        Traces traces;
        traces.push_back(std::move(trace));
        return traces;
    });
    return std::move(builder).finish();
}

AirTask logup_task(unsigned log_height, const SystemParams& params, const std::vector<std::uint32_t>& widths) {
    TaskBuilder builder("logup", params);
    add_self_interactions(builder, widths, log_height, 4);
    return std::move(builder).finish();
}

AirTask block_task(std::size_t proof, const BlockTaskOptions& options) {
    const BlockProof& shape = block_proofs()[proof];
    const auto log_stacked_height = [&](unsigned of_block) {
        return options.log_stacked_height.value_or(
            std::max(scaled_log_height(of_block, options.scale), kMinAppLogStackedHeight));
    };
    AirTask task{.name = fmt::format("block_proof_{}", proof), .params = {}, .airs = {}, .make_traces = {}};
    if (options.scale > 0) task.name += fmt::format("_scale_{}", options.scale);
    if (options.log_stacked_height) task.name += fmt::format("_stacked_{}", *options.log_stacked_height);
    constexpr unsigned kAppLogStackedHeight = 24;
    constexpr double kSecurityBits = 100;
    switch (shape.key) {
        case 0:
            task.params = app_params(log_stacked_height(kAppLogStackedHeight), 1, kSecurityBits);
            break;
        case 1:
            task.params = leaf_params(log_stacked_height(kLeafLogStackedHeight));
            break;
        default:
            task.params = internal_params(log_stacked_height(kInternalLogStackedHeight));
    }
    std::vector<ShapedAir> airs;
    for (const AirShape& air : block_keys()[shape.key]) airs.emplace_back(air);
    task.airs.assign(airs.begin(), airs.end());
    task.make_traces = [airs = std::move(airs), heights = log_heights(shape), scale = options.scale, proof] {
        Traces traces;
        for (std::uint32_t id = 0; id < airs.size(); ++id) {
            if (heights[id] < 0) continue;
            const std::uint64_t seed = (std::uint64_t{proof} << 32) + id;
            traces.push_back(airs[id].trace(id, scaled_log_height(static_cast<unsigned>(heights[id]), scale), seed));
        }
        return traces;
    };
    return task;
}

AirTask shape_task(const ShapeTaskOptions& options) {
    constexpr std::uint16_t kMessageLength = 4;
    const auto of_air = [&options](std::uint32_t air_id) {
        AirShape shape{.name = "ShapedAir",
                       .common_main_width = options.num_columns,
                       .cached_width = 0,
                       .num_constraints = options.num_constraints,
                       .max_degree = 3,
                       .interactions = {}};
        std::vector<InteractionRun> interactions;
        for (std::uint32_t i = 0; i < options.num_interactions; ++i) {
            const std::uint64_t position = std::uint64_t{air_id} * options.num_interactions + i;
            interactions.push_back({.bus_index = static_cast<std::uint16_t>(position % options.num_buses),
                                    .message_length = kMessageLength,
                                    .count_weight = 1,
                                    .count = 1});
        }
        shape.interactions = interactions;
        return ShapedAir(shape);
    };
    AirTask task{
        .name = fmt::format("shape_{}x{}_c{}_i{}_b{}_2e{}", options.num_airs, options.num_columns,
                            options.num_constraints, options.num_interactions, options.num_buses, options.log_height),
        .params = {},
        .airs = {},
        .make_traces = {}};
    constexpr unsigned kLogStackedColumns = 6;
    const std::uint64_t num_columns = std::uint64_t{options.num_airs} * options.num_columns;
    const unsigned log_cells = static_cast<unsigned>(std::bit_width(num_columns - 1)) + options.log_height;
    const unsigned wanted = std::max(log_cells - std::min(log_cells, kLogStackedColumns), options.log_height);
    const unsigned log_stacked_height =
        options.log_stacked_height.value_or(std::clamp(wanted, kMinAppLogStackedHeight, kMaxAppLogStackedHeight));
    constexpr double kSecurityBits = 100;
    task.params = app_params(log_stacked_height, 1, kSecurityBits);
    std::vector<ShapedAir> airs;
    for (std::uint32_t id = 0; id < options.num_airs; ++id) airs.push_back(of_air(id));
    task.airs.assign(airs.begin(), airs.end());
    task.make_traces = [airs = std::move(airs), log_height = options.log_height, seed = options.seed] {
        Traces traces;
        for (std::uint32_t id = 0; id < airs.size(); ++id) {
            traces.push_back(airs[id].trace(id, log_height, (std::uint64_t{seed} << 32) + id));
        }
        return traces;
    };
    return task;
}

}  // namespace whorl
