// Whether traces fit a key: all that is wrong, with place, limit and remedy.
#include "engine/check_traces.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <limits>
#include <string>
#include <string_view>
#include <utility>

#include "air/committed_matrix.hpp"
#include "key/height_bounds.hpp"
#include "machine/guard.hpp"
#include "proof/layout.hpp"
#include "text/printable.hpp"
#include "threads/parallel.hpp"
#include "threads/thread_team.hpp"

namespace whorl {
namespace {

constexpr std::size_t kMaxNameBytes = 64;
constexpr std::size_t kProblemsInSummary = 8;
// GKR's tables have at most 2^31 cells, one of them padding.
constexpr unsigned kLogMaxLogupCells = Fp::kTwoAdicity + 4;
// A stacked column's index has 32 bits.
constexpr std::uint64_t kMaxStackedColumns = std::numeric_limits<std::uint32_t>::max();

// "2^11" of a power of two.
std::string as_power(std::uint64_t value) {
    return fmt::format("2^{}", std::countr_zero(value));
}

// Printable, and cut where it is long.
std::string shown_name(std::string_view name) {
    if (name.size() <= kMaxNameBytes) return printable(name);
    std::size_t size = kMaxNameBytes;
    while (size > 0 && (static_cast<unsigned char>(name[size]) & 0xC0U) == 0x80U) --size;  // whole UTF-8 characters
    return printable(name.substr(0, size)) + "...";
}

class Validation {
public:
    Validation(const VerifyingKey& vk, std::span<const AirTrace> traces, std::span<const std::string> air_names,
               const KeyNotes& notes, WordCheck words, std::span<const std::optional<TracePart>> preprocessed,
               const PlaceProblem& place_problem = {})
        : vk_(vk),
          traces_(traces),
          air_names_(air_names),
          notes_(notes),
          words_(words),
          preprocessed_(preprocessed),
          place_problem_(place_problem),
          log_heights_(vk.airs.size(), -1) {}

    std::vector<TraceProblem> run() {
        if (traces_.empty()) add_no_trace();
        std::vector<bool> is_present(vk_.airs.size());
        for (const AirTrace& trace : traces_) {
            const std::uint32_t id = trace.air_id;
            if (id >= vk_.airs.size()) {
                add_for(id, "", fmt::format("an AIR of the key, which has {} AIRs numbered from 0", vk_.airs.size()),
                        "a trace of another");
            } else if (is_present[id]) {
                add_for(id, "", "one trace", "another", "set AirTrace::air_id of each trace to the AIR that it is of");
            } else {
                is_present[id] = true;
                check_trace(trace);
            }
        }
        return finish(is_present);
    }

    /// As run() for heights alone, one an AIR of the key, 0 without a trace.
    std::vector<TraceProblem> run_on_heights(std::span<const std::uint64_t> heights) {
        std::vector<bool> is_present(vk_.airs.size());
        for (std::uint32_t id = 0; id < vk_.airs.size(); ++id) {
            is_present[id] = heights[id] != 0;
            if (is_present[id]) check_height(id, heights[id]);
        }
        if (std::ranges::find(is_present, true) == is_present.end()) add_no_trace();
        return finish(is_present);
    }

private:
    /// What concerns several traces, or one that is not there.
    std::vector<TraceProblem> finish(const std::vector<bool>& is_present) {
        for (std::uint32_t id = 0; id < vk_.airs.size(); ++id) {
            if (vk_.airs[id].is_required && !is_present[id]) {
                add_for(id, "", "a trace, which the key requires", "none");
            }
        }
        // Traces of impossible heights are left out of the sums: what the others exceed, all exceed.
        check_height_bounds();
        check_logup_cells();
        check_stacked_width();
        return std::move(problems_);
    }
    void add_no_trace() { add({std::nullopt, std::nullopt, "traces", "the trace of at least one AIR", "none", {}}); }
    void add(TraceProblem problem) { problems_.push_back(std::move(problem)); }
    void add_for(std::uint32_t id, std::string_view part, std::string expected, std::string found,
                 std::string remedy = {}) {
        add({.air_id = id,
             .bus_index = std::nullopt,
             .place = part.empty() ? label(id) : fmt::format("{}, {}", label(id), part),
             .expected = std::move(expected),
             .found = std::move(found),
             .remedy = std::move(remedy)});
    }
    std::string label(std::uint32_t id) const { return air_place(id, air_names_); }
    std::string bus_label(std::uint16_t bus) const {
        const auto name = notes_.buses.find(bus);
        if (name == notes_.buses.end() || name->second.empty()) return fmt::format("bus {}", bus);
        return fmt::format("bus {} ({})", bus, shown_name(name->second));
    }

    void check_trace(const AirTrace& trace) {
        const AirVerifyingKey& air = vk_.airs[trace.air_id];
        check_part(trace, trace.common_main, part_name({}), air.width.common_main);
        if (!trace.common_main.is_valid()) return;  // what else there is to say follows from it
        check_height(trace.air_id, trace.height());
        if (trace.cached_mains.size() != air.width.cached_mains.size()) {
            add_for(trace.air_id, "", fmt::format("{} cached parts", air.width.cached_mains.size()),
                    fmt::to_string(trace.cached_mains.size()));
        }
        for (std::size_t c = 0; c < std::min(trace.cached_mains.size(), air.width.cached_mains.size()); ++c) {
            check_own_part(trace, trace.cached_mains[c],
                           part_name({.kind = PartRef::Kind::kCachedMain, .cached = static_cast<std::uint32_t>(c)}),
                           air.width.cached_mains[c]);
        }
        if (trace.air_id < preprocessed_.size() && preprocessed_[trace.air_id]) {
            // They are the key's, and so is the height that check_height has found.
        } else if (air.preprocessed.has_value() != trace.preprocessed.has_value()) {
            add_for(trace.air_id, "", air.preprocessed ? "a preprocessed part" : "no preprocessed part",
                    trace.preprocessed ? "one" : "none",
                    air.preprocessed ? "hand over the columns that the key was made from (ProvingKey::preprocessed)"
                                     : std::string());
        } else if (trace.preprocessed) {
            check_own_part(trace, *trace.preprocessed, part_name({.kind = PartRef::Kind::kPreprocessed}),
                           air.width.preprocessed.value_or(0));
        }
        if (trace.public_values.size() != air.num_public_values) {
            add_for(trace.air_id, "", fmt::format("{} public values", air.num_public_values),
                    fmt::to_string(trace.public_values.size()));
        }
        if (words_ == WordCheck::kCheck && !all_are_elements(trace.public_values)) {
            add_for(trace.air_id, "public values", "field elements", "a word that is not below p");
        }
    }

    void check_height(std::uint32_t air_id, std::uint64_t height) {
        const AirVerifyingKey& air = vk_.airs[air_id];
        const SystemParams& params = vk_.params;
        if (!std::has_single_bit(height)) {
            add_for(air_id, "", "a power of two as height", fmt::to_string(height), "pad the trace");
            return;
        }
        const auto log_height = static_cast<unsigned>(std::countr_zero(height));
        if (log_height > params.log_stacked_height()) {
            add_for(air_id, "",
                    fmt::format("a height of at most 2^{}, the stacked height of the key", params.log_stacked_height()),
                    as_power(height), "split the trace or use a key with a larger l_skip + n_stack");
            return;
        }
        log_heights_[air_id] = static_cast<int>(log_height);
        if (!air.preprocessed) return;
        const int fixed = air.preprocessed->hypercube_dim + static_cast<int>(params.l_skip);
        if (fixed != static_cast<int>(log_height)) {
            add_for(air_id, "", fmt::format("a height of 2^{}, that of the key's preprocessed columns", fixed),
                    as_power(height));
        }
    }

    void check_own_part(const AirTrace& trace, const TracePart& part, std::string_view name, std::uint32_t width) {
        const CommittedMatrix* committed = part.committed();
        if (committed == nullptr) return check_part(trace, part.matrix(), name, width);
        if (!committed->is_valid()) {
            add_for(trace.air_id, name, "a committed matrix", "a CommittedMatrix that holds none",
                    "make it with Prover::commit");
            return;
        }
        const SystemParams& found = committed->params();
        if (!commits_alike(found, vk_.params)) {
            const auto text = [](const SystemParams& p) {
                return fmt::format("l_skip {}, n_stack {}, log_blowup {} and whir.k {}", p.l_skip, p.n_stack,
                                   p.log_blowup, p.whir.k);
            };
            add_for(trace.air_id, name, fmt::format("a commitment made with {}, as the key has", text(vk_.params)),
                    fmt::format("one made with {}", text(found)), "commit with a prover of this key");
        }
        check_shape(trace, part.matrix(), name, width);  // its words were looked at when it was committed
    }

    void check_part(const AirTrace& trace, const Matrix& part, std::string_view name, std::uint32_t width) {
        if (!part.is_valid()) {
            add_for(trace.air_id, name, "a matrix that holds its elements", fmt::format("one that {}", part.problem()));
            return;
        }
        check_shape(trace, part, name, width);
        if (part.is_on_device()) return check_place(trace, part, name);
        if (words_ == WordCheck::kCheck && !all_are_elements(part.values())) {
            add_for(trace.air_id, name, "field elements", "a word that is not below p");
        }
    }

    void check_place(const AirTrace& trace, const Matrix& part, std::string_view name) {
        if (!place_problem_) {
            add_for(trace.air_id, name, "columns in the memory of the host", std::string(kDeviceColumns),
                    "copy them there; a prover on that device alone takes them where they are");
            return;
        }
        if (std::string problem = place_problem_(part); !problem.empty()) {
            add_for(trace.air_id, name, "columns in the memory of the prover's device", std::move(problem));
        }
    }

    void check_shape(const AirTrace& trace, const Matrix& part, std::string_view name, std::uint32_t width) {
        if (part.width() != width) {
            add_for(trace.air_id, name, fmt::format("{} columns", width), fmt::to_string(part.width()));
        }
        if (part.height() != trace.height()) {
            add_for(trace.air_id, name, fmt::format("a height of {}, that of the common main", trace.height()),
                    fmt::to_string(part.height()));
        }
    }

    std::uint64_t lifted_height(std::size_t id) const {
        return std::uint64_t{1} << std::max(static_cast<unsigned>(log_heights_[id]), vk_.params.l_skip);
    }

    void check_height_bounds() {
        std::uint64_t sum = 0;
        if (find_violated_height_constraint(vk_, log_heights_, &sum) < 0) return;
        // Now all of them, and what each protects; check_key has found that these are the key's constraints.
        const auto bounds = trace_height_bounds(vk_.params, vk_.airs);
        if (!bounds) return;
        for (const TraceHeightBound& bound : *bounds) check_height_bound(bound);
    }
    void check_height_bound(const TraceHeightBound& bound) {
        std::uint64_t sum = 0;
        std::uint64_t largest = 0;
        std::uint32_t heaviest = 0;
        for (const auto& [id, weight] : bound.weights) {
            if (log_heights_[id] < 0) continue;
            const std::uint64_t term = weight * lifted_height(id);
            sum += term;
            if (term <= largest) continue;
            largest = term;
            heaviest = id;
        }
        if (sum < bound.threshold) return;
        add({.air_id = std::nullopt,
             .bus_index = bound.bus,
             .place = bound.bus ? bus_label(*bound.bus) : "interactions of all AIRs",
             .expected = fmt::format("fewer than {} (sum of {} x height, heights of at least 2^{})", bound.threshold,
                                     bound.bus ? "count weights" : "interactions", vk_.params.l_skip),
             .found = fmt::to_string(sum),
             .remedy = fmt::format("make traces shorter, first that of {} with {} of them, or split them over several "
                                   "proofs{}",
                                   label(heaviest), largest,
                                   bound.bus ? "" : "; the limit is logup.max_interaction_count of the key")});
    }

    void check_logup_cells() {
        const std::uint64_t cells = count_logup_cells(vk_, log_heights_);
        if (static_cast<unsigned>(std::bit_width(cells)) <= kLogMaxLogupCells) return;
        add({.air_id = std::nullopt,
             .bus_index = std::nullopt,
             .place = "interactions of all AIRs",
             .expected =
                 fmt::format("fewer than 2^{} cells in the LogUp table (interactions x height)", kLogMaxLogupCells),
             .found = fmt::to_string(cells),
             .remedy = "make traces shorter or split them over several proofs"});
    }

    void check_stacked_width() {
        const std::uint64_t width = total_stacked_width(vk_, log_heights_);
        const std::uint64_t limit = std::min(vk_.params.w_stack, kMaxStackedColumns);
        if (width <= limit) return;
        add({.air_id = std::nullopt,
             .bus_index = std::nullopt,
             .place = "stacked columns of all traces",
             .expected = fmt::format("at most {} of height 2^{}{}", limit, vk_.params.log_stacked_height(),
                                     limit == vk_.params.w_stack ? " (w_stack of the key)" : ""),
             .found = fmt::to_string(width),
             .remedy = "make traces shorter, split them over several proofs, or use a key with a larger w_stack"});
    }

    const VerifyingKey& vk_;
    std::span<const AirTrace> traces_;
    std::span<const std::string> air_names_;
    const KeyNotes& notes_;
    WordCheck words_;
    std::span<const std::optional<TracePart>> preprocessed_;  // those of the prover
    PlaceProblem place_problem_;
    std::vector<int> log_heights_;  // of AIRs with a trace of a possible height
    std::vector<TraceProblem> problems_;
};

}  // namespace

// Without a branch for each word, so that it runs at the speed of memory.
bool all_are_elements(std::span<const Fp> values) {
    static_assert(sizeof(Fp) == sizeof(std::uint32_t));
    const auto* words = reinterpret_cast<const std::uint32_t*>(values.data());
    constexpr std::size_t kGrain = std::size_t{1} << 18;
    const std::uint32_t largest = reduce_parts(
        tbb::blocked_range<std::size_t>(0, values.size(), kGrain), std::uint32_t{0},
        [&](const tbb::blocked_range<std::size_t>& range, std::uint32_t so_far) {
            for (std::size_t i = range.begin(); i < range.end(); ++i) so_far = std::max(so_far, words[i]);
            return so_far;
        },
        [](std::uint32_t a, std::uint32_t b) { return std::max(a, b); });
    return largest < Fp::kModulus;
}

std::string air_place(std::uint32_t air_id, std::span<const std::string> air_names) {
    if (air_id >= air_names.size() || air_names[air_id].empty()) return fmt::format("AIR {}", air_id);
    return fmt::format("AIR {} ({})", air_id, shown_name(air_names[air_id]));
}

std::vector<TraceProblem> trace_problems(const VerifyingKey& vk, std::span<const AirTrace> traces,
                                         std::span<const std::string> air_names, const KeyNotes& notes, WordCheck words,
                                         std::span<const std::optional<TracePart>> preprocessed,
                                         const PlaceProblem& place_problem) {
    return Validation(vk, traces, air_names, notes, words, preprocessed, place_problem).run();
}

std::vector<TraceProblem> height_problems(const VerifyingKey& vk, std::span<const std::uint64_t> heights,
                                          std::span<const std::string> air_names, const KeyNotes& notes) {
    return Validation(vk, {}, air_names, notes, WordCheck::kSkip, {}).run_on_heights(heights);
}

Result<void> summarize(std::span<const TraceProblem> problems, std::string_view stage) {
    if (problems.empty()) return {};
    Error error{ErrorCode::kInvalidArgument, std::string(stage), {}};
    if (problems.size() == 1) {
        error.message = to_string(problems.front());
        return error;
    }
    error.message = fmt::format("{} problems: ", problems.size());
    const std::size_t num_shown = std::min(problems.size(), kProblemsInSummary);
    for (std::size_t i = 0; i < num_shown; ++i) {
        error.message += fmt::format("{}({}) {}", i == 0 ? "" : ". ", i + 1, to_string(problems[i]));
    }
    if (problems.size() > num_shown) error.message += fmt::format(". And {} more", problems.size() - num_shown);
    return error;
}

std::string to_string(const TraceProblem& problem) noexcept {
    return guarded_text([&] {
        std::string text = fmt::format("{}: expected {}, found {}", problem.place, problem.expected, problem.found);
        if (!problem.remedy.empty()) text += "; " + problem.remedy;
        return text;
    });
}

Result<std::vector<TraceProblem>> find_trace_problems(const VerifyingKey& vk, std::span<const AirTrace> traces,
                                                      std::span<const std::string> air_names,
                                                      const KeyNotes& notes) noexcept {
    return guarded("traces", [&]() -> Result<std::vector<TraceProblem>> {
        if (auto valid = check_key(vk); !valid) return std::move(valid).error();
        return ThreadTeam(0).run([&] { return trace_problems(vk, traces, air_names, notes, WordCheck::kCheck); });
    });
}

Result<void> check_traces(const VerifyingKey& vk, std::span<const AirTrace> traces,
                          std::span<const std::string> air_names, const KeyNotes& notes) noexcept {
    return guarded("traces", [&]() -> Result<void> {
        const auto problems = find_trace_problems(vk, traces, air_names, notes);
        if (!problems) return problems.error();
        return summarize(*problems, "traces");
    });
}

}  // namespace whorl
