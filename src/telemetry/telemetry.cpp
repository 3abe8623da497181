#include <whorl/telemetry.hpp>

namespace whorl {

Telemetry::Telemetry() : origin_(std::chrono::steady_clock::now()) {}

double Telemetry::now_ms() const {
    return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - origin_).count();
}

std::size_t Telemetry::open(std::string_view name) {
    const std::size_t index = spans_.size();
    spans_.push_back({.name = std::string(name), .parent = current_, .start_ms = now_ms(), .time_ms = 0, .fields = {}});
    current_ = index;
    if (observer_) observer_(spans_[index], true);
    return index;
}

void Telemetry::close(std::size_t index) {
    SpanRecord& span = spans_[index];
    span.time_ms = now_ms() - span.start_ms;
    current_ = span.parent;
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
