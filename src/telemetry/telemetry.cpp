#include <whorl/telemetry.hpp>

namespace whorl {

Telemetry::Telemetry(std::size_t max_spans) : origin_(std::chrono::steady_clock::now()), max_spans_(max_spans) {}

void Telemetry::clear() {
    if (current_ != SpanRecord::kNoParent) return;
    spans_.clear();
    num_lost_ = 0;
}

std::string_view Telemetry::current() const {
    return current_ == SpanRecord::kNoParent ? std::string_view() : spans_[current_].name;
}

double Telemetry::now_ms() const {
    return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - origin_).count();
}

// Runs `work`; returns false, and counts it, where it failed for lack of memory.
template <class Work>
bool Telemetry::count_if_lost(const Work& work) noexcept {
    try {
        work();
        return true;
    } catch (...) {
        ++num_lost_;
        return false;
    }
}

std::size_t Telemetry::open(std::string_view name) noexcept {
    const std::size_t index = spans_.size();
    if (index >= max_spans_) {
        ++num_lost_;
        return SpanRecord::kNoParent;
    }
    const bool is_recorded = count_if_lost([&] {
        spans_.push_back(
            {.name = std::string(name), .parent = current_, .start_ms = now_ms(), .time_ms = 0, .fields = {}});
    });
    if (!is_recorded) return SpanRecord::kNoParent;
    current_ = index;
    if (counters_) {
        count_if_lost([&] {
            std::vector<std::pair<std::string_view, std::int64_t>> counts;
            counters_(counts);
            std::vector<std::int64_t> values;
            for (const auto& [counter, count] : counts) values.push_back(count);
            counts_at_open_.emplace_back(index, std::move(values));
        });
    }
    if (observer_) count_if_lost([&] { observer_(spans_[index], true); });
    return index;
}

void Telemetry::close(std::size_t index) noexcept {
    SpanRecord& span = spans_[index];
    span.time_ms = now_ms() - span.start_ms;
    current_ = span.parent;
    if (!counts_at_open_.empty() && counts_at_open_.back().first == index) {
        if (counters_) {
            count_if_lost([&] {
                std::vector<std::pair<std::string_view, std::int64_t>> counts;
                counters_(counts);
                const std::vector<std::int64_t>& at_open = counts_at_open_.back().second;
                for (std::size_t i = 0; i < counts.size() && i < at_open.size(); ++i) {
                    const std::int64_t change = counts[i].second - at_open[i];
                    if (change != 0) span.fields.emplace_back(counts[i].first, change);
                }
            });
        }
        counts_at_open_.pop_back();
    }
    if (observer_) count_if_lost([&] { observer_(span, false); });
}

Span::Span(Telemetry* telemetry, std::string_view name) noexcept : telemetry_(telemetry) {
    if (telemetry_ == nullptr) return;
    index_ = telemetry_->open(name);
    if (index_ == SpanRecord::kNoParent) telemetry_ = nullptr;
}

Span::~Span() {
    if (telemetry_ != nullptr) telemetry_->close(index_);
}

void Span::set(std::string_view key, FieldValue value) noexcept {
    if (telemetry_ == nullptr) return;
    telemetry_->count_if_lost([&] {
        auto& fields = telemetry_->spans_[index_].fields;
        for (auto& [name, old_value] : fields) {
            if (name == key) {
                old_value = std::move(value);
                return;
            }
        }
        fields.emplace_back(key, std::move(value));
    });
}

}  // namespace whorl
