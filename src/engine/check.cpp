// check_constraints() of check.hpp: the validation of traces that prove() makes, then every row.
#include <whorl/check.hpp>
#include <whorl/prove.hpp>

#include "air/check.hpp"
#include "engine/check_traces.hpp"
#include "machine/guard.hpp"
#include "prover/input.hpp"
#include "threads/thread_team.hpp"

namespace whorl {
namespace {

Result<CheckReport> check(const VerifyingKey& vk, std::span<const AirTrace> traces,
                          std::span<const std::string> air_names, const KeyNotes& notes) {
    if (auto valid = check_key(vk); !valid) return std::move(valid).error();
    const std::vector<TraceProblem> problems = trace_problems(vk, traces, air_names, notes, WordCheck::kCheck);
    if (auto valid = summarize(problems, "check"); !valid) return std::move(valid).error();
    for (const AirTrace& trace : traces) {
        if (!trace.preprocessed) continue;
        Digest found{};
        if (const CommittedMatrix* committed = trace.preprocessed->committed()) {
            found = committed->commit();
        } else {
            const auto made = commit_matrix(vk.params, trace.preprocessed->matrix());
            if (!made) return made.error();
            found = made->commit;
        }
        if (const Digest& expected = vk.airs[trace.air_id].preprocessed->commit; found != expected) {
            return Error{ErrorCode::kInvalidArgument, "check",
                         air_place(trace.air_id, air_names) + ", " + preprocessed_mismatch(found, expected)};
        }
    }
    return check_rows(vk, traces, notes);
}

}  // namespace

Result<CheckReport> check_constraints(const VerifyingKey& vk, std::span<const AirTrace> traces,
                                      std::span<const std::string> air_names, const KeyNotes& notes) noexcept {
    return guarded("check", [&] { return ThreadTeam(0).run([&] { return check(vk, traces, air_names, notes); }); });
}

}  // namespace whorl
