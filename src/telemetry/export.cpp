#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstddef>
#include <map>
#include <type_traits>
#include <whorl/telemetry_export.hpp>

#include "machine/guard.hpp"
#include "text/json_writer.hpp"

namespace whorl {
namespace {

std::string field_text(const FieldValue& value) {
    return std::visit(
        [](const auto& v) {
            if constexpr (std::is_same_v<std::decay_t<decltype(v)>, double>) {
                return fmt::format("{:.4g}", v);
            } else {
                return fmt::format("{}", v);
            }
        },
        value);
}

/// Siblings of one name, as one line of the tree.
struct TreeLine {
    std::string label;
    double time_ms = 0;
    std::string fields;
};

class TreePrinter {
public:
    explicit TreePrinter(const std::vector<SpanRecord>& spans) : spans_(spans), children_(spans.size()) {
        for (std::size_t i = 0; i < spans.size(); ++i) {
            if (spans[i].parent == SpanRecord::kNoParent) {
                roots_.push_back(i);
                total_ms_ += spans[i].time_ms;
            } else {
                children_[spans[i].parent].push_back(i);
            }
        }
    }

    std::string print() {
        add_lines(roots_, 0);
        std::size_t label_width = 0;
        for (const TreeLine& line : lines_) label_width = std::max(label_width, line.label.size());
        std::string text;
        for (const TreeLine& line : lines_) {
            const double share = total_ms_ > 0 ? 100 * line.time_ms / total_ms_ : 0;
            text += fmt::format("{:<{}}  {:>10.2f} ms  {:>5.1f}%", line.label, label_width, line.time_ms, share);
            if (!line.fields.empty()) text += "  " + line.fields;
            text += '\n';
        }
        return text;
    }

private:
    void add_lines(const std::vector<std::size_t>& siblings, std::size_t depth) {
        std::vector<std::vector<std::size_t>> groups;
        std::map<std::string_view, std::size_t> group_of_name;
        for (const std::size_t i : siblings) {
            const auto [it, is_new] = group_of_name.try_emplace(spans_[i].name, groups.size());
            if (is_new) groups.emplace_back();
            groups[it->second].push_back(i);
        }
        for (const auto& group : groups) {
            const SpanRecord& first = spans_[group.front()];
            TreeLine line{.label = std::string(2 * depth, ' ') + first.name, .time_ms = 0, .fields = {}};
            std::vector<std::size_t> children;
            for (const std::size_t i : group) {
                line.time_ms += spans_[i].time_ms;
                children.insert(children.end(), children_[i].begin(), children_[i].end());
            }
            if (group.size() > 1) {
                line.label += fmt::format(" x{}", group.size());
            } else {
                for (const auto& [key, value] : first.fields) {
                    if (!line.fields.empty()) line.fields += ' ';
                    line.fields += key + '=' + field_text(value);
                }
            }
            lines_.push_back(std::move(line));
            add_lines(children, depth + 1);
        }
    }

    const std::vector<SpanRecord>& spans_;
    std::vector<std::vector<std::size_t>> children_;
    std::vector<std::size_t> roots_;
    double total_ms_ = 0;
    std::vector<TreeLine> lines_;
};

bool is_inside_namesake(const std::vector<SpanRecord>& spans, std::size_t index) {
    for (std::size_t i = spans[index].parent; i != SpanRecord::kNoParent; i = spans[i].parent) {
        if (spans[i].name == spans[index].name) return true;
    }
    return false;
}

const std::int64_t* integer_field(const SpanRecord& span, std::string_view field) {
    for (const auto& [name, value] : span.fields) {
        if (name == field) return std::get_if<std::int64_t>(&value);
    }
    return nullptr;
}

}  // namespace

std::int64_t field_sum(const Telemetry& telemetry, std::string_view field, std::size_t first) noexcept {
    const auto& spans = telemetry.spans();
    // Whether a span from `first` on that holds span i has the field.
    const auto is_inside_counted = [&](std::size_t i) {
        for (i = spans[i].parent; i != SpanRecord::kNoParent && i >= first; i = spans[i].parent) {
            if (integer_field(spans[i], field) != nullptr) return true;
        }
        return false;
    };
    std::int64_t sum = 0;
    for (std::size_t i = first; i < spans.size(); ++i) {
        const std::int64_t* value = integer_field(spans[i], field);
        if (value != nullptr && !is_inside_counted(i)) sum += *value;
    }
    return sum;
}

RunTotals measure_totals(const Telemetry& telemetry) noexcept {
    RunTotals totals;
    totals.total_ms = telemetry.now_ms();
    rusage usage{};
    if (getrusage(RUSAGE_SELF, &usage) == 0) {
#ifdef __APPLE__
        constexpr std::uint64_t kMaxRssUnit = 1;
#else
        constexpr std::uint64_t kMaxRssUnit = 1024;
#endif
        totals.peak_rss_bytes = static_cast<std::uint64_t>(usage.ru_maxrss) * kMaxRssUnit;
        totals.minor_page_faults = static_cast<std::uint64_t>(usage.ru_minflt);
        totals.major_page_faults = static_cast<std::uint64_t>(usage.ru_majflt);
    }
    totals.submissions = field_sum(telemetry, "command_buffer_count");
    totals.waits = field_sum(telemetry, "sync_count");
    totals.kernels = field_sum(telemetry, "kernel_count");
    totals.device_allocations = field_sum(telemetry, "allocation_count");
    totals.device_bytes_allocated = field_sum(telemetry, "bytes_allocated");
    for (const SpanRecord& span : telemetry.spans()) {
        if (const std::int64_t* peak = integer_field(span, "peak_bytes")) {
            totals.device_peak_bytes = std::max(totals.device_peak_bytes, *peak);
        }
    }
    return totals;
}

namespace {

std::vector<std::pair<std::string, double>> times_by_name(const Telemetry& telemetry, std::size_t first) {
    const auto& spans = telemetry.spans();
    std::vector<std::pair<std::string, double>> times;
    std::map<std::string_view, std::size_t> place;
    for (std::size_t i = first; i < spans.size(); ++i) {
        const auto [it, is_new] = place.try_emplace(spans[i].name, times.size());
        if (is_new) times.emplace_back(spans[i].name, 0.0);
        if (!is_inside_namesake(spans, i)) times[it->second].second += spans[i].time_ms;
    }
    return times;
}

void write_fields(JsonWriter& json, std::string_view name, const SpanRecord& span) {
    json.key(name);
    json.open('{');
    for (const auto& [field, of] : span.fields) std::visit([&](const auto& v) { json.member(field, v); }, of);
    json.close('}');
}

std::string metrics_text(const Telemetry& telemetry, const RunTotals& totals) {
    JsonWriter json(2);
    json.open('{');
    json.key("spans");
    json.open('[');
    for (const SpanRecord& span : telemetry.spans()) {
        json.item();
        json.open('{');
        json.member("name", span.name);
        json.member("start_ms", span.start_ms);
        json.member("time_ms", span.time_ms);
        if (span.parent == SpanRecord::kNoParent) {
            json.member("parent", nullptr);
        } else {
            json.member("parent", span.parent);
        }
        write_fields(json, "fields", span);
        json.close('}');
    }
    json.close(']');
    json.key("totals");
    json.open('{');
    json.member("total_ms", totals.total_ms);
    json.member("peak_rss_bytes", totals.peak_rss_bytes);
    json.member("minor_page_faults", totals.minor_page_faults);
    json.member("major_page_faults", totals.major_page_faults);
    json.member("threads", totals.num_threads);
    if (totals.proof_bytes) json.member("proof_bytes", *totals.proof_bytes);
    json.member("submissions", totals.submissions);
    json.member("waits", totals.waits);
    json.member("kernels", totals.kernels);
    json.member("device_allocations", totals.device_allocations);
    json.member("device_bytes_allocated", totals.device_bytes_allocated);
    json.member("device_peak_bytes", totals.device_peak_bytes);
    for (const auto& [name, time_ms] : times_by_name(telemetry, 0)) json.member(name + "_time_ms", time_ms);
    json.close('}');
    json.close('}');
    return json.take() + '\n';
}

std::string timeline_text(const Telemetry& telemetry) {
    constexpr double kMicrosecondsPerMs = 1000;
    JsonWriter json(0);
    json.open('{');
    json.member("displayTimeUnit", "ms");
    json.key("traceEvents");
    json.open('[');
    const auto event = [&](const char* kind, const std::string& name) {
        json.item();
        json.open('{');
        json.member("ph", kind);
        json.member("name", name);
        json.member("pid", 1);
        json.member("tid", 1);
    };
    event("M", "process_name");
    json.key("args");
    json.open('{');
    json.member("name", "whorl");
    json.close('}');
    json.close('}');
    for (const SpanRecord& span : telemetry.spans()) {
        event("X", span.name);
        json.member("cat", "whorl");
        json.member("ts", span.start_ms * kMicrosecondsPerMs);
        json.member("dur", span.time_ms * kMicrosecondsPerMs);
        write_fields(json, "args", span);
        json.close('}');
    }
    json.close(']');
    json.close('}');
    return json.take() + '\n';
}

}  // namespace

Result<std::vector<std::pair<std::string, double>>> time_ms_by_name(const Telemetry& telemetry,
                                                                    std::size_t first) noexcept {
    return guarded("time_ms_by_name", [&]() -> Result<std::vector<std::pair<std::string, double>>> {
        return times_by_name(telemetry, first);
    });
}

std::string span_tree(const Telemetry& telemetry) noexcept {
    return guarded_text([&] { return TreePrinter(telemetry.spans()).print(); });
}

Result<std::string> metrics_json(const Telemetry& telemetry, const RunTotals& totals) noexcept {
    return guarded("metrics_json", [&]() -> Result<std::string> { return metrics_text(telemetry, totals); });
}

Result<std::string> timeline_json(const Telemetry& telemetry) noexcept {
    return guarded("timeline_json", [&]() -> Result<std::string> { return timeline_text(telemetry); });
}

}  // namespace whorl
