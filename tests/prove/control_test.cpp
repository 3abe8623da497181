// What belongs to one call of a prover: stop, progress, telemetry, memory limit.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <whorl/device.hpp>
#include <whorl/prove.hpp>
#include <whorl/statement.hpp>
#include <whorl/task.hpp>
#include <whorl/telemetry.hpp>
#include <whorl/transcript.hpp>
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

class Control : public test::DeviceTest {
protected:
    void expect_proves(Prover& prover) const {
        expect_same_bytes(*encode_proof(value_of(prover.prove(task.traces))), stored_proof("mixture"));
    }

    Task task = task_of("mixture");
};

TEST_P(Control, StopsBeforeItBegins) {
    const std::atomic<bool> stop{true};
    Prover prover = value_of(Prover::create(task.vk, {.device = GetParam()}));
    const auto proof = prover.prove(task.traces, {.stop = &stop});
    ASSERT_FALSE(proof.has_value());
    EXPECT_EQ(proof.error().code, ErrorCode::kCancelled);
    const auto committed = prover.commit(task.traces[0].common_main, {.stop = &stop});
    ASSERT_FALSE(committed.has_value());
    EXPECT_EQ(committed.error().code, ErrorCode::kCancelled);
    EXPECT_EQ(prove(task.vk, task.traces, {.device = GetParam()}, {.stop = &stop}).error().code, ErrorCode::kCancelled);
    expect_proves(prover);
}

TEST_P(Control, StopsAtEveryPlaceAndProvesAgain) {
    Prover prover = value_of(Prover::create(task.vk, {.device = GetParam()}));
    std::size_t num_places = 0;
    expect_same_bytes(
        *encode_proof(value_of(prover.prove(task.traces, {.progress = [&](const Progress&) { ++num_places; }}))),
        stored_proof("mixture"));
    ASSERT_GT(num_places, 8u);
    for (std::size_t place = 0; place + 1 < num_places; ++place) {
        SCOPED_TRACE(testing::Message() << "place " << place);
        std::atomic<bool> stop{false};
        std::size_t at = 0;
        const auto proof = prover.prove(task.traces, {.stop = &stop, .progress = [&](const Progress&) {
                                                          if (at++ == place) stop = true;
                                                      }});
        ASSERT_FALSE(proof.has_value());
        EXPECT_EQ(proof.error().code, ErrorCode::kCancelled);
        EXPECT_EQ(at, place + 1) << "it went on";
    }
    expect_proves(prover);
}

TEST_P(Control, StopsForAnotherThreadOrIsDone) {
    Prover prover = value_of(Prover::create(task.vk, {.device = GetParam()}));
    for (int delay_us = 0; delay_us < 20'000; delay_us += 2'000) {
        std::atomic<bool> stop{false};
        std::thread stopper([&] {
            std::this_thread::sleep_for(std::chrono::microseconds(delay_us));
            stop = true;
        });
        const auto proof = prover.prove(task.traces, {.stop = &stop});
        stopper.join();
        if (proof) {
            expect_same_bytes(*encode_proof(*proof), stored_proof("mixture"));
        } else {
            EXPECT_EQ(proof.error().code, ErrorCode::kCancelled);
        }
    }
    expect_proves(prover);
}

TEST_P(Control, TellsHowFarItIs) {
    for (const std::string vector : {"mixture", "fib_height_1", "keccak_5_perms"}) {
        SCOPED_TRACE(vector);
        const Task given = task_of(vector);
        Prover prover = value_of(Prover::create(given.vk, {.device = GetParam()}));
        std::vector<double> fractions;
        std::set<std::string> stages;
        const std::thread::id caller = std::this_thread::get_id();
        const auto proof = prover.prove(given.traces, {.progress = [&](const Progress& progress) {
                                            fractions.push_back(progress.fraction);
                                            stages.emplace(progress.stage);
                                            EXPECT_EQ(std::this_thread::get_id(), caller);
                                        }});
        ASSERT_TRUE(proof.has_value());
        EXPECT_TRUE(std::ranges::is_sorted(fractions));
        EXPECT_EQ(fractions.front(), 0.0);
        EXPECT_EQ(fractions.back(), 1.0);
        EXPECT_EQ(stages, (std::set<std::string>{"prover.main_trace_commit", "logup_gkr", "batch_constraints",
                                                 "stacked_reduction", "whir"}));
    }
}

TEST_P(Control, AListenerThatThrowsEndsTheProof) {
    Prover prover = value_of(Prover::create(task.vk, {.device = GetParam()}));
    const auto proof =
        prover.prove(task.traces, {.progress = [](const Progress&) { throw std::runtime_error("no more"); }});
    ASSERT_FALSE(proof.has_value());
    EXPECT_EQ(proof.error().code, ErrorCode::kInternal);
    EXPECT_THAT(proof.error().message, HasSubstr("no more"));
    expect_proves(prover);
}

TEST_P(Control, AListenerCannotCallTheProver) {
    Prover prover = value_of(Prover::create(task.vk, {.device = GetParam()}));
    const auto expect_at_work = [](const auto& result) {
        ASSERT_FALSE(result.has_value());
        EXPECT_EQ(result.error().code, ErrorCode::kInvalidArgument);
        EXPECT_THAT(result.error().message, HasSubstr("this prover is at work in another call"));
    };
    int num_calls = 0;
    const auto call = [&](const Progress&) {
        if (num_calls++ != 1) return;
        expect_at_work(prover.prove(task.traces));
        expect_at_work(prover.plan(task.traces));
        expect_at_work(prover.commit(task.traces[0].common_main));
    };
    const auto proof = prover.prove(task.traces, {.progress = call});
    ASSERT_TRUE(proof.has_value()) << to_string(proof.error());
    EXPECT_GT(num_calls, 1);
    expect_proves(prover);
}

TEST_P(Control, ACommitmentTellsItsBeginAndEnd) {
    Prover prover = value_of(Prover::create(task.vk, {.device = GetParam()}));
    std::vector<double> fractions;
    const auto listen = [&](const Progress& progress) {
        EXPECT_EQ(progress.stage, "commit_matrix");
        fractions.push_back(progress.fraction);
    };
    EXPECT_TRUE(prover.commit(task.traces[0].common_main, {.progress = listen}).has_value());
    EXPECT_EQ(fractions, (std::vector<double>{0, 1}));
    const auto refused = prover.commit(task.traces[0].common_main,
                                       {.progress = [](const Progress&) { throw std::runtime_error("no more"); }});
    ASSERT_FALSE(refused.has_value());
    EXPECT_THAT(refused.error().message, HasSubstr("no more"));
}

TEST_P(Control, HasTelemetryOfItsOwn) {
    Telemetry of_prover, of_call;
    Prover prover = value_of(Prover::create(task.vk, {.device = GetParam(), .telemetry = &of_prover}));
    ASSERT_TRUE(prover.prove(task.traces, {.telemetry = &of_call}).has_value());
    EXPECT_EQ(of_prover.spans().size(), 0u);
    const std::size_t num_spans = of_call.spans().size();
    EXPECT_GT(num_spans, 10u);
    of_call.clear();
    ASSERT_TRUE(prover.prove(task.traces, {.telemetry = &of_call}).has_value());
    EXPECT_LE(of_call.spans().size(), num_spans);
}

TEST_P(Control, LimitsMemoryByThePlan) {
    Prover prover = value_of(Prover::create(task.vk, {.device = GetParam()}));
    const MemoryPlan plan = value_of(prover.plan(task.traces));
    ASSERT_GT(plan.device_bytes, 0u);
    const auto refused = prover.prove(task.traces, {.memory_limit_bytes = plan.device_bytes - 1});
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().code, ErrorCode::kMachine);
    EXPECT_THAT(refused.error().message, HasSubstr("memory_limit_bytes"));
    const auto proof = prover.prove(task.traces, {.memory_limit_bytes = plan.device_bytes});
    expect_same_bytes(*encode_proof(value_of(proof)), stored_proof("mixture"));
}

TEST_P(Control, GoesOnFromATranscript) {
    Prover prover = value_of(Prover::create(task.vk, {.device = GetParam(), .verify_after = true}));
    // A new one gives the proof that is stored.
    Transcript fresh;
    expect_same_bytes(*encode_proof(value_of(prover.prove(task.traces, {.transcript = &fresh}))),
                      stored_proof("mixture"));
    Transcript of_stored;
    ASSERT_TRUE(verify(task.vk, test::load_proof("mixture"), of_stored));
    EXPECT_EQ(fresh.state(), of_stored.state());
    // Two proofs, one after the other: the second is bound to the first.
    Transcript transcript = fresh;
    const Proof second = value_of(prover.prove(task.traces, {.transcript = &transcript}));
    EXPECT_NE(second, test::load_proof("mixture"));
    EXPECT_FALSE(verify(task.vk, second));
    EXPECT_TRUE(verify(task.vk, second, of_stored));
    EXPECT_EQ(of_stored.state(), transcript.state());
    // What fails leaves the transcript alone.
    const TranscriptState before = transcript.state();
    const std::atomic<bool> stop{true};
    EXPECT_FALSE(prover.prove(task.traces, {.stop = &stop, .transcript = &transcript}));
    EXPECT_FALSE(prover.prove({}, {.transcript = &transcript}));
    EXPECT_FALSE(verify(task.vk, second, transcript));
    Statement statement = value_of(statement_of(task.vk, second));
    EXPECT_FALSE(verify(task.vk, second, statement, transcript));
    EXPECT_EQ(transcript.state(), before);
    statement.min_security_bits = 0;
    Transcript start = fresh;
    EXPECT_TRUE(verify(task.vk, second, statement, start));
    EXPECT_EQ(start.state(), before);
}

INSTANTIATE_TEST_SUITE_P(Devices, Control, testing::ValuesIn(test::kDevices),
                         [](const auto& test) { return test.param; });

TEST(CpuPlan, NamesItsBuffersByStage) {
    const Task task = task_of("mixture");
    const MemoryPlan plan = value_of(plan_memory(task.vk, task.traces, {.device = "cpu"}));
    std::set<std::string> names;
    std::uint64_t largest = 0;
    for (const PlannedBuffer& buffer : plan.buffers) {
        names.insert(buffer.name);
        largest = std::max(largest, buffer.bytes);
        EXPECT_LT(buffer.taken, buffer.returned);
        EXPECT_FALSE(buffer.last_stage.empty());
    }
    EXPECT_THAT(names, testing::IsSupersetOf({"merkle_tree", "fraction_tree", "mle_tables"}));
    EXPECT_GE(plan.peak_live_bytes, largest);
    EXPECT_EQ(plan.device_bytes, plan.peak_live_bytes);
}

TEST(TelemetrySpans, AreBoundedAndForgotten) {
    Telemetry telemetry(3);
    {
        const Span outer(&telemetry, "outer");
        telemetry.clear();  // not while a span is open
        EXPECT_EQ(telemetry.spans().size(), 1u);
        for (int i = 0; i < 5; ++i) const Span inner(&telemetry, "inner");
    }
    EXPECT_EQ(telemetry.spans().size(), 3u);
    EXPECT_EQ(telemetry.num_lost(), 3u);
    telemetry.clear();
    EXPECT_EQ(telemetry.spans().size(), 0u);
    EXPECT_EQ(telemetry.num_lost(), 0u);
    const Span again(&telemetry, "again");
    EXPECT_EQ(telemetry.spans().size(), 1u);
}

}  // namespace
}  // namespace whorl
