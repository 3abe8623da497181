// What a caller may get wrong about the library: an error each, or for the two mistakes that have no other answer, a message.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <limits>

#include <whorl/air.hpp>
#include <whorl/check.hpp>
#include <whorl/device.hpp>
#include <whorl/prove.hpp>
#include <whorl/task.hpp>
#include <whorl/verify.hpp>

#include "vectors.hpp"

namespace whorl::test {
namespace {

using testing::HasSubstr;

Task fibonacci() {
    return value_of(load_task(vector_path("fib_height_1", "")));
}

void expect_refused(const Result<void>& result, const std::string& text) {
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, ErrorCode::kInvalidArgument);
    EXPECT_THAT(result.error().message, HasSubstr(text));
}

TEST(Matrix, OfTheWrongNumberOfValuesIsNotValidAndHoldsNothing) {
    for (const auto& [width, height] : {std::pair<std::size_t, std::size_t>{2, 2}, {1, 4}, {0, 1}, {3, 1}, {1, 2}}) {
        const Matrix matrix(std::vector<Fp>(3), width, height);
        EXPECT_EQ(matrix.is_valid(), width * height == 3) << width << " x " << height;
        if (!matrix.is_valid()) {
            EXPECT_EQ(matrix.width() + matrix.height(), 0U);
        }
    }
    const Result<Matrix> made = Matrix::create(std::vector<Fp>(3), 2, 2);
    ASSERT_FALSE(made);
    EXPECT_EQ(made.error().code, ErrorCode::kInvalidArgument);
    EXPECT_THAT(made.error().message, HasSubstr("2 columns of 2 elements, found 3 value(s)"));
}

TEST(Matrix, WhoseSizeCannotBeIsNotValid) {
    constexpr std::size_t kHuge = std::size_t{1} << 63;
    // width · height is 0 mod 2^64.
    for (const auto& [width, height] :
         {std::pair<std::size_t, std::size_t>{2, kHuge}, {2, std::size_t{1} << 60}, {kHuge, kHuge}, {1, kHuge}}) {
        EXPECT_FALSE(Matrix(width, height).is_valid()) << width << " x " << height;
        EXPECT_FALSE(Matrix({}, width, height).is_valid()) << width << " x " << height;
        const Result<Matrix> made = Matrix::create(width, height);
        ASSERT_FALSE(made);
        EXPECT_EQ(made.error().code, ErrorCode::kMachine);
    }
    EXPECT_EQ(Matrix().log_height(), 0U);
}

TEST(Matrix, ThatIsNotValidIsRefusedByEachCall) {
    Task task = fibonacci();
    const Matrix bad(std::vector<Fp>(3), 2, 2);
    task.traces[0].common_main = bad;
    const auto expect = [](const Result<void>& result) {
        expect_refused(result, "was made from a number of values other than");
    };
    const auto status = [](const auto& result) -> Result<void> {
        if (result) return {};
        return result.error();
    };
    expect(check_traces(task.vk, task.traces));
    expect(status(check_constraints(task.vk, task.traces)));
    expect(status(prove(task.vk, task.traces)));
    expect(status(plan_memory(task.vk, task.traces, {.device = "sim"})));
    expect(status(commit_matrix(task.vk.params, bad)));
}

TEST(Matrix, ThatWasMovedFromHoldsNothing) {
    Matrix from(2, 2);
    const Matrix to = std::move(from);
    EXPECT_EQ(from.width() + from.height(), 0U);  // NOLINT(bugprone-use-after-move)
    EXPECT_EQ(to.values().size(), 4U);
}

TEST(Matrix, EndsTheProgramWhenItIsReadOutside) {
    const Matrix matrix(2, 4);
    EXPECT_DEATH(static_cast<void>(matrix.at(4, 0)), "row 4 of column 0 .* 2 column\\(s\\) and 4 row\\(s\\)");
    EXPECT_DEATH(static_cast<void>(matrix.at(0, 2)), "column 2");
    EXPECT_DEATH(static_cast<void>(Matrix().column(0)), "column 0");
    EXPECT_DEATH(static_cast<void>(Matrix(1, 0).at(0, 0)), "row 0");
}

TEST(Traces, OfImpossibleHeightsAreRefused) {
    Task task = fibonacci();
    for (unsigned log_height = 20; log_height < 64; log_height += log_height == 62 ? 1 : 7) {
        // Without columns no height takes memory.
        task.traces[0].common_main = Matrix(0, std::size_t{1} << log_height);
        ASSERT_TRUE(task.traces[0].common_main.is_valid());
        EXPECT_FALSE(check_traces(task.vk, task.traces)) << log_height;
        EXPECT_FALSE(prove(task.vk, task.traces)) << log_height;
        EXPECT_FALSE(check_constraints(task.vk, task.traces)) << log_height;
        EXPECT_FALSE(commit_matrix(task.vk.params, task.traces[0].common_main)) << log_height;
    }
    task.traces[0] = AirTrace();
    EXPECT_FALSE(prove(task.vk, task.traces));
    EXPECT_FALSE(check_constraints(task.vk, task.traces));
}

TEST(Prover, ThatWasMovedFromReturnsErrors) {
    const Task task = fibonacci();
    Prover from = value_of(Prover::create(task.vk));
    Prover to = std::move(from);
    const Result<Proof> proof = from.prove(task.traces);  // NOLINT(bugprone-use-after-move)
    ASSERT_FALSE(proof);
    EXPECT_EQ(proof.error().code, ErrorCode::kInvalidArgument);
    EXPECT_THAT(proof.error().message, HasSubstr("moved from"));
    EXPECT_FALSE(from.plan(task.traces));
    EXPECT_TRUE(to.prove(task.traces));
    from = std::move(to);
    EXPECT_TRUE(from.prove(task.traces));
}

TEST(Options, OfTooManyThreadsAreRefused) {
    const Task task = fibonacci();
    for (const std::uint32_t threads : {kMaxThreads + 1, 2147483647U, std::numeric_limits<std::uint32_t>::max()}) {
        const Result<Proof> proof = prove(task.vk, task.traces, {.num_threads = threads});
        ASSERT_FALSE(proof);
        EXPECT_EQ(proof.error().code, ErrorCode::kInvalidArgument);
        EXPECT_THAT(proof.error().message, HasSubstr("expected at most 1024 threads"));
        EXPECT_FALSE(commit_matrix(task.vk.params, Matrix(1, 1), {.num_threads = threads}));
    }
}

TEST(Options, OfMoreThreadsThanCoresGiveNoWarning) {
    testing::internal::CaptureStderr();
    const Task task = fibonacci();
    EXPECT_TRUE(prove(task.vk, task.traces, {.num_threads = 300}));
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

TEST(Keygen, ReportsWhatAnAirThrows) {
    AnyAir air = [] {
        struct Throwing {
            std::string name() const { return "Throwing"; }
            std::uint32_t width() const { return 1; }
            void eval(SymbolicBuilder&) const { throw std::runtime_error("no constraint today"); }
        };
        return AnyAir(Throwing{});
    }();
    const auto key = keygen(test_params_small(2, 8, 3), std::span(&air, 1));
    ASSERT_FALSE(key);
    EXPECT_THAT(key.error().message, HasSubstr("eval() threw: no constraint today"));
    air.eval = nullptr;
    EXPECT_FALSE(keygen(test_params_small(2, 8, 3), std::span(&air, 1)));
}

TEST(Result, EndsTheProgramWhenTheValueOfAnErrorIsTaken) {
    Result<int> error = Error{ErrorCode::kIo, "stage", "what was wrong"};
    EXPECT_DEATH(static_cast<void>(*error), "holds an error \\(stage: what was wrong\\)");
    EXPECT_DEATH(static_cast<void>(error.value()), "what was wrong");
    EXPECT_DEATH(static_cast<void>(*std::move(error)), "what was wrong");
    Result<std::string> text = Error{ErrorCode::kIo, "stage", "what was wrong"};
    EXPECT_DEATH(static_cast<void>(text->size()), "what was wrong");
    const Result<void> nothing = Error{ErrorCode::kIo, "stage", "what was wrong"};
    EXPECT_DEATH(nothing.value(), "what was wrong");
    const Result<void, VerifyError> rejected = VerifyError{VerifyErrorKind::kNoTraces, "shape", {}, {}, {}};
    EXPECT_DEATH(rejected.value(), "shape: no AIR has a trace");
    EXPECT_DEATH(static_cast<void>(Result<int>(1).error()), "it holds a value");
    EXPECT_DEATH(static_cast<void>(Result<void>().error()), "it holds a value");
}

TEST(VerifyErrors, OfNumbersThatAreNoKindHaveAName) {
    EXPECT_EQ(name(static_cast<VerifyErrorKind>(255)), "internal");
}

}  // namespace
}  // namespace whorl::test
