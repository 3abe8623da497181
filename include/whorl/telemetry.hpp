// Where the time goes: a tree of spans with fields, cheap enough to be always on.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace whorl {

using FieldValue = std::variant<std::int64_t, double, std::string>;

struct SpanRecord {
    static constexpr std::size_t kNoParent = static_cast<std::size_t>(-1);

    std::string name;
    std::size_t parent = kNoParent;  ///< index into Telemetry::spans()
    double start_ms = 0;             ///< since the Telemetry was made
    double time_ms = 0;              ///< 0 while the span is open
    std::vector<std::pair<std::string, FieldValue>> fields;
};

/// Collects the spans of one run. Spans open and close on one thread, the one that calls the prover.
class Telemetry {
public:
    /// Called when a span opens (`is_open`) and when it closes. What it throws is dropped.
    using Observer = std::function<void(const SpanRecord&, bool is_open)>;

    /// Current values of counters that only grow; appended in the same order each time.
    using Counters = std::function<void(std::vector<std::pair<std::string_view, std::int64_t>>&)>;

    static constexpr std::size_t kMaxSpans = std::size_t{1} << 20;

    Telemetry() : Telemetry(kMaxSpans) {}
    /// Spans beyond `max_spans` are counted in num_lost().
    explicit Telemetry(std::size_t max_spans);
    /// Forgets all spans, and what was lost; the clock goes on. Does nothing while a span is open.
    void clear();
    void set_observer(Observer observer) { observer_ = std::move(observer); }
    /// In the order in which they opened, so a parent comes before its children.
    const std::vector<SpanRecord>& spans() const { return spans_; }
    /// Spans, fields and calls of the observer that there was no memory for: what spans() lacks.
    std::size_t num_lost() const { return num_lost_; }
    /// The name of the innermost open span; empty where none is open.
    std::string_view current() const;
    /// Since the Telemetry was made.
    double now_ms() const;

    /// While set, every span that opens gets a field for each counter that has changed when it closes: by how much. Set and
    /// reset it (with {}) while the same spans are open.
    void set_counters(Counters counters) { counters_ = std::move(counters); }

private:
    friend class Span;
    std::size_t open(std::string_view name) noexcept;
    void close(std::size_t index) noexcept;
    template <class Work>
    bool count_if_lost(const Work& work) noexcept;

    std::chrono::steady_clock::time_point origin_;
    std::size_t max_spans_;
    std::vector<SpanRecord> spans_;
    std::size_t current_ = SpanRecord::kNoParent;
    std::size_t num_lost_ = 0;
    Observer observer_;
    Counters counters_;
    std::vector<std::pair<std::size_t, std::vector<std::int64_t>>> counts_at_open_;  // open spans, with their counts
};

/// Open from construction to destruction; does nothing when `telemetry` is null. Nothing here throws: what there is no memory
/// for is counted in Telemetry::num_lost().
class Span {
public:
    Span(Telemetry* telemetry, std::string_view name) noexcept;
    ~Span();
    Span(const Span&) = delete;
    Span& operator=(const Span&) = delete;
    /// Sets a field of the span; a second value for the same key replaces the first.
    void set(std::string_view key, FieldValue value) noexcept;

private:
    Telemetry* telemetry_;
    std::size_t index_ = SpanRecord::kNoParent;
};

}  // namespace whorl
