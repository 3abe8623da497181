// A drawn task, satisfied or with one altered cell: CPU and simulated GPU give the same bytes, and the verifier accepts
// them exactly where check_constraints finds nothing wrong.
#include <whorl/check.hpp>
#include <whorl/prove.hpp>
#include <whorl/verify.hpp>

#include "drawn_task.hpp"
#include "require.hpp"

namespace {

using namespace whorl;
using fuzz::require;

// Another value in one cell of one trace, or nothing.
void alter_cell(fuzz::Choices& choices, std::vector<AirTrace>& traces) {
    if (!choices.flip()) return;
    AirTrace& trace = traces[choices.below(static_cast<std::uint32_t>(traces.size()))];
    const auto part = choices.below(static_cast<std::uint32_t>(trace.cached_mains.size()) + 1);
    Matrix& matrix = part == 0 ? trace.common_main : *trace.cached_mains[part - 1].columns();
    const auto row = choices.below(static_cast<std::uint32_t>(matrix.height()));
    const auto column = choices.below(static_cast<std::uint32_t>(matrix.width()));
    matrix.at(row, column) += Fp::one();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::Choices choices({data, size});
    fuzz::DrawnTask task = fuzz::draw_task(choices);
    const auto key = keygen(task.params, task.airs);
    require(key.has_value(), "drawn AIRs have a key" + (key ? "" : ": " + key.error().message));
    const std::vector<AirTrace> satisfied = task.traces;
    alter_cell(choices, task.traces);

    ProverOptions options{.device = "cpu", .num_threads = 1};
    const auto proof = prove(key->vk, task.traces, options);
    options.device = "sim";
    const auto on_sim = prove(key->vk, task.traces, options);
    require(proof.has_value() == on_sim.has_value(), "cpu and sim take the same traces");
    const bool fits = check_traces(key->vk, task.traces).has_value();
    require(proof.has_value() == fits, "prove takes what check_traces takes");
    if (!fits) return 0;

    const std::vector<std::byte> bytes = *encode_proof(*proof);
    require(bytes == *encode_proof(*on_sim), "cpu and sim give the same bytes: " + describe(task));
    const auto decoded = decode_proof(bytes);
    require(decoded.has_value() && *decoded == *proof, "a proof that was made decodes to itself");

    const auto original = check_constraints(key->vk, satisfied);
    require(original.has_value() && original->is_satisfied(), "the drawn traces satisfy their constraints");
    const auto report = check_constraints(key->vk, task.traces);
    require(report.has_value(), "check takes what prove takes");
    require(verify(key->vk, *proof).has_value() == report->is_satisfied(),
            "verify accepts what check finds satisfied: " + describe(task));
    return 0;
}
