// What `whorl bench` prints, as numbers again, and the spans of two such results side by side.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>
#include <whorl/error.hpp>

#include "engine/files.hpp"

namespace whorl::cli {

/// The middle value, or the mean of the middle two. Precondition: there is one.
double median(std::vector<double> values);

/// Runs of one workload on one device.
struct BenchRuns {
    std::string workload;  ///< "keccakf_1024"
    std::string device;
    std::string instruction_set;                          ///< of the first run; empty where it does not say
    std::string source;                                   ///< where figures come from that whorl did not measure
    std::map<std::string, std::vector<double>> times_ms;  ///< by span; a run without the span adds none
    std::size_t num_runs = 0;
};

class BenchResults {
public:
    /// Larger files hold something else.
    static constexpr ReadLimit kLimit{.max_bytes = std::uint64_t{1} << 26, .content = "results of whorl bench"};

    /// The results in a file with this text; `where` names it in messages. Errors: kBadFormat, naming the line.
    static Result<BenchResults> parse(std::string_view text, std::string_view where);

    /// Adds a run; lines of other kinds are passed over. Errors: kBadFormat.
    Result<void> add_line(std::string_view line);

    const std::vector<BenchRuns>& runs() const { return runs_; }
    /// The first runs of a workload, on whatever device; null where there are none.
    const BenchRuns* find(std::string_view workload) const;

private:
    std::vector<BenchRuns> runs_;
    std::map<std::pair<std::string, std::string>, std::size_t> index_;  ///< into runs_, by workload and device
};

/// Median times of the reference's spans in both, and their ratios. The span that holds two of the reference's on a GPU
/// gets a note.
std::string side_by_side(const BenchRuns& runs, const BenchRuns& beside);

}  // namespace whorl::cli
