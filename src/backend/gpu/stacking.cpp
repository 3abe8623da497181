#include "backend/gpu/stacking.hpp"

#include <algorithm>
#include <utility>

#include "backend/gpu/eq_heaps.hpp"
#include "backend/gpu/kernels.hpp"
#include "transforms/univariate_skip.hpp"

namespace whorl::gpu {
namespace {

// Threads that keep a GPU busy while it streams a trace.
constexpr std::uint64_t kStreamingThreads = std::uint64_t{1} << 18;
constexpr std::uint32_t kMinColumnsPerRun = 16;
constexpr std::uint32_t kMaxChunks = 256;
constexpr std::uint32_t kBlocksPerThread = 8;
constexpr std::uint64_t kMaxRoundGroups = 256;
constexpr std::uint32_t kRowsPerSplit = 4096;

std::uint32_t num_products(const StackedGroup& group) {
    return group.has_rot ? 2 : 1;
}
std::uint32_t num_blocks(const StackedGroup& group) {
    return std::uint32_t{1} << group.n_lift;
}

}  // namespace

// The weighted sums of one height before they are put together: one table for each run of columns.
struct StackedReduction::Combination {
    Buffer tables;
    std::uint32_t num_tables = 0, num_rotated_tables = 0;  // the rotated ones come last
};

// The values of the columns of one height, on their way.
struct StackedReduction::Dots {
    const StackedGroup* group;
    EqHeaps heaps;
    Buffer weights, splits;
    std::uint32_t num_splits;
    Mailbox<Fp4> values;
};

// The sums of a round over the heights whose variables are not all bound, on their way.
struct StackedReduction::Message {
    std::vector<std::size_t> groups;
    std::vector<Buffer> folded;  // one per entry of `groups`; empty in the first round
    std::uint64_t num_partials = 0;
    Buffer partials;  // where there are several
    Mailbox<Fp4> sums;
};

StackedReduction::StackedReduction(Device& device, const DeviceTraces& traces, const ProverInput& input,
                                   const Fp4& lambda, std::span<const Fp4> r)
    : device_(device),
      traces_(traces),
      l_(input.params().l_skip),
      lambda_(lambda),
      r_(r.begin(), r.end()),
      groups_(stacked_groups(input, lambda)),
      tables_(groups_.size()),
      cells_(input, lambda, r) {}

// Records one kernel.
StackedReduction::Combination StackedReduction::combine(const StackedGroup& group) const {
    std::vector<Address> columns;
    std::vector<Fp4> weights, rotated_weights;
    for (const bool need_rot : {true, false}) {
        for (const StackedColumn& column : group.columns) {
            if (column.need_rot != need_rot) continue;
            columns.push_back(traces_.part(column.part).column(column.column));
            weights.push_back(column.weight);
            if (need_rot) rotated_weights.push_back(column.weight * lambda_);
        }
    }
    const std::uint32_t num_columns = static_cast<std::uint32_t>(columns.size());
    const std::uint32_t num_rotating = static_cast<std::uint32_t>(rotated_weights.size());
    const std::uint32_t height = std::uint32_t{1} << group.log_height;
    const std::uint32_t wanted_runs =
        static_cast<std::uint32_t>(std::max<std::uint64_t>(1, kStreamingThreads / height));
    const std::uint32_t run_size = std::max(kMinColumnsPerRun, (num_columns + wanted_runs - 1) / wanted_runs);
    std::vector<ColumnRun> runs;
    Combination out;
    for (std::uint32_t first = 0; first < num_columns;) {
        const bool is_rotating = first < num_rotating;
        const std::uint32_t count = std::min(run_size, (is_rotating ? num_rotating : num_columns) - first);
        runs.push_back({first, count, out.num_tables++ * height, kNoColumnRunOutput});
        if (is_rotating) ++out.num_rotated_tables;
        first += count;
    }
    for (std::uint32_t i = 0; i < out.num_rotated_tables; ++i) runs[i].rotated_out = (out.num_tables + i) * height;

    Recorder& recorder = device_.recorder();
    out.tables = device_.arena().take_exts("stacked_partial_sums",
                                           std::uint64_t{out.num_tables + out.num_rotated_tables} * height);
    recorder.dispatch(kernel::combine_columns,
                      groups_for(kernel::combine_columns, std::uint64_t{out.num_tables} * height),
                      {.columns = recorder.upload(columns),
                       .weights = recorder.upload(weights),
                       .rotated_weights = recorder.upload(rotated_weights),
                       .runs = recorder.upload(runs),
                       .out = out.tables.address(),
                       .num_runs = out.num_tables,
                       .log_height = group.log_height,
                       .log_stride = 0,
                       .accumulate = 0});
    return out;
}

std::vector<Fp4> StackedReduction::univariate_message() {
    Recorder& recorder = device_.recorder();
    const std::uint32_t n = std::uint32_t{1} << l_;
    std::vector<Combination> combinations;
    std::vector<EqHeaps> heaps;
    for (const StackedGroup& group : groups_) {
        combinations.push_back(combine(group));
        heaps.emplace_back(device_, StackedKernels(l_, group.log_height, r_).cube());
    }
    std::int64_t num_kernels = static_cast<std::int64_t>(groups_.size()) * (1 + EqHeaps::kNumKernels);

    recorder.next_stage();
    for (std::size_t g = 0; g < groups_.size(); ++g) {
        const StackedGroup& group = groups_[g];
        const std::uint32_t height = std::uint32_t{1} << group.log_height;
        const std::uint32_t rows = num_blocks(group) << l_;
        Tables& tables = tables_[g];
        tables.sums = device_.arena().take_exts("stacked_sums", std::uint64_t{num_products(group)} * rows);
        tables.eq = device_.arena().take_exts("stacked_eq", num_blocks(group));
        const Combination& combination = combinations[g];
        const auto sum = [&](std::uint32_t first, std::uint32_t count, std::uint32_t product) {
            recorder.dispatch(kernel::sum_tables, groups_for(kernel::sum_tables, rows),
                              {.in = combination.tables.ext(std::uint64_t{first} * height),
                               .out = tables.sums.ext(std::uint64_t{product} * rows),
                               .size = height,
                               .num_tables = count,
                               .log_stride = group.log_height < l_ ? l_ - group.log_height : 0,
                               .pad = 0});
        };
        sum(0, combination.num_tables, 0);
        if (group.has_rot) sum(combination.num_tables, combination.num_rotated_tables, 1);
        heaps[g].write_table(device_, tables.eq.address());
        num_kernels += num_products(group) + 1;
    }

    recorder.next_stage();
    std::vector<Buffer> chunks;
    const auto num_sums = [](const StackedGroup& group) {
        return num_products(group) + (group.has_rot_across_blocks() ? 1 : 0);
    };
    const auto num_chunks = [](const StackedGroup& group) {
        return std::clamp(num_blocks(group) / kBlocksPerThread, std::uint32_t{1}, kMaxChunks);
    };
    for (std::size_t g = 0; g < groups_.size(); ++g) {
        const StackedGroup& group = groups_[g];
        chunks.push_back(
            device_.arena().take_exts("stacked_block_sums", std::uint64_t{num_chunks(group)} * num_sums(group) * n));
        recorder.dispatch(kernel::stacked_sum_blocks,
                          groups_for(kernel::stacked_sum_blocks, std::uint64_t{num_chunks(group)} * n),
                          {.tables = tables_[g].sums.address(),
                           .eq = tables_[g].eq.address(),
                           .out = chunks[g].address(),
                           .l = l_,
                           .num_blocks = num_blocks(group),
                           .num_chunks = num_chunks(group),
                           .num_sums = num_sums(group)});
    }

    recorder.next_stage();
    std::vector<Mailbox<Fp4>> mailboxes;
    for (std::size_t g = 0; g < groups_.size(); ++g) {
        mailboxes.push_back(recorder.mailbox<Fp4>(num_sums(groups_[g]) * n));
        recorder.dispatch(
            kernel::sum_strided, mailboxes[g].size(),
            {chunks[g].address(), mailboxes[g].address(), num_chunks(groups_[g]), 1, mailboxes[g].size()});
    }
    num_kernels += 2 * static_cast<std::int64_t>(groups_.size());
    recorder.submit_and_wait(num_kernels);

    std::vector<StackedBlockSums> sums;
    for (const Mailbox<Fp4>& mailbox : mailboxes) {
        const std::vector<Fp4> values = mailbox.values();
        const auto part = [&](std::size_t s) {
            const std::size_t first = std::min(values.size(), s * n), last = std::min(values.size(), (s + 1) * n);
            return std::vector<Fp4>(values.begin() + static_cast<std::ptrdiff_t>(first),
                                    values.begin() + static_cast<std::ptrdiff_t>(last));
        };
        sums.push_back({part(0), part(1), part(2)});
    }
    return stacked_univariate_message(l_, r_, groups_, sums);
}

void StackedReduction::fold_univariate(const Fp4& u0) {
    u_.push_back(u0);
    const Address basis = device_.recorder().upload(lagrange_basis_at(l_, u0));
    for (std::size_t g = 0; g < groups_.size(); ++g) {
        const StackedGroup& group = groups_[g];
        Tables& tables = tables_[g];
        if (group.n_lift == 0) {
            tables = {};
            continue;
        }
        const auto factors = StackedKernels(l_, group.log_height, r_).bind(u0);
        const std::uint64_t threads = std::uint64_t{num_products(group)} * num_blocks(group);
        tables.rounds = device_.arena().take_exts("stacked_round", 2 * threads);
        device_.recorder().dispatch(kernel::stacked_bind_blocks, groups_for(kernel::stacked_bind_blocks, threads),
                                    {.in = tables.sums.address(),
                                     .basis = basis,
                                     .eq = tables.eq.address(),
                                     .out = tables.rounds.address(),
                                     .factor = ext_param(factors.eq),
                                     .rotated_factor = ext_param(factors.rot),
                                     .difference = ext_param(factors.difference),
                                     .l = l_,
                                     .num_blocks = num_blocks(group),
                                     .num_products = num_products(group),
                                     .pad = 0});
        ++num_recorded_;
    }
}

// Records the eq heaps.
StackedReduction::Dots StackedReduction::start_dots(const StackedGroup& group) const {
    const std::uint32_t height = std::uint32_t{1} << group.log_height;
    const std::uint32_t num_splits = std::max<std::uint32_t>(1, height / kRowsPerSplit);
    Arena& arena = device_.arena();
    return {.group = &group,
            .heaps = EqHeaps(device_, std::span<const Fp4>(u_).subspan(1, group.n_lift)),
            .weights = arena.take_exts("stacked_row_weights", height),
            .splits = num_splits > 1 ? arena.take_exts("stacked_dots", num_splits * group.columns.size()) : Buffer(),
            .num_splits = num_splits,
            .values = device_.recorder().mailbox<Fp4>(group.columns.size())};
}

// Records one kernel, which the heaps come before.
void StackedReduction::record_row_weights(const Dots& dots) const {
    const unsigned log_height = dots.group->log_height;
    device_.recorder().dispatch(kernel::stacked_row_weights,
                                groups_for(kernel::stacked_row_weights, std::uint64_t{1} << log_height),
                                {.first = device_.recorder().upload(block_row_weights(l_, log_height, u_[0])),
                                 .low_heap = dots.heaps.low(),
                                 .high_heap = dots.heaps.high(),
                                 .out = dots.weights.address(),
                                 .log_first = std::min(l_, log_height),
                                 .num_low = dots.heaps.num_low(),
                                 .num_vars = dots.heaps.num_vars(),
                                 .pad = 0});
}

// Records one kernel, which the row weights come before.
void StackedReduction::record_dots(const Dots& dots) const {
    std::vector<Address> columns;
    for (const StackedColumn& column : dots.group->columns)
        columns.push_back(traces_.part(column.part).column(column.column));
    const std::uint32_t num_columns = static_cast<std::uint32_t>(columns.size());
    const std::uint32_t num_column_blocks = (num_columns + kDotColumnsAtOnce - 1) / kDotColumnsAtOnce;
    device_.recorder().dispatch(kernel::dot_columns, std::uint64_t{num_column_blocks} * dots.num_splits,
                                {.columns = device_.recorder().upload(columns),
                                 .weights = dots.weights.address(),
                                 .out = dots.splits ? dots.splits.address() : dots.values.address(),
                                 .num_columns = num_columns,
                                 .num_splits = dots.num_splits,
                                 .rows_per_split = (std::uint32_t{1} << dots.group->log_height) / dots.num_splits,
                                 .pad = 0});
}

// Records one kernel for each group.
void StackedReduction::record_message(Message& message) const {
    const unsigned round = static_cast<unsigned>(u_.size());
    const auto num_pairs = [&](std::size_t g) { return num_blocks(groups_[g]) >> round; };
    const auto num_threadgroups = [&](std::size_t g) {
        return std::min(kMaxRoundGroups, groups_for(kernel::stacked_round, num_pairs(g)));
    };
    for (const std::size_t g : message.groups) message.num_partials += num_threadgroups(g);
    message.sums = device_.recorder().mailbox<Fp4>(2);
    if (message.num_partials > 1)
        message.partials = device_.arena().take_exts("stacked_partials", 2 * message.num_partials);
    Address out = message.partials ? message.partials.address() : message.sums.address();
    for (const std::size_t g : message.groups) {
        const std::uint32_t products = num_products(groups_[g]);
        Buffer& folded = message.folded.emplace_back();
        if (round > 1) folded = device_.arena().take_exts("stacked_round", std::uint64_t{4} * products * num_pairs(g));
        device_.recorder().dispatch(kernel::stacked_round, num_threadgroups(g),
                                    {.in = tables_[g].rounds.address(),
                                     .folded = folded.address(),
                                     .out = out,
                                     .r = ext_param(u_.back()),
                                     .num_pairs = num_pairs(g),
                                     .num_products = products,
                                     .is_folding = round > 1 ? 1u : 0u,
                                     .pad = 0});
        out += 2 * sizeof(Fp4) * num_threadgroups(g);
    }
}

// Submits what is recorded, with the sums of the round on the device, and turns columns whose variables are all bound
// into cells.
std::array<Fp4, 2> StackedReduction::run_round() {
    Recorder& recorder = device_.recorder();
    const unsigned round = static_cast<unsigned>(u_.size());
    Message message;
    std::vector<Dots> dots;  // shortest first, as cells_ asks
    for (std::size_t g = groups_.size(); g-- > 0;) {
        if (groups_[g].n_lift >= round) message.groups.push_back(g);
        if (groups_[g].n_lift + 1 != round) continue;
        tables_[g] = {};
        dots.push_back(start_dots(groups_[g]));
    }
    if (message.groups.empty() && dots.empty()) return {};
    std::int64_t num_kernels = std::exchange(num_recorded_, 0) + static_cast<std::int64_t>(message.groups.size()) +
                               static_cast<std::int64_t>(dots.size()) * (EqHeaps::kNumKernels + 2);

    recorder.next_stage();
    if (!message.groups.empty()) record_message(message);
    for (const Dots& d : dots) record_row_weights(d);

    recorder.next_stage();
    if (message.partials) {
        recorder.dispatch(
            kernel::sum_strided, message.sums.size(),
            {message.partials.address(), message.sums.address(), message.num_partials, 1, message.sums.size()});
        ++num_kernels;
    }
    for (const Dots& d : dots) record_dots(d);

    recorder.next_stage();
    for (const Dots& d : dots) {
        if (!d.splits) continue;
        const std::uint32_t num_columns = static_cast<std::uint32_t>(d.group->columns.size());
        recorder.dispatch(kernel::sum_tables, groups_for(kernel::sum_tables, num_columns),
                          {.in = d.splits.address(),
                           .out = d.values.address(),
                           .size = num_columns,
                           .num_tables = d.num_splits,
                           .log_stride = 0,
                           .pad = 0});
        ++num_kernels;
    }
    recorder.submit_and_wait(num_kernels);

    for (std::size_t i = 0; i < message.groups.size(); ++i) {
        Tables& tables = tables_[message.groups[i]];
        if (message.folded[i]) tables.rounds = std::move(message.folded[i]);
        tables.sums = {};
        tables.eq = {};
    }
    for (const Dots& d : dots) cells_.add(*d.group, d.values.values(), u_);
    if (message.groups.empty()) return {};
    return {message.sums[0], message.sums[1]};
}

std::array<Fp4, 2> StackedReduction::round_message() {
    const std::array<Fp4, 2> on_device = run_round();
    std::array<Fp4, 2> message = cells_.round_message();
    for (std::size_t i = 0; i < message.size(); ++i) message[i] += on_device[i];
    return message;
}

void StackedReduction::fold(const Fp4& u) {
    cells_.fold(u);
    u_.push_back(u);
}

std::vector<std::vector<Fp4>> StackedReduction::openings() {
    run_round();
    return cells_.openings();
}

}  // namespace whorl::gpu
