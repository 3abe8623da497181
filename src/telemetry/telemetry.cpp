#include <whorl/telemetry.hpp>

namespace whorl {

Telemetry::Telemetry() : origin_(std::chrono::steady_clock::now()) {}

std::string_view Telemetry::current() const {
    return current_ == SpanRecord::kNoParent ? std::string_view() : spans_[current_].name;
}

double Telemetry::now_ms() const {
    return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - origin_).count();
}

std::size_t Telemetry::open(std::string_view name) {
    const std::size_t index = spans_.size();
    spans_.push_back({.name = std::string(name), .parent = current_, .start_ms = now_ms(), .time_ms = 0, .fields = {}});
    current_ = index;
    if (counters_) {
        std::vector<std::pair<std::string_view, std::int64_t>> counts;
        counters_(counts);
        auto& [span, values] = counts_at_open_.emplace_back(index, std::vector<std::int64_t>());
        for (const auto& [name, count] : counts) values.push_back(count);
    }
    if (observer_) observer_(spans_[index], true);
    return index;
}

void Telemetry::close(std::size_t index) {
    SpanRecord& span = spans_[index];
    span.time_ms = now_ms() - span.start_ms;
    current_ = span.parent;
    if (counters_ && !counts_at_open_.empty() && counts_at_open_.back().first == index) {
        std::vector<std::pair<std::string_view, std::int64_t>> counts;
        counters_(counts);
        const std::vector<std::int64_t>& at_open = counts_at_open_.back().second;
        for (std::size_t i = 0; i < counts.size() && i < at_open.size(); ++i) {
            const std::int64_t change = counts[i].second - at_open[i];
            if (change != 0) span.fields.emplace_back(counts[i].first, change);
        }
        counts_at_open_.pop_back();
    }
    if (observer_) observer_(span, false);
}

Span::Span(Telemetry* telemetry, std::string_view name) : telemetry_(telemetry) {
    if (telemetry_ != nullptr) index_ = telemetry_->open(name);
}

Span::~Span() {
    if (telemetry_ != nullptr) telemetry_->close(index_);
}

void Span::set(std::string_view key, FieldValue value) {
    if (telemetry_ == nullptr) return;
    auto& fields = telemetry_->spans_[index_].fields;
    for (auto& [name, old_value] : fields) {
        if (name == key) {
            old_value = std::move(value);
            return;
        }
    }
    fields.emplace_back(key, std::move(value));
}

}  // namespace whorl
