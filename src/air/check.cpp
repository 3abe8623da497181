#include "air/check.hpp"

#include <algorithm>
#include <iterator>
#include <mutex>
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

// The rows on which a constraint is not zero.
struct FailingRows {
    std::size_t first = 0;
    std::uint64_t count = 0;

    void add(std::size_t row) {
        if (count++ == 0 || row < first) first = row;
    }
    void merge(const FailingRows& other) {
        if (other.count == 0) return;
        if (count == 0 || other.first < first) first = other.first;
        count += other.count;
    }
};

// One thread's count, by constraint; empty until a constraint fails.
using FailingConstraints = std::vector<FailingRows>;

Fp value_of(const AirTrace& trace, const Variable& variable, std::size_t row) {
    if (variable.entry == Variable::Entry::kPublic) return trace.public_values[variable.index];
    const std::size_t at = (row + variable.offset) % trace.height();
    if (variable.entry == Variable::Entry::kPreprocessed) return trace.preprocessed->at(at, variable.index);
    const bool is_cached = variable.part_index < trace.cached_mains.size();
    return (is_cached ? trace.cached_mains[variable.part_index].matrix() : trace.common_main).at(at, variable.index);
}

ConstraintFailure describe_failure(const AirVerifyingKey& air, const AirNotes& notes, const AirTrace& trace,
                                   std::uint32_t constraint, const FailingRows& rows) {
    ConstraintFailure failure;
    failure.air_id = trace.air_id;
    failure.row = rows.first;
    failure.num_rows = rows.count;
    failure.constraint = constraint;
    failure.note = note_at(notes.constraints, constraint);
    const std::uint32_t root = air.constraint_idx[constraint];
    failure.expression = render_constraint(air, notes, root);
    for (const Variable& variable : variables_of(air, root)) {
        failure.variables.push_back({variable_name(air, notes, variable), value_of(trace, variable, failure.row)});
    }
    return failure;
}

// The failures with the lowest first rows, described. Rows are evaluated once each.
std::vector<ConstraintFailure> describe_failures(const AirVerifyingKey& air, const AirNotes& notes,
                                                 const AirTrace& trace, const FailingConstraints& failing,
                                                 const BlockEvaluator& evaluator) {
    std::vector<std::uint32_t> order;
    for (std::uint32_t i = 0; i < failing.size(); ++i) {
        if (failing[i].count != 0) order.push_back(i);
    }
    std::ranges::sort(order, {}, [&](std::uint32_t i) { return std::pair(failing[i].first, i); });
    if (order.size() > CheckReport::kFailuresPerAir) order.resize(CheckReport::kFailuresPerAir);

    std::vector<ConstraintFailure> failures;
    failures.reserve(order.size());
    for (const std::uint32_t i : order) failures.push_back(describe_failure(air, notes, trace, i, failing[i]));
    BlockEvaluator::Scratch scratch = evaluator.make_scratch();
    for (auto first = failures.begin(); first != failures.end();) {
        const auto last = std::find_if(first, failures.end(), [&](const auto& f) { return f.row != first->row; });
        evaluator.evaluate(first->row, 1, scratch, [&](std::uint32_t constraint, std::span<const Fp> values) {
            const auto failure = std::find_if(first, last, [&](const auto& f) { return f.constraint == constraint; });
            if (failure != last) failure->value = values[0];
        });
        first = last;
    }
    return failures;
}

// --- Passes -----------------------------------------------------------------------------------------------------------

// Constraints, whose failures go into the report, and the buckets of all messages.
void check_air(const AirVerifyingKey& air, const AirNotes& notes, const AirTrace& trace, const BusTable& table,
               tbb::enumerable_thread_specific<BucketSums>& sums, CheckReport& report) {
    std::vector<std::size_t> bus_of;
    for (const SymbolicInteraction& interaction : air.interactions) {
        bus_of.push_back(table.position(interaction.bus_index));
    }
    const BlockEvaluator evaluator(air, trace, BlockEvaluator::Roots::kConstraintsAndInteractions);
    tbb::enumerable_thread_specific<BlockEvaluator::Scratch> scratches([&] { return evaluator.make_scratch(); });
    tbb::enumerable_thread_specific<FailingConstraints> failing_by_thread;
    for_each_block(trace.height(), [&](std::size_t first_row, std::size_t num_rows) {
        BlockEvaluator::Scratch& scratch = scratches.local();
        evaluator.evaluate(first_row, num_rows, scratch, [&](std::uint32_t constraint, std::span<const Fp> values) {
            if (std::ranges::all_of(values, &Fp::is_zero)) return;
            FailingConstraints& failing = failing_by_thread.local();
            if (failing.empty()) failing.resize(air.constraint_idx.size());
            for (std::size_t row = 0; row < values.size(); ++row) {
                if (!values[row].is_zero()) failing[constraint].add(first_row + row);
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
    FailingConstraints failing;
    for (const FailingConstraints& part : failing_by_thread) {
        if (part.empty()) continue;
        if (failing.empty()) failing.resize(part.size());
        for (std::size_t i = 0; i < part.size(); ++i) failing[i].merge(part[i]);
    }
    if (failing.empty()) return;
    const auto num_failing = std::ranges::count_if(failing, [](const FailingRows& rows) { return rows.count != 0; });
    report.failing_airs.push_back({trace.air_id, static_cast<std::uint64_t>(num_failing)});
    std::ranges::move(describe_failures(air, notes, trace, failing, evaluator), std::back_inserter(report.failures));
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

// AIRs that have interactions on a bus, and no trace.
std::vector<std::uint32_t> absent_airs(const VerifyingKey& vk, std::span<const AirTrace* const> traces,
                                       std::uint16_t bus_index) {
    std::vector<std::uint32_t> absent;
    for (std::uint32_t id = 0; id < vk.airs.size(); ++id) {
        const auto is_on_bus = [&](const SymbolicInteraction& interaction) {
            return interaction.bus_index == bus_index;
        };
        const auto is_of_air = [&](const AirTrace* trace) { return trace->air_id == id; };
        if (std::ranges::any_of(vk.airs[id].interactions, is_on_bus) && std::ranges::none_of(traces, is_of_air)) {
            absent.push_back(id);
        }
    }
    return absent;
}

}  // namespace

CheckReport check_rows(const VerifyingKey& vk, std::span<const AirTrace> traces, const KeyNotes& notes) {
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
        check_air(air, notes_of(notes, trace->air_id), *trace, table, sums, report);
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
    report.unbalanced_buses = ledger.report(notes);
    for (UnbalancedBus& bus : report.unbalanced_buses) bus.absent_airs = absent_airs(vk, sorted, bus.bus_index);
    return report;
}

namespace {

constexpr std::size_t kFailuresShownPerAir = 8;

std::string constraint_text(const ConstraintFailure& failure) {
    const std::string note = render_note(failure.note);
    std::string text =
        fmt::format("  {} `{}` fails in row {}", note.empty() ? fmt::format("constraint {}", failure.constraint) : note,
                    failure.expression, failure.row);
    if (const std::uint64_t more = failure.num_rows - 1; failure.num_rows > 1) {
        text += fmt::format(" (and {} more row{})", more, more == 1 ? "" : "s");
    }
    text += note.empty() ? "\n    it" : fmt::format("\n    constraint {}", failure.constraint);
    text += fmt::format(" is {}, expected 0\n", signed_value(failure.value));
    for (const auto& [name, value] : failure.variables) {
        text += fmt::format("    {} = {}\n", name, signed_value(value));
    }
    return text;
}

std::string failures_text(const CheckReport& report, std::span<const std::string> air_names) {
    std::string text;
    auto failure = report.failures.begin();  // in the order of the AIRs
    for (const FailingAir& air : report.failing_airs) {
        text += fmt::format("{}: {} constraint{} fail{}\n", air_label(air.air_id, air_names), air.num_constraints,
                            air.num_constraints == 1 ? "" : "s", air.num_constraints == 1 ? "s" : "");
        std::size_t num_shown = 0;
        for (; failure != report.failures.end() && failure->air_id == air.air_id; ++failure) {
            if (num_shown == kFailuresShownPerAir) continue;
            text += constraint_text(*failure);
            ++num_shown;
        }
        if (air.num_constraints > num_shown) text += fmt::format("  and {} more\n", air.num_constraints - num_shown);
    }
    return text;
}

std::string text_of(const CheckReport& report, std::span<const std::string> air_names) {
    if (report.is_satisfied()) {
        return fmt::format("all constraints hold ({} checked) and all buses balance ({} messages)\n",
                           report.num_constraints_checked, report.num_messages_checked);
    }
    std::string text = failures_text(report, air_names);
    auto out = std::back_inserter(text);
    for (const UnbalancedBus& bus : report.unbalanced_buses) {
        fmt::format_to(out, "bus {}{} does not balance{}\n", bus.bus_index,
                       bus.name.empty() ? "" : fmt::format(" ({})", bus.name),
                       bus.has_more ? "; some of its unbalanced messages:" : ":");
        for (const std::uint32_t id : bus.absent_airs) {
            fmt::format_to(out, "  {} has interactions on it, and no trace\n", air_label(id, air_names));
        }
        for (const UnbalancedMessage& message : bus.messages) {
            std::string fields;
            for (const Fp field : message.fields) {
                fields += fmt::format("{}{}", fields.empty() ? "" : ", ", signed_value(field));
            }
            fmt::format_to(out, "  ({}): net count {} from {} contribution{}\n", fields,
                           signed_value(message.net_count), message.num_contributions,
                           message.num_contributions == 1 ? "" : "s");
            for (const auto& c : message.contributions) {
                const std::string note = render_note(c.note);
                fmt::format_to(out, "    {} at {}, row {}, {}\n", signed_value(c.count), air_label(c.air_id, air_names),
                               c.row, note.empty() ? fmt::format("interaction {}", c.interaction) : note);
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
