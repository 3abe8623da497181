// Committed parts that stay on a device: the same proofs, on devices with and without memory of their own, and where memory is short.
#include "backend/gpu/resident.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include <whorl/prove.hpp>
#include <whorl/task.hpp>

#include "backend/gpu/prover.hpp"
#include "engine/commit.hpp"
#include "gpu/devices.hpp"
#include "prove/bytes.hpp"
#include "vectors.hpp"

namespace whorl::gpu {
namespace {

constexpr const char* kVector = "preprocessed_and_cached";

/// A task whose own parts can be committed, and a prover of it on some device.
struct Parts {
    Task task = test::value_of(load_task(test::vector_path(kVector, "")));
    GpuProver prover;

    explicit Parts(std::unique_ptr<Runtime> runtime) : prover(task.vk, std::move(runtime), Dispatch::kStaged) {}

    CommittedMatrix unmade(const Matrix& matrix) const {
        return test::value_of(checked_for_commitment(task.vk.params, matrix));
    }
    // The traces with `part(matrix)` in the place of each part that has a commitment of its own.
    template <class Part>
    std::vector<AirTrace> with_parts(const Part& part) const {
        std::vector<AirTrace> traces = task.traces;
        for (AirTrace& trace : traces) {
            if (trace.preprocessed) trace.preprocessed = part(trace.preprocessed->matrix());
            for (TracePart& cached : trace.cached_mains) cached = part(cached.matrix());
        }
        return traces;
    }
    void expect_proves(const std::vector<AirTrace>& traces) {
        const Proof proof = prover.prove(make_prover_input(task.vk, traces, nullptr));
        test::expect_same_bytes(*encode_proof(proof), test::stored_proof(kVector));
    }
};

TEST(Resident, PartsAreCommittedOnceOnEveryDevice) {
    for (std::unique_ptr<Runtime>& runtime : runtimes_to_test()) {
        SCOPED_TRACE(runtime->info().name);
        Parts parts(std::move(runtime));
        const std::vector<AirTrace> traces = parts.with_parts([&](const Matrix& matrix) {
            CommittedMatrix committed = parts.unmade(matrix);
            const Digest root = parts.prover.commit(committed);
            EXPECT_EQ(root, test::value_of(commit_matrix(parts.task.vk.params, matrix)).commit);
            return committed;
        });
        parts.expect_proves(traces);
        const std::uint64_t allocations = parts.prover.device().num_allocations();
        parts.expect_proves(traces);
        EXPECT_EQ(parts.prover.device().num_allocations(), allocations);
    }
}

TEST(Resident, PartsThatOneAllocationCannotHoldAreCommittedInTheProof) {
    for (const bool is_unified : {true, false}) {
        SCOPED_TRACE(is_unified);
        // The least that the proof's own buffers take: a tree or the code of a part is no smaller than they are, so the limit is
        // between a column and that.
        Parts free(sim::make_runtime({.is_unified = is_unified}));
        const std::vector<AirTrace> traces = free.with_parts([&](const Matrix& matrix) { return free.unmade(matrix); });
        std::uint64_t largest = 0;
        const ProverInput input = make_prover_input(free.task.vk, free.task.traces, nullptr);
        for (const PlannedBuffer& buffer : free.prover.plan(input).buffers) largest = std::max(largest, buffer.bytes);
        Parts limited(sim::make_runtime({.max_buffer = largest, .is_unified = is_unified}));
        limited.expect_proves(traces);
    }
}

TEST(Resident, PartsGiveWayToTheProofWhereMemoryIsShort) {
    for (const bool is_unified : {true, false}) {
        SCOPED_TRACE(is_unified);
        Parts free(sim::make_runtime({.is_unified = is_unified}));
        const std::vector<AirTrace> traces = free.with_parts([&](const Matrix& matrix) { return free.unmade(matrix); });
        const MemoryPlan plan = free.prover.plan(make_prover_input(free.task.vk, free.task.traces, nullptr));
        // Some room beside the proof, where no part has enough.
        const std::uint64_t memory = plan.arena_bytes + plan.upload_bytes * 2 + plan.mailbox_bytes + 4096;
        Parts tight(sim::make_runtime({.memory = memory, .is_unified = is_unified}));
        tight.expect_proves(traces);
        tight.expect_proves(traces);
    }
}

TEST(Resident, ACommitmentWithoutMemoryIsAnErrorAndLeavesTheProverAsItWas) {
    Parts parts(sim::make_runtime({.memory = std::uint64_t{1} << 24}));
    const CommittedMatrix large = parts.unmade(Matrix(1, 2));
    Parts none(sim::make_runtime({.memory = 4096}));
    EXPECT_THROW(none.prover.commit(large), DeviceError);
    EXPECT_THROW(none.prover.commit(large), DeviceError);
    parts.expect_proves(parts.task.traces);
}

}  // namespace
}  // namespace whorl::gpu
