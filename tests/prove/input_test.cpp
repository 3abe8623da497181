// Traces that do not fit the key are refused by name before any work is done.
#include <gtest/gtest.h>

#include <functional>
#include <string>

#include <whorl/prove.hpp>
#include <whorl/task.hpp>

#include "vectors.hpp"

namespace whorl {
namespace {

using test::value_of;

// `mixture` with one thing wrong, and what the message must say.
struct BadInput {
    std::string name;
    std::function<void(Task&)> spoil;
    std::string message;
};

class RefusesTraces : public testing::TestWithParam<BadInput> {};

TEST_P(RefusesTraces, NamingPlaceExpectedAndFound) {
    Task task = value_of(load_task(test::vector_path("mixture", "")));
    GetParam().spoil(task);
    const auto proof = prove(task.vk, task.traces);
    ASSERT_FALSE(proof.has_value());
    EXPECT_EQ(proof.error().code, ErrorCode::kInvalidArgument);
    EXPECT_NE(proof.error().message.find(GetParam().message), std::string::npos) << proof.error().message;
}

Matrix zeros(std::size_t width, std::size_t height) {
    return Matrix(width, height);
}

INSTANTIATE_TEST_SUITE_P(
    Prover, RefusesTraces,
    testing::Values(BadInput{"NoTraces", [](Task& t) { t.traces.clear(); }, "at least one AIR, found none"},
                    BadInput{"UnknownAir", [](Task& t) { t.traces[0].air_id = 99; }, "AIR 99: the key has 12 AIRs"},
                    BadInput{"RepeatedAir", [](Task& t) { t.traces[1] = t.traces[0]; },
                             "AIR 0: expected one trace, found two"},
                    BadInput{"WrongWidth", [](Task& t) { t.traces[0].common_main = zeros(3, 16); },
                             "AIR 0, common main: expected 2 columns, found 3"},
                    BadInput{"HeightNotAPowerOfTwo", [](Task& t) { t.traces[0].common_main = zeros(2, 12); },
                             "AIR 0: expected a power of two as height, found 12"},
                    BadInput{"HeightZero", [](Task& t) { t.traces[0].common_main = zeros(2, 0); }, "height, found 0"},
                    BadInput{"AboveTheStackedHeight", [](Task& t) { t.traces[0].common_main = zeros(2, 2048); },
                             "AIR 0: height 2^11 exceeds the stacked height 2^10"},
                    BadInput{"PartsOfDifferentHeight", [](Task& t) { t.traces[3].cached_mains[0] = zeros(1, 8); },
                             "AIR 3, cached part 0: expected height 4 as in the common main, found 8"},
                    BadInput{"MissingCachedPart", [](Task& t) { t.traces[3].cached_mains.clear(); },
                             "AIR 3: expected 1 cached parts, found 0"},
                    BadInput{"MissingPreprocessedPart", [](Task& t) { t.traces[5].preprocessed.reset(); },
                             "AIR 5: expected a preprocessed part, found none"},
                    BadInput{"UnexpectedPreprocessedPart", [](Task& t) { t.traces[0].preprocessed = zeros(1, 16); },
                             "AIR 0: expected no preprocessed part, found one"},
                    BadInput{"PreprocessedHeightOfAnotherKey",
                             [](Task& t) {
                                 t.traces[5].common_main = zeros(2, 8);
                                 t.traces[5].preprocessed = zeros(1, 8);
                             },
                             "AIR 5: the key fixes its height to 2^4, found 2^3"},
                    BadInput{"MissingPublicValue", [](Task& t) { t.traces[0].public_values.pop_back(); },
                             "AIR 0: expected 3 public values, found 2"},
                    BadInput{"WordOverTheField",
                             [](Task& t) { t.traces[0].common_main.at(1, 0) = Fp::from_montgomery(Fp::kModulus); },
                             "AIR 0, common main: a word is not a field element"},
                    BadInput{"RequiredAirAbsent",
                             [](Task& t) {
                                 t.vk.airs[2].is_required = true;
                                 t.traces.erase(t.traces.begin() + 2);
                             },
                             "AIR 2: its trace is required, found none"},
                    BadInput{"TooManyStackedColumns", [](Task& t) { t.vk.params.w_stack = 1; },
                             "stacked columns, the key allows 1"},
                    BadInput{"HeightConstraint", [](Task& t) { t.vk.trace_height_constraints[0].threshold = 1; },
                             "expected a weighted sum of heights below 1"}),
    [](const auto& test) { return test.param.name; });

TEST(Prover, RefusesPreprocessedColumnsThatTheKeyDoesNotCommitTo) {
    Task task = value_of(load_task(test::vector_path("mixture", "")));
    for (const char* device : {"cpu", "sim"}) {
        SCOPED_TRACE(device);
        Prover prover = value_of(Prover::create(task.vk, {.device = device}));
        Fp& cell = task.traces[5].preprocessed->at(3, 0);
        cell += Fp::one();
        const auto proof = prover.prove(task.traces);
        cell -= Fp::one();
        ASSERT_FALSE(proof.has_value());
        EXPECT_EQ(proof.error().code, ErrorCode::kInvalidArgument);
        EXPECT_NE(proof.error().message.find("AIR 5, preprocessed part: expected the columns that the key commits to"),
                  std::string::npos)
            << proof.error().message;
        // The prover goes on with other traces.
        EXPECT_TRUE(prover.prove(task.traces).has_value());
    }
}

TEST(Prover, NamesTheDevicesThatItHas) {
    const Task task = value_of(load_task(test::vector_path("fib_2e5", "")));
    const auto no_name = prove(task.vk, task.traces, {.device = "abacus"});
    ASSERT_FALSE(no_name.has_value());
    EXPECT_EQ(no_name.error().code, ErrorCode::kInvalidArgument);
    EXPECT_NE(no_name.error().message.find("cuda:NUMBER"), std::string::npos) << no_name.error().message;
    const auto not_there = prove(task.vk, task.traces, {.device = "cuda:77"});
    ASSERT_FALSE(not_there.has_value());
    EXPECT_EQ(not_there.error().code, ErrorCode::kMachine);
    EXPECT_NE(not_there.error().message.find("available: cpu, sim"), std::string::npos) << not_there.error().message;
}

TEST(Prover, RefusesUnworkableParameters) {
    Task task = value_of(load_task(test::vector_path("fib_2e5", "")));
    task.vk.params.whir.num_queries.clear();
    const auto proof = prove(task.vk, task.traces);
    ASSERT_FALSE(proof.has_value());
    EXPECT_EQ(proof.error().code, ErrorCode::kInvalidArgument);
}

TEST(CommitMatrix, GivesTheKeysPreprocessedCommitment) {
    const Task task = value_of(load_task(test::vector_path("preprocessed_and_cached", "")));
    const MatrixCommitment commitment = value_of(commit_matrix(task.vk.params, *task.traces[0].preprocessed));
    EXPECT_EQ(commitment.commit, task.vk.airs[0].preprocessed->commit);
    EXPECT_EQ(commitment.stacking_width, task.vk.airs[0].preprocessed->stacking_width);
}

TEST(CommitMatrix, RefusesWhatCannotBeStacked) {
    const SystemParams params = test_params_small(2, 8, 3);
    EXPECT_FALSE(commit_matrix(params, Matrix(0, 4)).has_value());
    EXPECT_FALSE(commit_matrix(params, Matrix(1, 3)).has_value());
    EXPECT_FALSE(commit_matrix(params, Matrix(1, 0)).has_value());
    EXPECT_FALSE(commit_matrix(params, Matrix(1, 2048)).has_value());
}

}  // namespace
}  // namespace whorl
