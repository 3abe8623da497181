// check_traces() of prove.hpp: whether traces fit a key.
#include <whorl/prove.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <vector>

#include "machine/parallel.hpp"
#include "prover/input.hpp"

namespace whorl {
namespace {

Error bad_trace(std::string message) {
    return {ErrorCode::kInvalidArgument, "prove", std::move(message)};
}

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

// One part of a trace against the width that the key asks for.
Result<void> check_part(const std::string& where, const Matrix& part, std::uint32_t width, std::size_t height) {
    if (part.width() != width)
        return bad_trace(fmt::format("{}: expected {} columns, found {}", where, width, part.width()));
    if (part.height() != height) {
        return bad_trace(
            fmt::format("{}: expected height {} as in the common main, found {}", where, height, part.height()));
    }
    if (!all_are_elements(part.values())) return bad_trace(where + ": a word is not a field element");
    return {};
}

Result<void> check_trace(const VerifyingKey& vk, const AirTrace& trace) {
    const AirVerifyingKey& air = vk.airs[trace.air_id];
    const std::string where = fmt::format("AIR {}", trace.air_id);
    const std::size_t height = trace.height();
    if (!std::has_single_bit(height)) {
        return bad_trace(fmt::format("{}: expected a power of two as height, found {}", where, height));
    }
    const unsigned log_height = trace.common_main.log_height();
    if (log_height > vk.params.log_stacked_height()) {
        return bad_trace(fmt::format("{}: height 2^{} exceeds the stacked height 2^{} of the key", where, log_height,
                                     vk.params.log_stacked_height()));
    }
    if (auto r = check_part(where + ", common main", trace.common_main, air.width.common_main, height); !r) return r;
    if (trace.cached_mains.size() != air.width.cached_mains.size()) {
        return bad_trace(fmt::format("{}: expected {} cached parts, found {}", where, air.width.cached_mains.size(),
                                     trace.cached_mains.size()));
    }
    for (std::size_t c = 0; c < trace.cached_mains.size(); ++c) {
        if (auto r = check_part(fmt::format("{}, cached part {}", where, c), trace.cached_mains[c],
                                air.width.cached_mains[c], height);
            !r) {
            return r;
        }
    }
    if (air.preprocessed.has_value() != trace.preprocessed.has_value()) {
        return bad_trace(fmt::format("{}: expected {} preprocessed part, found {}", where,
                                     air.preprocessed ? "a" : "no", trace.preprocessed ? "one" : "none"));
    }
    if (trace.preprocessed) {
        if (auto r = check_part(where + ", preprocessed part", *trace.preprocessed, air.width.preprocessed.value_or(0),
                                height);
            !r) {
            return r;
        }
        const int expected = air.preprocessed->hypercube_dim + static_cast<int>(vk.params.l_skip);
        if (expected != static_cast<int>(log_height)) {
            return bad_trace(
                fmt::format("{}: the key fixes its height to 2^{}, found 2^{}", where, expected, log_height));
        }
    }
    if (trace.public_values.size() != air.num_public_values) {
        return bad_trace(fmt::format("{}: expected {} public values, found {}", where, air.num_public_values,
                                     trace.public_values.size()));
    }
    if (!all_are_elements(trace.public_values)) return bad_trace(where + ": a public value is not a field element");
    return {};
}

}  // namespace

Result<void> check_traces(const VerifyingKey& vk, std::span<const AirTrace> traces) {
    if (traces.empty()) return bad_trace("expected the trace of at least one AIR, found none");
    std::vector<bool> present(vk.airs.size());
    for (const AirTrace& trace : traces) {
        if (trace.air_id >= vk.airs.size()) {
            return bad_trace(fmt::format("AIR {}: the key has {} AIRs, numbered from 0", trace.air_id, vk.airs.size()));
        }
        if (present[trace.air_id]) return bad_trace(fmt::format("AIR {}: expected one trace, found two", trace.air_id));
        present[trace.air_id] = true;
        if (auto r = check_trace(vk, trace); !r) return r;
    }
    for (std::size_t i = 0; i < vk.airs.size(); ++i) {
        if (vk.airs[i].is_required && !present[i])
            return bad_trace(fmt::format("AIR {}: its trace is required, found none", i));
    }
    const std::vector<int> log_heights = log_heights_of(vk, traces);
    std::uint64_t sum = 0;
    if (const int c = find_violated_height_constraint(vk, log_heights, &sum); c >= 0) {
        return bad_trace(
            fmt::format("trace height constraint {}: expected a weighted sum of heights below {}, found {}", c,
                        vk.trace_height_constraints[static_cast<std::size_t>(c)].threshold, sum));
    }
    if (static_cast<unsigned>(std::bit_width(count_logup_cells(vk, log_heights))) > Fp::kTwoAdicity + 4) {
        return bad_trace(
            fmt::format("{} interaction cells exceed what a LogUp table can hold", count_logup_cells(vk, log_heights)));
    }
    const std::uint64_t width = make_proof_layout(vk, log_heights).total_stacked_width();
    if (width > vk.params.w_stack) {
        return bad_trace(
            fmt::format("the traces need {} stacked columns, the key allows {}", width, vk.params.w_stack));
    }
    return {};
}

}  // namespace whorl
