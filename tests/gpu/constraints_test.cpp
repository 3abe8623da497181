// The batch sumcheck and LogUp's leaves on devices, against the CPU's batch sumcheck and against plain evaluation.
#include "backend/gpu/constraints.hpp"
#include "backend/gpu/resident.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

#include <whorl/air.hpp>
#include <whorl/prove.hpp>
#include <whorl/task.hpp>
#include <whorl/telemetry.hpp>

#include "air/block_evaluator.hpp"
#include "airs/small.hpp"
#include "airs/tasks.hpp"
#include "backend/cpu/constraints.hpp"
#include "backend/gpu/leaves.hpp"
#include "gpu/devices.hpp"
#include "gpu/tall_task.hpp"
#include "unit/random.hpp"
#include "vectors.hpp"

namespace whorl::gpu {
namespace {

using test::value_of;

// Everything that the drivers draw.
struct Challenges {
    explicit Challenges(const ProverInput& input) {
        test::Random random;
        alpha = random.fp4();
        batch.beta = random.fp4();
        batch.lambda = random.fp4();
        batch.xi = random.fp4s(input.params().l_skip + input.layout.n_global());
        mu = random.fp4();
        r = random.fp4s(input.layout.n_max + 1);
    }
    Fp4 alpha, mu;
    BatchChallenges batch;
    std::vector<Fp4> r;
};

// All that a batch sumcheck says, in its order.
template <class Batch>
std::vector<std::vector<Fp4>> transcript_of(Batch& batch, const Challenges& challenges) {
    std::vector<std::vector<Fp4>> out;
    batch.evaluate_round0();
    const ConstraintTerms::SumTerms terms = batch.sum_terms();
    out.push_back(terms.numerators);
    out.push_back(terms.denominators);
    out.push_back(batch.univariate_message(challenges.mu));
    batch.fold_univariate(challenges.r[0]);
    for (std::size_t round = 1; round < challenges.r.size(); ++round) {
        out.push_back(batch.round_message());
        batch.fold(challenges.r[round]);
    }
    for (const auto& of_trace : batch.openings()) out.insert(out.end(), of_trace.begin(), of_trace.end());
    return out;
}

void expect_equal_to_cpu(const VerifyingKey& vk, const std::vector<AirTrace>& traces,
                         const ConstraintTuning& tuning = {}, Dispatch dispatch = Dispatch::kStaged) {
    const ProverInput input = make_prover_input(vk, traces, nullptr);
    const Challenges challenges(input);
    cpu::ConstraintBatch expected_batch(input, challenges.batch);
    const auto expected = transcript_of(expected_batch, challenges);
    ProgramCache programs(vk);
    on_devices(
        [&](Device& device) {
            const Residents residents(device);
            const DeviceTraces device_traces(device, residents, input);
            ConstraintBatch batch(device, device_traces, programs, input, challenges.batch, tuning);
            const auto found = transcript_of(batch, challenges);
            if (device.is_planning()) return;
            ASSERT_EQ(found.size(), expected.size());
            for (std::size_t i = 0; i < found.size(); ++i) EXPECT_EQ(found[i], expected[i]) << "message " << i;
        },
        dispatch);
}

// Numerators and denominators of the LogUp table, straight from the DAG.
void expect_plain_leaves(const VerifyingKey& vk, const std::vector<AirTrace>& traces) {
    const ProverInput input = make_prover_input(vk, traces, nullptr);
    if (!input.layout.has_interactions()) return;
    const Challenges challenges(input);
    const std::uint64_t num_cells = input.layout.num_logup_cells;
    std::vector<Fp> p(num_cells);
    std::vector<Fp4> q(num_cells);
    for (const LogupBlock& block : input.layout.logup_blocks) {
        const AirVerifyingKey& air = input.air(block.trace);
        const AirTrace& trace = *input.traces[block.trace];
        const SymbolicInteraction& interaction = air.interactions[block.interaction];
        const BlockEvaluator evaluator(air, trace, BlockEvaluator::Roots::kInteractions);
        BlockEvaluator::Scratch scratch = evaluator.make_scratch();
        const unsigned log_repetitions = input.log_repetitions(block.trace);
        for (std::size_t row = 0; row < trace.height(); ++row) {
            evaluator.evaluate(row, 1, scratch, {});
            Fp4 denominator = challenges.alpha;
            Fp4 power = Fp4::one();
            for (const std::uint32_t node : interaction.message) {
                denominator += power * *scratch.values[node];
                power *= challenges.batch.beta;
            }
            denominator += power * Fp::from_canonical(interaction.bus_index + 1u);
            for (std::size_t copy = 0; copy < std::size_t{1} << log_repetitions; ++copy) {
                const std::size_t cell = block.start + row + copy * trace.height();
                p[cell] = *scratch.values[interaction.count] * Fp::half().pow(log_repetitions);
                q[cell] = denominator;
            }
        }
    }
    ProgramCache programs(vk);
    on_devices([&](Device& device) {
        const Residents residents(device);
        const DeviceTraces device_traces(device, residents, input);
        const Buffer leaf_p = device.arena().take_words("p", num_cells);
        const Buffer leaf_q = device.arena().take_exts("q", num_cells);
        const RecordedLeaves leaves = evaluate_leaves(device, device_traces, input, programs, challenges.alpha,
                                                      challenges.batch.beta, leaf_p.address(), leaf_q.address());
        device.recorder().submit_and_wait(leaves.num_kernels);
        const auto found_p = read_back<Fp>(device, leaf_p.address(), num_cells);
        const auto found_q = read_back<Fp4>(device, leaf_q.address(), num_cells);
        if (device.is_planning()) return;
        EXPECT_EQ(found_p, p);
        EXPECT_EQ(found_q, q);
    });
}

class ConstraintsOfVector : public testing::TestWithParam<std::string> {};

TEST_P(ConstraintsOfVector, GiveTheMessagesOfTheCpu) {
    const Task task = value_of(load_task(test::vector_path(GetParam(), "")));
    expect_equal_to_cpu(task.vk, task.traces);
}

TEST_P(ConstraintsOfVector, GivePlainLeaves) {
    const Task task = value_of(load_task(test::vector_path(GetParam(), "")));
    expect_plain_leaves(task.vk, task.traces);
}

INSTANTIATE_TEST_SUITE_P(Vectors, ConstraintsOfVector,
                         testing::Values("cached", "fib_2e5", "fib_height_1", "fib_three_airs_one_absent",
                                         "interactions", "keccak_5_perms", "mixture", "mixture_app_100_bits",
                                         "mixture_l_skip_5", "preprocessed", "preprocessed_and_cached",
                                         "self_interactions"),
                         [](const auto& test) { return test.param; });

// Needs more registers than a thread has: products that come up again after a node that takes all of them.
struct ManyLiveValuesAir {
    static constexpr std::uint32_t kProducts = 40;

    std::string name() const { return "ManyLiveValuesAir"; }
    std::uint32_t width() const { return kProducts + 1; }

    template <class Builder>
    void eval(Builder& builder) const {
        using Expr = typename Builder::Expr;
        const auto& [local, next] = builder.main();
        std::vector<Expr> products;
        for (std::uint32_t i = 0; i < kProducts; ++i) products.push_back(local[i] * local[kProducts]);
        Expr total = next[0];
        for (const Expr& product : products) total = total + product;
        Expr chain = total;
        for (const Expr& product : products) chain = chain - (product + total);
        builder.assert_zero(chain * next[kProducts]);
        builder.push_interaction(1, std::vector<Expr>{chain, local[0]}, chain, 1);
    }
};

// Random values of the right shape: proofs of them would not verify, but are equal all the same.
AirTrace random_trace(const VerifyingKey& vk, std::uint32_t air_id, unsigned log_height, test::Random& random) {
    const AirVerifyingKey& air = vk.airs[air_id];
    const std::size_t height = std::size_t{1} << log_height;
    AirTrace trace;
    trace.air_id = air_id;
    trace.common_main = Matrix(random.fps(air.width.common_main * height), air.width.common_main, height);
    for (const std::uint32_t width : air.width.cached_mains) {
        trace.cached_mains.emplace_back(Matrix(random.fps(width * height), width, height));
    }
    if (air.preprocessed) {
        const std::uint32_t width = *air.width.preprocessed;
        trace.preprocessed = Matrix(random.fps(width * height), width, height);
    }
    trace.public_values = random.fps(air.num_public_values);
    return trace;
}

struct RandomTask {
    VerifyingKey vk;
    std::vector<AirTrace> traces;
};

// Skip domains of all sizes, traces from height 1 on, some shorter than the domain.
RandomTask random_task(unsigned l_skip) {
    const std::vector<AnyAir> airs{FibonacciAir{},
                                   ManyLiveValuesAir{},
                                   PreprocessedCachedAir{std::vector<bool>(4), 2},
                                   SelfInteractionAir{5, 3},
                                   FibonacciAir{},
                                   DummyInteractionAir{2, true, 0, true},
                                   DummyInteractionAir{3, false, 0}};
    const unsigned log_heights[] = {8, 6, 2, 7, 0, 1, 5};
    RandomTask task{value_of(keygen(test_params_small(l_skip, 9, 3), airs)).vk, {}};
    test::Random random;
    for (std::uint32_t i = 0; i < airs.size(); ++i) {
        task.traces.push_back(random_trace(task.vk, i, log_heights[i], random));
    }
    return task;
}

TEST(Constraints, batch_constraints_with_interactions) {
    const Task task = value_of(load_task(test::vector_path("interactions", "")));
    ASSERT_GT(make_prover_input(task.vk, task.traces, nullptr).layout.n_logup, 0u);
    expect_equal_to_cpu(task.vk, task.traces);
}

TEST(Constraints, OnSkipDomainsOfAllSizes) {
    for (unsigned l_skip = 0; l_skip <= 6; ++l_skip) {
        SCOPED_TRACE(testing::Message() << "l_skip " << l_skip);
        const RandomTask task = random_task(l_skip);
        expect_equal_to_cpu(task.vk, task.traces);
        expect_plain_leaves(task.vk, task.traces);
    }
}

TEST(Constraints, InTurnsWhereScratchIsSmallAndInStepsWhereGroupsAreFew) {
    for (const unsigned l_skip : {0u, 2u, 4u}) {
        SCOPED_TRACE(testing::Message() << "l_skip " << l_skip);
        const RandomTask task = random_task(l_skip);
        expect_equal_to_cpu(task.vk, task.traces,
                            {.max_scratch_words = 1000, .max_round0_groups = 1, .max_round_groups = 1});
        expect_equal_to_cpu(task.vk, task.traces, {.max_scratch_words = 1}, Dispatch::kUnfused);
    }
}

TEST(Constraints, WithWholeAndWithSplitPrograms) {
    const RandomTask task = random_task(3);
    expect_equal_to_cpu(task.vk, task.traces, {.min_round_groups = 0});
    const TallTask tall = tall_task();
    expect_equal_to_cpu(tall.vk, tall.traces, {.min_round_groups = std::numeric_limits<std::uint64_t>::max()});
    const Task keccak = value_of(load_task(test::vector_path("keccak_5_perms", "")));
    expect_equal_to_cpu(keccak.vk, keccak.traces, {.min_round_groups = 0});
}

TEST(Constraints, OnTallTraces) {
    const TallTask task = tall_task();
    expect_equal_to_cpu(task.vk, task.traces);
    expect_equal_to_cpu(task.vk, task.traces, {.max_round0_groups = 1, .max_round_groups = 1});
    expect_plain_leaves(task.vk, task.traces);
}

struct Round0Counts {
    std::int64_t command_buffers = 0, kernels = 0, syncs = 0;
    friend bool operator==(const Round0Counts&, const Round0Counts&) = default;
};

// What round 0 dispatches for one trace, and its spans.
Round0Counts round0_counts(const VerifyingKey& vk, const std::vector<AirTrace>& traces, Dispatch dispatch,
                           std::vector<SpanRecord>& spans, std::uint64_t& num_allocations) {
    Telemetry telemetry;
    ProverInput input = make_prover_input(vk, traces, nullptr);
    const Challenges challenges(input);
    ProgramCache programs(vk);
    Round0Counts counts;
    on_devices(
        [&](Device& device) {
            telemetry = {};
            input.telemetry = &telemetry;
            const Residents residents(device);
            const DeviceTraces device_traces(device, residents, input);
            ConstraintBatch batch(device, device_traces, programs, input, challenges.batch);
            const DispatchCounts before = device.recorder().counts();
            const std::uint64_t allocations_before = device.num_allocations();
            batch.evaluate_round0();
            const DispatchCounts& after = device.recorder().counts();
            EXPECT_EQ(after.kernels - before.kernels, after.expected_kernels - before.expected_kernels);
            counts = {after.command_buffers - before.command_buffers, after.kernels - before.kernels,
                      after.syncs - before.syncs};
            num_allocations = device.num_allocations() - allocations_before;
        },
        dispatch);
    spans = telemetry.spans();
    return counts;
}

TEST(Round0, ZerocheckOfTwoCosetsIsOneSubmissionOfFourKernels) {
    const Task task = value_of(load_task(test::vector_path("keccak_5_perms", "")));
    std::vector<SpanRecord> spans;
    std::uint64_t num_allocations = 0;
    EXPECT_EQ(round0_counts(task.vk, task.traces, Dispatch::kStaged, spans, num_allocations), (Round0Counts{1, 4, 1}));
    EXPECT_EQ(num_allocations, 0);
    ASSERT_EQ(spans.size(), 1);
    EXPECT_EQ(spans[0].name, "zerocheck_ntt_eval_constraints");
    EXPECT_THAT(spans[0].fields, testing::ElementsAre(testing::Pair("coset_count", FieldValue(std::int64_t{2}))));
    EXPECT_EQ(round0_counts(task.vk, task.traces, Dispatch::kUnfused, spans, num_allocations), (Round0Counts{2, 4, 2}));
    EXPECT_EQ(num_allocations, 2);
}

TEST(Round0, LogupOfOneCosetIsOneSubmissionOfThreeKernels) {
    const Task task = value_of(load_task(test::vector_path("interactions", "")));
    std::vector<SpanRecord> spans;
    std::uint64_t num_allocations = 0;
    EXPECT_EQ(round0_counts(task.vk, task.traces, Dispatch::kStaged, spans, num_allocations), (Round0Counts{1, 3, 1}));
    EXPECT_EQ(num_allocations, 0);
    ASSERT_EQ(spans.size(), 1);
    EXPECT_EQ(spans[0].name, "logup_bary_eval_interactions_round0");
    EXPECT_THAT(spans[0].fields, testing::ElementsAre(testing::Pair("coset_count", FieldValue(std::int64_t{1}))));
    EXPECT_EQ(round0_counts(task.vk, task.traces, Dispatch::kUnfused, spans, num_allocations), (Round0Counts{1, 3, 1}));
    EXPECT_EQ(num_allocations, 1);
}

TEST(Programs, OfKeccakAreManyAndSmall) {
    const auto task = vector_task("keccak_5_perms");
    ASSERT_TRUE(task.has_value());
    const ProvingKey key = value_of(keygen(task->params, task->airs));
    const AirPrograms programs(key.vk.airs[0]);
    const ChunkedProgram& zerocheck = programs.zerocheck;
    EXPECT_GE(zerocheck.num_chunks(), 200);
    EXPECT_EQ(zerocheck.num_spilled, 0);
    for (const ProgramChunk& chunk : zerocheck.chunks) EXPECT_LE(chunk.num_instructions, 256);
    // Little is computed twice.
    const ConstraintProgram whole = compile_program(key.vk.airs[0], {programs.summands.zerocheck.terms, {}, 1});
    EXPECT_LE(zerocheck.code.size(), whole.code.size() * 5 / 4);

    const ChunkedProgram& split = programs.split_zerocheck.program;
    EXPECT_GE(split.num_chunks(), 1000);
    for (const ProgramChunk& chunk : split.chunks) EXPECT_LE(chunk.num_instructions, 48);
    EXPECT_LE(split.code.size(), whole.code.size() * 5 / 4);
}

TEST(Programs, SpillWhereOneConstraintNeedsManyRegisters) {
    const std::vector<AnyAir> airs{ManyLiveValuesAir{}};
    const ProvingKey key = value_of(keygen(test_params_small(2, 8, 3), airs));
    const AirPrograms programs(key.vk.airs[0]);
    EXPECT_GT(programs.zerocheck.num_spilled, 0);
    EXPECT_GT(programs.leaves.program.num_spilled, 0);
}

}  // namespace
}  // namespace whorl::gpu
