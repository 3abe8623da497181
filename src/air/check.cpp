#include "air/check.hpp"

#include <algorithm>
#include <atomic>
#include <bit>
#include <iterator>
#include <limits>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <tbb/enumerable_thread_specific.h>

#include "air/block_evaluator.hpp"
#include "air/bus_ledger.hpp"
#include "air/render.hpp"
#include "machine/guard.hpp"
#include "threads/parallel.hpp"

namespace whorl {
namespace {

// --- Rows -------------------------------------------------------------------------------------------------------------

template <class Body>
void for_each_block(std::size_t height, const Body& body) {
    const std::size_t num_blocks = (height + BlockEvaluator::kRows - 1) / BlockEvaluator::kRows;
    for_each_part(tbb::blocked_range<std::size_t>(0, num_blocks), [&](const tbb::blocked_range<std::size_t>& range) {
        for (std::size_t block = range.begin(); block != range.end(); ++block) {
            const std::size_t first_row = block * BlockEvaluator::kRows;
            body(first_row, std::min(BlockEvaluator::kRows, height - first_row));
        }
    });
}

// Calls visit(interaction, row of the block, fields, count) for every message with a count other than 0.
template <class Visit>
void for_each_message(const AirVerifyingKey& air, const BlockEvaluator::Scratch& scratch, std::size_t num_rows,
                      std::vector<Fp>& fields, const Visit& visit) {
    for (std::uint32_t i = 0; i < air.interactions.size(); ++i) {
        const SymbolicInteraction& interaction = air.interactions[i];
        fields.resize(interaction.message.size());
        for (std::size_t row = 0; row < num_rows; ++row) {
            const Fp count = scratch.values[interaction.count][row];
            if (count.is_zero()) continue;
            for (std::size_t f = 0; f < fields.size(); ++f) fields[f] = scratch.values[interaction.message[f]][row];
            visit(i, row, std::span<const Fp>(fields), count);
        }
    }
}

// The place of a failure, lowest row first; kNone where there is none.
struct FirstFailure {
    static constexpr std::uint64_t kNone = std::numeric_limits<std::uint64_t>::max();

    std::atomic<std::uint64_t> place{kNone};

    void offer(std::size_t row, std::uint32_t constraint) {
        const std::uint64_t candidate = std::uint64_t{row} << 32 | constraint;
        std::uint64_t current = place.load();
        while (candidate < current && !place.compare_exchange_weak(current, candidate)) {
        }
    }
};

Fp value_of(const AirTrace& trace, const Variable& variable, std::size_t row) {
    if (variable.entry == Variable::Entry::kPublic) return trace.public_values[variable.index];
    const std::size_t at = (row + variable.offset) % trace.height();
    if (variable.entry == Variable::Entry::kPreprocessed) return trace.preprocessed->at(at, variable.index);
    const bool is_cached = variable.part_index < trace.cached_mains.size();
    return (is_cached ? trace.cached_mains[variable.part_index].matrix() : trace.common_main).at(at, variable.index);
}

ConstraintFailure describe_failure(const AirVerifyingKey& air, const AirTrace& trace, std::uint64_t place) {
    ConstraintFailure failure;
    failure.air_id = trace.air_id;
    failure.row = place >> 32;
    failure.constraint = static_cast<std::uint32_t>(place);
    const std::uint32_t root = air.constraint_idx[failure.constraint];
    failure.expression = render_expression(air, root);
    for (const Variable& variable : variables_of(air, root)) {
        failure.variables.push_back({variable_name(air, variable), value_of(trace, variable, failure.row)});
    }
    const BlockEvaluator evaluator(air, trace, BlockEvaluator::Roots::kConstraintsAndInteractions);
    BlockEvaluator::Scratch scratch = evaluator.make_scratch();
    evaluator.evaluate(failure.row, 1, scratch, [&](std::uint32_t constraint, std::span<const Fp> values) {
        if (constraint == failure.constraint) failure.value = values[0];
    });
    return failure;
}

// --- Passes -----------------------------------------------------------------------------------------------------------

// Constraints, and the buckets of all messages.
std::optional<ConstraintFailure> check_air(const AirVerifyingKey& air, const AirTrace& trace, const BusTable& table,
                                           tbb::enumerable_thread_specific<BucketSums>& sums) {
    std::vector<std::size_t> bus_of;
    for (const SymbolicInteraction& interaction : air.interactions) {
        bus_of.push_back(table.position(interaction.bus_index));
    }
    const BlockEvaluator evaluator(air, trace, BlockEvaluator::Roots::kConstraintsAndInteractions);
    tbb::enumerable_thread_specific<BlockEvaluator::Scratch> scratches([&] { return evaluator.make_scratch(); });
    FirstFailure first;
    for_each_block(trace.height(), [&](std::size_t first_row, std::size_t num_rows) {
        BlockEvaluator::Scratch& scratch = scratches.local();
        evaluator.evaluate(first_row, num_rows, scratch, [&](std::uint32_t constraint, std::span<const Fp> values) {
            for (std::size_t row = 0; row < values.size(); ++row) {
                if (!values[row].is_zero()) {
                    first.offer(first_row + row, constraint);
                    break;
                }
            }
        });
        if (air.interactions.empty()) return;
        BucketSums& local_sums = sums.local();
        std::vector<Fp> fields;
        for_each_message(air, scratch, num_rows, fields,
                         [&](std::uint32_t interaction, std::size_t, std::span<const Fp> message, Fp count) {
                             const MessageHash hash = hash_message(message);
                             local_sums.add(table.bucket(bus_of[interaction], hash), hash, count);
                         });
    });
    const std::uint64_t place = first.place.load();
    if (place == FirstFailure::kNone) return std::nullopt;
    return describe_failure(air, trace, place);
}

void record_messages(const AirVerifyingKey& air, const AirTrace& trace, const BusTable& table, BusLedger& ledger,
                     std::mutex& ledger_mutex) {
    const BlockEvaluator evaluator(air, trace, BlockEvaluator::Roots::kInteractions);
    tbb::enumerable_thread_specific<BlockEvaluator::Scratch> scratches([&] { return evaluator.make_scratch(); });
    for_each_block(trace.height(), [&](std::size_t first_row, std::size_t num_rows) {
        BlockEvaluator::Scratch& scratch = scratches.local();
        evaluator.evaluate(first_row, num_rows, scratch, [](std::uint32_t, std::span<const Fp>) {});
        std::vector<Fp> fields;
        for_each_message(air, scratch, num_rows, fields,
                         [&](std::uint32_t interaction, std::size_t row, std::span<const Fp> message, Fp count) {
                             const std::size_t bus = table.position(air.interactions[interaction].bus_index);
                             if (!ledger.is_watched(table.bucket(bus, hash_message(message)))) return;
                             const std::lock_guard lock(ledger_mutex);
                             ledger.add(bus, message, {trace.air_id, first_row + row, interaction, count});
                         });
    });
}

std::string air_label(std::uint32_t air_id, std::span<const std::string> names) {
    if (air_id >= names.size() || names[air_id].empty()) return fmt::format("AIR {}", air_id);
    return fmt::format("AIR {} ({})", air_id, names[air_id]);
}

}  // namespace

CheckReport check_rows(const VerifyingKey& vk, std::span<const AirTrace> traces) {
    std::vector<const AirTrace*> sorted;
    for (const AirTrace& trace : traces) sorted.push_back(&trace);
    std::sort(sorted.begin(), sorted.end(), [](const auto* a, const auto* b) { return a->air_id < b->air_id; });

    CheckReport report;
    const BusTable table(vk);
    tbb::enumerable_thread_specific<BucketSums> sums([&] { return BucketSums(table); });
    for (const AirTrace* trace : sorted) {
        const AirVerifyingKey& air = vk.airs[trace->air_id];
        report.num_constraints_checked += std::uint64_t{air.constraint_idx.size()} * trace->height();
        report.num_messages_checked += std::uint64_t{air.interactions.size()} * trace->height();
        if (auto failure = check_air(air, *trace, table, sums)) report.failures.push_back(std::move(*failure));
    }

    BucketSums total(table);
    for (const BucketSums& part : sums) total.merge(part);
    BusLedger ledger(table, total);
    if (ledger.is_empty()) return report;
    std::mutex ledger_mutex;
    for (const AirTrace* trace : sorted) {
        const AirVerifyingKey& air = vk.airs[trace->air_id];
        if (!air.interactions.empty()) record_messages(air, *trace, table, ledger, ledger_mutex);
    }
    report.unbalanced_buses = ledger.report();
    return report;
}

namespace {

std::string text_of(const CheckReport& report, std::span<const std::string> air_names) {
    if (report.is_satisfied()) {
        return fmt::format("all constraints hold ({} checked) and all buses balance ({} messages)\n",
                           report.num_constraints_checked, report.num_messages_checked);
    }
    std::string text;
    auto out = std::back_inserter(text);
    for (const ConstraintFailure& failure : report.failures) {
        fmt::format_to(out, "{}, row {}: constraint {} is {}, expected 0\n  {}\n", air_label(failure.air_id, air_names),
                       failure.row, failure.constraint, signed_value(failure.value), failure.expression);
        for (const auto& [name, value] : failure.variables) {
            fmt::format_to(out, "  {} = {}\n", name, signed_value(value));
        }
    }
    for (const UnbalancedBus& bus : report.unbalanced_buses) {
        fmt::format_to(out, "bus {} does not balance{}\n", bus.bus_index,
                       bus.has_more ? "; some of its unbalanced messages:" : ":");
        for (const UnbalancedMessage& message : bus.messages) {
            std::string fields;
            for (const Fp field : message.fields) {
                fields += fmt::format("{}{}", fields.empty() ? "" : ", ", signed_value(field));
            }
            fmt::format_to(out, "  ({}): net count {} from {} contributions\n", fields, signed_value(message.net_count),
                           message.num_contributions);
            for (const auto& c : message.contributions) {
                fmt::format_to(out, "    {} at {}, row {}, interaction {}\n", signed_value(c.count),
                               air_label(c.air_id, air_names), c.row, c.interaction);
            }
        }
    }
    return text;
}

}  // namespace

std::string describe(const CheckReport& report, std::span<const std::string> air_names) noexcept {
    return guarded_text([&] { return text_of(report, air_names); });
}

}  // namespace whorl
