// Parts that are committed once: the same bytes, and nothing of them is encoded or hashed again.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include <whorl/air.hpp>
#include <whorl/check.hpp>
#include <whorl/device.hpp>
#include <whorl/prove.hpp>
#include <whorl/task.hpp>
#include <whorl/telemetry.hpp>
#include <whorl/verify.hpp>

#include "prove/bytes.hpp"
#include "vectors.hpp"

namespace whorl {
namespace {

using test::expect_same_bytes;
using test::stored_proof;
using test::task_of;
using test::value_of;
using testing::HasSubstr;

// The key with the preprocessed columns of the task's traces.
ProvingKey proving_key_of(const Task& task) {
    ProvingKey key{.vk = task.vk, .air_names = task.air_names, .preprocessed = {}};
    key.preprocessed.resize(task.vk.airs.size());
    for (const AirTrace& trace : task.traces) {
        if (trace.preprocessed) key.preprocessed[trace.air_id] = trace.preprocessed->matrix();
    }
    return key;
}

// The traces without preprocessed columns, their cached parts committed by `prover`.
std::vector<AirTrace> committed_traces(Prover& prover, const Task& task) {
    std::vector<AirTrace> traces = task.traces;
    for (AirTrace& trace : traces) {
        trace.preprocessed.reset();
        for (TracePart& part : trace.cached_mains) part = value_of(prover.commit(part.matrix()));
    }
    return traces;
}

// Stacked columns encoded, and spans in which that was done (a GPU has one for all commitments).
struct Committed {
    std::int64_t columns = 0;
    std::int64_t trees = 0;
    friend bool operator==(const Committed&, const Committed&) = default;
};
Committed committed_in(const Telemetry& telemetry, std::size_t first_span) {
    Committed found;
    const auto& spans = telemetry.spans();
    for (std::size_t i = first_span; i < spans.size(); ++i) {
        const SpanRecord& span = spans[i];
        if (span.name != "rs_code_matrix" && span.name != "commit_stream") continue;
        ++found.trees;
        for (const auto& [key, value] : span.fields) {
            if (key == "columns") found.columns += std::get<std::int64_t>(value);
        }
    }
    return found;
}

class CommittedParts : public test::DeviceTest {};

TEST_P(CommittedParts, GiveTheSameProofAndAreNotCommittedAgain) {
    for (const std::string vector :
         {"cached", "preprocessed", "preprocessed_and_cached", "mixture", "mixture_l_skip_5"}) {
        SCOPED_TRACE(vector);
        const Task task = task_of(vector);
        Telemetry telemetry;
        Prover prover = value_of(Prover::create(proving_key_of(task), {.device = GetParam(), .telemetry = &telemetry}));
        const std::vector<AirTrace> traces = committed_traces(prover, task);
        const auto committed_by = [&](Prover& by, std::span<const AirTrace> given) {
            const std::size_t first_span = telemetry.spans().size();
            expect_same_bytes(*encode_proof(value_of(by.prove(given))), stored_proof(vector));
            return committed_in(telemetry, first_span);
        };
        const Committed first = committed_by(prover, traces);
        EXPECT_EQ(first.trees, 1);  // that of the common mains
        EXPECT_EQ(committed_by(prover, traces), first);
        Prover plain = value_of(Prover::create(task.vk, {.device = GetParam(), .telemetry = &telemetry}));
        EXPECT_GT(committed_by(plain, task.traces).columns, first.columns);
    }
}

TEST_P(CommittedParts, AreSharedByProversOfAllDevicesInThreads) {
    const Task task = task_of("preprocessed_and_cached");
    Prover first = value_of(Prover::create(proving_key_of(task), {.device = GetParam()}));
    const std::vector<AirTrace> traces = committed_traces(first, task);
    std::vector<std::vector<std::byte>> proofs(4);
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < proofs.size(); ++i) {
        threads.emplace_back([&, i] {
            const std::string device = i % 2 == 0 ? "cpu" : "sim";
            Prover prover = value_of(Prover::create(proving_key_of(task), {.device = device, .num_threads = 2}));
            for (int turn = 0; turn < 2; ++turn) proofs[i] = *encode_proof(value_of(prover.prove(traces)));
        });
    }
    for (std::thread& thread : threads) thread.join();
    for (const auto& proof : proofs) expect_same_bytes(proof, stored_proof("preprocessed_and_cached"));
}

TEST_P(CommittedParts, OutliveTheirProver) {
    const Task task = task_of("cached");
    std::vector<AirTrace> traces;
    {
        Prover prover = value_of(Prover::create(task.vk, {.device = GetParam()}));
        traces = committed_traces(prover, task);
    }
    Prover prover = value_of(Prover::create(task.vk, {.device = GetParam()}));
    expect_same_bytes(*encode_proof(value_of(prover.prove(traces))), stored_proof("cached"));
    // Other parts take their place.
    traces = committed_traces(prover, task);
    expect_same_bytes(*encode_proof(value_of(prover.prove(traces))), stored_proof("cached"));
}

TEST_P(CommittedParts, HaveTheCommitmentOfCommitMatrix) {
    const Task task = task_of("mixture");
    Prover prover = value_of(Prover::create(task.vk, {.device = GetParam()}));
    for (const AirTrace& trace : task.traces) {
        if (trace.common_main.width() == 0) continue;
        const MatrixCommitment expected = value_of(commit_matrix(task.vk.params, trace.common_main));
        const CommittedMatrix found = value_of(prover.commit(trace.common_main));
        EXPECT_EQ(found.commit(), expected.commit);
        EXPECT_EQ(found.stacking_width(), expected.stacking_width);
        EXPECT_EQ(found.params(), task.vk.params);
    }
}

INSTANTIATE_TEST_SUITE_P(Devices, CommittedParts, testing::ValuesIn(test::kDevices),
                         [](const auto& test) { return test.param; });

TEST(CommittedPartsOnTheCpu, AreNotInTheMemoryPlan) {
    const Task task = task_of("preprocessed_and_cached");
    Prover prover = value_of(Prover::create(proving_key_of(task)));
    const std::vector<AirTrace> traces = committed_traces(prover, task);
    Prover plain = value_of(Prover::create(task.vk));
    const auto num_trees = [](Prover& by, std::span<const AirTrace> given) {
        const MemoryPlan plan = value_of(by.plan(given));
        return std::ranges::count(plan.buffers, "merkle_tree", &PlannedBuffer::name);
    };
    EXPECT_EQ(num_trees(plain, task.traces), 4);  // common main, a preprocessed and two cached parts
    EXPECT_EQ(num_trees(prover, traces), 1);
}

TEST(CommittedPartsOfAnotherKey, AreRefused) {
    const Task task = task_of("cached");
    SystemParams other = task.vk.params;
    other.log_blowup += 1;
    const Task other_task = task_of("cached");
    VerifyingKey other_vk = other_task.vk;
    other_vk.params = other;
    Prover other_prover = value_of(Prover::create(other_vk));
    Prover prover = value_of(Prover::create(task.vk));
    const auto proof = prover.prove(committed_traces(other_prover, task));
    ASSERT_FALSE(proof.has_value());
    EXPECT_EQ(proof.error().code, ErrorCode::kInvalidArgument);
    EXPECT_THAT(proof.error().message, HasSubstr("log_blowup"));
    EXPECT_THAT(proof.error().message, HasSubstr("commit with a prover of this key"));
}

TEST(CommittedPartsOfAnotherKey, WithOtherQueriesAreTaken) {
    const Task task = task_of("cached");
    VerifyingKey other_vk = task.vk;
    other_vk.params.whir.num_queries[0] += 3;
    Prover other_prover = value_of(Prover::create(other_vk));
    Prover prover = value_of(Prover::create(task.vk));
    expect_same_bytes(*encode_proof(value_of(prover.prove(committed_traces(other_prover, task)))),
                      stored_proof("cached"));
}

TEST(CommittedMatrix, WithoutContentIsRefusedWithoutACrash) {
    const CommittedMatrix none;
    EXPECT_FALSE(none.is_valid());
    EXPECT_EQ(none.matrix().width(), 0u);
    EXPECT_EQ(none.stacking_width(), 0u);
    EXPECT_EQ(none.commit(), Digest{});
    Task task = task_of("cached");
    task.traces[0].cached_mains[0] = none;
    for (const auto& answer :
         {prove(task.vk, task.traces).has_value(), check_constraints(task.vk, task.traces).has_value(),
          check_traces(task.vk, task.traces).has_value()}) {
        EXPECT_FALSE(answer);
    }
    EXPECT_THAT(check_traces(task.vk, task.traces).error().message, HasSubstr("make it with Prover::commit"));
}

TEST(CommittedMatrix, RefusesWhatCommitMatrixRefuses) {
    const Task task = task_of("cached");
    Prover prover = value_of(Prover::create(task.vk));
    EXPECT_THAT(prover.commit(Matrix()).error().message, HasSubstr("at least one column"));
    EXPECT_THAT(prover.commit(Matrix(1, 3)).error().message, HasSubstr("power of two"));
    EXPECT_THAT(prover.commit(Matrix({Fp::one()}, 2, 2)).error().message, HasSubstr("the matrix"));
    Matrix word(1, 2);
    word.at(1, 0) = Fp::from_montgomery(Fp::kModulus);
    EXPECT_THAT(prover.commit(word).error().message, HasSubstr("not below p"));
}

TEST(ProverOfAProvingKey, RefusesColumnsThatAreNotTheKeys) {
    const Task task = task_of("preprocessed");
    const ProvingKey key = proving_key_of(task);
    ProvingKey changed = key, missing = key;
    changed.preprocessed[0]->at(0, 0) += Fp::one();
    missing.preprocessed.clear();
    const auto expect_refused = [](const ProvingKey& bad, std::string_view reason) {
        for (const char* device : {"cpu", "sim"}) {
            const auto prover = Prover::create(bad, {.device = device});
            ASSERT_FALSE(prover.has_value());
            EXPECT_EQ(prover.error().code, ErrorCode::kInvalidArgument);
            EXPECT_THAT(prover.error().message, HasSubstr(std::string(reason)));
        }
    };
    expect_refused(changed, "expected the columns that the key commits to");
    expect_refused(missing, "found none");
    const Task fib = task_of("fib_2e5");
    ProvingKey none = proving_key_of(fib);
    none.preprocessed[0] = Matrix(1, 2);
    expect_refused(none, "expected no preprocessed columns");
}

TEST(ProverOfAProvingKey, ReportsUnsatisfiedTracesWithItsOwnColumns) {
    const Task task = task_of("preprocessed");
    Prover prover = value_of(Prover::create(proving_key_of(task), {.verify_after = true}));
    std::vector<AirTrace> traces = committed_traces(prover, task);
    expect_same_bytes(*encode_proof(value_of(prover.prove(traces))), stored_proof("preprocessed"));
    traces[0].common_main.at(1, 0) += Fp::one();
    const auto proof = prover.prove(traces);
    ASSERT_FALSE(proof.has_value());
    EXPECT_EQ(proof.error().code, ErrorCode::kUnsatisfied);
}

TEST(ProverOfAProvingKey, PlansMemoryWithoutThePartsThatStay) {
    const Task task = task_of("preprocessed_and_cached");
    Prover plain = value_of(Prover::create(task.vk, {.device = "sim"}));
    Prover prover = value_of(Prover::create(proving_key_of(task), {.device = "sim"}));
    const auto whole = value_of(plain.plan(task.traces));
    const auto rest = value_of(prover.plan(committed_traces(prover, task)));
    const auto num_trees = [](const MemoryPlan& plan) {
        return std::ranges::count(plan.buffers, "merkle_tree", &PlannedBuffer::name);
    };
    EXPECT_LT(num_trees(rest), num_trees(whole));
}

}  // namespace
}  // namespace whorl
