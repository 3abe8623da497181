// check_constraints() of check.hpp: the validation of traces that prove() makes, then every row.
#include <whorl/check.hpp>

#include "air/check.hpp"
#include "engine/check_traces.hpp"
#include "machine/guard.hpp"
#include "machine/threads.hpp"

namespace whorl {
namespace {

Result<CheckReport> check(const VerifyingKey& vk, std::span<const AirTrace> traces,
                          std::span<const std::string> air_names) {
    if (auto valid = check_key(vk); !valid) return std::move(valid).error();
    const std::vector<TraceProblem> problems = trace_problems(vk, traces, air_names, WordCheck::kCheck);
    if (auto valid = summarize(problems, "check"); !valid) return std::move(valid).error();
    return check_rows(vk, traces);
}

}  // namespace

Result<CheckReport> check_constraints(const VerifyingKey& vk, std::span<const AirTrace> traces,
                                      std::span<const std::string> air_names) noexcept {
    return guarded("check", [&] { return ThreadTeam(0).run([&] { return check(vk, traces, air_names); }); });
}

}  // namespace whorl
