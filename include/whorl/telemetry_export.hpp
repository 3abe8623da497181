// What was measured, for people (a tree), for programs (JSON) and for trace viewers (a timeline).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <whorl/error.hpp>
#include <whorl/telemetry.hpp>

namespace whorl {

/// What a run cost as a whole.
struct RunTotals {
    double total_ms = 0;
    std::uint64_t peak_rss_bytes = 0;     ///< of the process, since it started
    std::uint64_t minor_page_faults = 0;  ///< of the process: pages mapped without reading a disk
    std::uint64_t major_page_faults = 0;
    std::uint32_t num_threads = 0;
    std::optional<std::uint64_t> proof_bytes;
    /// What went to a GPU: sums of the spans' counters (telemetry fields command_buffer_count, …), 0 on the CPU.
    std::int64_t submissions = 0;
    std::int64_t waits = 0;
    std::int64_t kernels = 0;
    std::int64_t device_allocations = 0;
    std::int64_t device_bytes_allocated = 0;
    std::int64_t device_peak_bytes = 0;  ///< the most that one proof takes
};

/// The time since `telemetry` was made and the counters of the operating system; `num_threads` and `proof_bytes` are
/// the caller's to set.
RunTotals measure_totals(const Telemetry& telemetry) noexcept;

/// The sum of an integer field over the spans that lie inside no other that has it. Spans before `first` are left out.
std::int64_t field_sum(const Telemetry& telemetry, std::string_view field, std::size_t first = 0) noexcept;

/// Milliseconds by span name, in order of first appearance, summed over the spans of that name that do not lie inside
/// another of the same name. Spans before `first` are left out. Errors: kMachine (memory).
Result<std::vector<std::pair<std::string, double>>> time_ms_by_name(const Telemetry& telemetry,
                                                                    std::size_t first = 0) noexcept;

/// One line a span, children indented: name, milliseconds, share of the sum of the outermost spans, fields. Siblings of
/// one name share a line ("name x12"), which sums their times and leaves out their fields. "out of memory" where there is
/// none for the text.
std::string span_tree(const Telemetry& telemetry) noexcept;

/// {"spans": [{"name", "start_ms", "time_ms", "parent", "fields"}], "totals": {…}}. "parent" is an index into "spans",
/// or null. "totals" has the RunTotals and, for each span name, "<name>_time_ms" (time_ms_by_name). Errors: kMachine (memory).
Result<std::string> metrics_json(const Telemetry& telemetry, const RunTotals& totals) noexcept;

/// Complete events of the Chrome trace format, which Perfetto reads too. Errors: kMachine (memory).
Result<std::string> timeline_json(const Telemetry& telemetry) noexcept;

}  // namespace whorl
