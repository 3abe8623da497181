#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstddef>
#include <map>
#include <nlohmann/json.hpp>
#include <type_traits>
#include <whorl/telemetry_export.hpp>

namespace whorl {
namespace {

using Json = nlohmann::ordered_json;

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

Json fields_json(const SpanRecord& span) {
    Json fields = Json::object();
    for (const auto& [key, value] : span.fields) std::visit([&](const auto& v) { fields[key] = v; }, value);
    return fields;
}

// A span may carry any text; JSON may not.
std::string dump(const Json& json, int indent) {
    return json.dump(indent, ' ', false, Json::error_handler_t::replace);
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

std::int64_t field_sum(const Telemetry& telemetry, std::string_view field, std::size_t first) {
    const auto& spans = telemetry.spans();
    std::vector<bool> is_counted(spans.size());
    std::int64_t sum = 0;
    for (std::size_t i = first; i < spans.size(); ++i) {
        const std::size_t parent = spans[i].parent;
        is_counted[i] = parent != SpanRecord::kNoParent && is_counted[parent];
        const std::int64_t* value = integer_field(spans[i], field);
        if (is_counted[i] || value == nullptr) continue;
        is_counted[i] = true;
        sum += *value;
    }
    return sum;
}

RunTotals measure_totals(const Telemetry& telemetry) {
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

std::vector<std::pair<std::string, double>> time_ms_by_name(const Telemetry& telemetry, std::size_t first) {
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

std::string span_tree(const Telemetry& telemetry) {
    return TreePrinter(telemetry.spans()).print();
}

std::string metrics_json(const Telemetry& telemetry, const RunTotals& totals) {
    const auto& spans = telemetry.spans();
    Json json;
    json["spans"] = Json::array();
    for (const SpanRecord& span : spans) {
        json["spans"].push_back({{"name", span.name},
                                 {"start_ms", span.start_ms},
                                 {"time_ms", span.time_ms},
                                 {"parent", span.parent == SpanRecord::kNoParent ? Json(nullptr) : Json(span.parent)},
                                 {"fields", fields_json(span)}});
    }
    Json& out = json["totals"];
    out["total_ms"] = totals.total_ms;
    out["peak_rss_bytes"] = totals.peak_rss_bytes;
    out["minor_page_faults"] = totals.minor_page_faults;
    out["major_page_faults"] = totals.major_page_faults;
    out["threads"] = totals.num_threads;
    if (totals.proof_bytes) out["proof_bytes"] = *totals.proof_bytes;
    out["submissions"] = totals.submissions;
    out["waits"] = totals.waits;
    out["kernels"] = totals.kernels;
    out["device_allocations"] = totals.device_allocations;
    out["device_bytes_allocated"] = totals.device_bytes_allocated;
    out["device_peak_bytes"] = totals.device_peak_bytes;
    for (const auto& [name, time_ms] : time_ms_by_name(telemetry)) out[name + "_time_ms"] = time_ms;
    return dump(json, 2) + '\n';
}

std::string timeline_json(const Telemetry& telemetry) {
    constexpr double kMicrosecondsPerMs = 1000;
    Json json;
    json["displayTimeUnit"] = "ms";
    Json& events = json["traceEvents"];
    events = Json::array();
    events.push_back({{"ph", "M"}, {"name", "process_name"}, {"pid", 1}, {"tid", 1}, {"args", {{"name", "whorl"}}}});
    for (const SpanRecord& span : telemetry.spans()) {
        events.push_back({{"ph", "X"},
                          {"name", span.name},
                          {"cat", "whorl"},
                          {"ts", span.start_ms * kMicrosecondsPerMs},
                          {"dur", span.time_ms * kMicrosecondsPerMs},
                          {"pid", 1},
                          {"tid", 1},
                          {"args", fields_json(span)}});
    }
    return dump(json, 0) + '\n';
}

}  // namespace whorl
