// No public call throws or ends the program where memory or threads end: call by call.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>

#include <whorl/statement.hpp>
#include <whorl/verify.hpp>

#include "machine/faults.hpp"
#include "machine/public_calls.hpp"
#include "vectors.hpp"

namespace whorl::test {
namespace {

std::vector<std::string> names() {
    // Not public_calls(): its inputs take seconds, and each test runs in a process of its own.
    return {"check_params",
            "keygen",
            "keygen of wrong AIRs",
            "encode_verifying_key",
            "encode_verifying_key_inner",
            "verifying_key_pre_hash",
            "decode_verifying_key",
            "encode_proof",
            "decode_proof",
            "proof_sections",
            "security_bits",
            "security_bits of a key",
            "circuit_bounds",
            "SecurityBits::weakest",
            "verify from a transcript",
            "Transcript::from_state",
            "verify",
            "verify on threads",
            "verify of a wrong proof",
            "verify of a statement",
            "verify of a wrong statement",
            "statement_of",
            "has_trace",
            "public_values_of",
            "cached_commitments_of",
            "log_height_of",
            "height_of",
            "height_of an AIR that is not there",
            "check_traces",
            "check_constraints",
            "check_constraints of wrong traces",
            "describe",
            "prove",
            "prove on sim",
            "Prover::create",
            "Prover::prove",
            "Prover::create of a ProvingKey",
            "Prover::commit",
            "Prover::prove of a committed part",
            "Prover::plan of the CPU",
            "Prover::plan",
            "plan_memory",
            "list_params of a key",
            "choose_params of AIRs",
            "choose_params of choices",
            "commit_matrix",
            "whorl_key_decode",
            "whorl_proof_decode",
            "whorl_params_preset",
            "matrix_of",
            "whorl_task_load with its error",
            "whorl_key_decode_named",
            "whorl_task_save",
            "list_devices",
            "examine",
            "load_task",
            "save_task",
            "Matrix::create",
            "Matrix::on_device",
            "Matrix::borrow",
            "Matrix::create of values",
            "Matrix::from_rows",
            "Matrix::from_columns",
            "Matrix",
            "Span",
            "measure_totals",
            "time_ms_by_name",
            "span_tree",
            "metrics_json",
            "timeline_json",
            "to_string of an Error",
            "to_string of a VerifyError"};
}

const PublicCall& call_named(const std::string& name) {
    const auto call = std::ranges::find(public_calls(), name, &PublicCall::name);
    EXPECT_NE(call, public_calls().end()) << name;
    return *call;
}

class EachPublicCall : public testing::TestWithParam<std::string> {};

TEST_P(EachPublicCall, ReturnsAnErrorWhenAnAllocationFails) {
    const PublicCall& call = call_named(GetParam());
    ASSERT_EQ(call.run(), std::nullopt);  // caches are filled, threads started
    std::uint64_t num_allocations = 0;
    {
        const FailingAllocations none(AllocationFaults::kNever);
        ASSERT_EQ(call.run(), std::nullopt);
        num_allocations = none.num_seen();
    }
    std::uint64_t num_failed = 0;
    const std::uint64_t stride = std::max<std::uint64_t>(1, num_allocations / call.num_probes);
    for (std::uint64_t k = 0; k < num_allocations; k += k < 8 ? 1 : stride) {
        Outcome outcome;
        {
            const FailingAllocations failing(k);
            outcome = call.run();
        }
        // Some failures are made up for: a temporary buffer that std::stable_sort does without.
        EXPECT_TRUE(!outcome || *outcome == ErrorCode::kMachine) << "allocation " << k << " of " << num_allocations;
        num_failed += outcome.has_value();
    }
    std::cout << num_allocations << " allocations, every " << stride << "th failed, " << num_failed << " errors\n";
    EXPECT_EQ(num_failed != 0, num_allocations != 0);
    EXPECT_EQ(call.run(), std::nullopt) << "after all failures";
}

// Large allocations are those that fail first where memory ends.
TEST_P(EachPublicCall, ReturnsAnErrorWhenNoLargeAllocationSucceedsAnyMore) {
    const PublicCall& call = call_named(GetParam());
    ASSERT_EQ(call.run(), std::nullopt);
    for (const std::uint64_t smallest : {4096U, 1024U, 256U}) {
        Outcome outcome;
        {
            const FailingAllocations failing(0, AllocationFaults::kNever, smallest);
            outcome = call.run();
        }
        EXPECT_TRUE(!outcome || *outcome == ErrorCode::kMachine) << "from " << smallest << " bytes on";
    }
    EXPECT_EQ(call.run(), std::nullopt) << "after all failures";
}

// In a process of its own each, where no thread has been started.
TEST_P(EachPublicCall, WorksWithTheThreadsThatThereAre) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    for (const std::int64_t granted : {0, 1, 2}) {
        EXPECT_EXIT(
            {
                num_threads_granted() = granted;
                const Outcome outcome = call_named(GetParam()).run();
                std::exit(outcome ? 1 + static_cast<int>(*outcome) : 0);
            },
            testing::ExitedWithCode(0), "")
            << granted << " threads";
    }
}

INSTANTIATE_TEST_SUITE_P(Machine, EachPublicCall, testing::ValuesIn(names()), [](const auto& info) {
    std::string name;
    for (const char c : info.param) {
        if (std::isalnum(static_cast<unsigned char>(c))) name += c;
    }
    return name;
});

// A check that cannot be made for lack of memory is no check that passes.
TEST(Verify, AcceptsNothingForLackOfMemory) {
    const VerifyingKey key = load_key("fib_2e5");
    const Proof proof = load_proof("fib_2e5");
    const Statement strong;  // the key has few bits
    Statement of_key = value_of(statement_of(key, proof));
    of_key.min_security_bits = 0;
    ASSERT_TRUE(verify(key, proof, of_key));
    VerifyingKey other = key;  // its content is not what its pre-hash says
    other.airs[0].is_required = !other.airs[0].is_required;
    Proof wrong = proof;
    wrong.whir.final_poly.at(0) += Fp4::one();
    VerifyingKey broken = key;
    broken.airs[0].constraint_idx.back() = 5000;
    const auto expect_never_accepted = [](const VerifyingKey& vk, const Proof& of, const Statement& statement) {
        std::uint64_t num_allocations = 0;
        {
            const FailingAllocations none(AllocationFaults::kNever);
            ASSERT_FALSE(verify(vk, of, statement));
            num_allocations = none.num_seen();
        }
        ASSERT_GT(num_allocations, 0U);
        for (std::uint64_t k = 0; k < num_allocations; ++k) {
            const FailingAllocations failing(k);
            const auto verdict = verify(vk, of, statement);
            if (verdict) FAIL() << "accepted where allocation " << k << " of " << num_allocations << " failed";
        }
    };
    expect_never_accepted(key, proof, strong);
    expect_never_accepted(other, proof, of_key);
    expect_never_accepted(key, wrong, of_key);
    expect_never_accepted(broken, proof, of_key);
}

TEST(PublicCalls, AreAllInTheList) {
    std::vector<std::string> found;
    for (const PublicCall& call : public_calls()) found.push_back(call.name);
    EXPECT_EQ(found, names());
}

}  // namespace
}  // namespace whorl::test
