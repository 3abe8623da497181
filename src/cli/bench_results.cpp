#include "cli/bench_results.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "cli/table.hpp"
#include "text/json.hpp"
#include "text/printable.hpp"

namespace whorl::cli {
namespace {

constexpr std::string_view kStage = "bench.beside";
constexpr std::string_view kTimeSuffix = "_time_ms";

// A span as the reference names it and as whorl does, its children after it.
struct SpanRow {
    unsigned depth;
    const char* name;
    const char* own_name;
};
constexpr SpanRow kSpanRows[] = {
    {0, "stark_prove_excluding_trace", "stark_prove_excluding_trace"},
    {1, "prover.main_trace_commit", "prover.main_trace_commit"},
    {2, "rs_code_matrix", "rs_code_matrix"},
    {2, "merkle_tree", "merkle_tree"},
    {1, "prover.rap_constraints", "prover.rap_constraints"},
    {2, "prover.rap_constraints.logup_gkr", "logup_gkr"},
    {2, "prover.rap_constraints.round0", "round0"},
    {2, "prover.rap_constraints.mle_rounds", "mle_rounds"},
    {1, "prover.openings", "prover.openings"},
    {2, "prover.openings.stacked_reduction", "stacked_reduction"},
    {2, "prover.openings.whir", "whir"},
};

Error bad_line(std::string message) {
    return {.code = ErrorCode::kBadFormat, .stage = std::string(kStage), .message = std::move(message)};
}

std::optional<double> median_of(const BenchRuns& runs, const SpanRow& row) {
    for (const char* name : {row.name, row.own_name}) {
        const auto found = runs.times_ms.find(name);
        if (found != runs.times_ms.end()) return median(found->second);
    }
    return std::nullopt;
}

std::string cell(std::optional<double> value, int digits) {
    return value ? fmt::format("{:.{}f}", *value, digits) : "-";
}

}  // namespace

double median(std::vector<double> values) {
    std::ranges::sort(values);
    const std::size_t middle = values.size() / 2;
    return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

Result<BenchResults> BenchResults::parse(std::string_view text, std::string_view where) {
    std::string_view rest = text;
    BenchResults results;
    for (std::size_t number = 1; !rest.empty(); ++number) {
        const std::string_view line = rest.substr(0, rest.find('\n'));
        rest.remove_prefix(std::min(line.size() + 1, rest.size()));
        if (line.empty()) continue;
        if (const Result<void> added = results.add_line(line); !added) {
            return bad_line(fmt::format("{}, line {}: {}", printable(where), number, added.error().message));
        }
    }
    return results;
}

Result<void> BenchResults::add_line(std::string_view text) {
    const Result<JsonDocument> parsed = parse_json(text, kStage, "the line");
    if (!parsed) return parsed.error();
    const Json& line = parsed->root();
    if (!line.is_object()) return bad_line("not a line of whorl bench");
    if (line.value("kind", Json()) != "run") return {};
    const Json name = line.value("name", Json());
    const Json spans = line.value("spans", Json());
    const std::string full_name = name.is_string() ? name.get<std::string>() : "";
    const std::size_t first = full_name.find('/');
    const std::size_t last = full_name.rfind('/');
    if (first == last) return bad_line("a run has a \"name\": proof/WORKLOAD/DEVICE");
    if (!spans.is_object()) return bad_line("a run has \"spans\"");

    const std::string workload = full_name.substr(first + 1, last - first - 1);
    const std::string device = full_name.substr(last + 1);
    const auto [at, is_new] = index_.try_emplace({workload, device}, runs_.size());
    if (is_new)
        runs_.push_back({.workload = workload, .device = device, .instruction_set = {}, .source = {}, .times_ms = {}});
    BenchRuns& runs = runs_[at->second];
    if (const Json set = line.value("instruction_set", Json()); is_new && set.is_string()) runs.instruction_set = set;
    if (const Json source = line.value("source", Json()); source.is_string()) runs.source = source;
    ++runs.num_runs;
    for (const auto& [key, time_ms] : spans.items()) {
        if (!key.ends_with(kTimeSuffix) || !time_ms.is_number())
            return bad_line("not the time of a span: " + printable(key));
        runs.times_ms[key.substr(0, key.size() - kTimeSuffix.size())].push_back(time_ms);
    }
    return {};
}

const BenchRuns* BenchResults::find(std::string_view workload) const {
    const auto found = std::ranges::find(runs_, workload, &BenchRuns::workload);
    return found == runs_.end() ? nullptr : &*found;
}

std::string side_by_side(const BenchRuns& runs, const BenchRuns& beside) {
    // Runs on one device with two instruction sets are told apart.
    const bool names_sets = runs.device == beside.device && runs.instruction_set != beside.instruction_set;
    const auto title = [&](const BenchRuns& of) {
        const std::string set = names_sets && !of.instruction_set.empty() ? ", " + printable(of.instruction_set) : "";
        return fmt::format("{}{}, {} run{}", printable(of.device), set, of.num_runs, of.num_runs == 1 ? "" : "s");
    };
    Table table({{"median ms", Align::kLeft}, {title(runs)}, {title(beside)}, {"ratio"}});
    for (const SpanRow& row : kSpanRows) {
        const std::optional<double> ours = median_of(runs, row);
        const std::optional<double> theirs = median_of(beside, row);
        if (!ours && !theirs) continue;
        std::optional<double> ratio;
        if (ours && theirs && *theirs > 0) ratio = *ours / *theirs;
        table.add({std::string(2 * row.depth, ' ') + row.name, cell(ours, 1), cell(theirs, 1), cell(ratio, 2)});
    }
    std::string text = fmt::format("{}\n{}", printable(runs.workload), table.text());
    if (runs.times_ms.contains("commit_stream") || beside.times_ms.contains("commit_stream")) {
        text += "  on a GPU whorl has rs_code_matrix and merkle_tree in one span\n";
    }
    if (!beside.source.empty()) text += fmt::format("  {}: {}\n", printable(beside.device), printable(beside.source));
    return text;
}

}  // namespace whorl::cli
