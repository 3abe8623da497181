// Statements as files: what comes back, and what is refused with its place.
#include <gmock/gmock.h>

#include <string>
#include <vector>

#include <whorl/statement.hpp>

#include "engine/statement_file.hpp"
#include "vectors.hpp"

namespace whorl {
namespace {

using test::value_of;
using ::testing::HasSubstr;

Digest digest_of(std::uint32_t first) {
    Digest digest;
    for (Fp& x : digest) x = Fp::from_canonical(first++);
    return digest;
}

void expect_round_trip(const Statement& statement) {
    const std::string text = value_of(statement_text(statement));
    EXPECT_EQ(value_of(parse_statement(text, "a file")), statement) << text;
}

TEST(StatementFile, ComesBackWithWhateverItSays) {
    expect_round_trip({});
    Statement statement;
    statement.min_security_bits = 42.5;
    statement.allows_other_airs = false;
    statement.airs.push_back({.air_id = 7, .log_height = {}, .public_values = {}, .cached_commitments = {}});
    expect_round_trip(statement);
    statement.pre_hash = digest_of(10);
    statement.params = test_params_small(2, 8, 3);
    statement.airs.push_back({.air_id = 0,
                              .log_height = 63,
                              .public_values = std::vector<Fp>{Fp::one(), Fp::zero()},
                              .cached_commitments = std::vector<Digest>{digest_of(1), digest_of(20)}});
    expect_round_trip(statement);
    statement.airs[1].log_height = 0;
    statement.airs[1].public_values->clear();
    statement.airs[1].cached_commitments->clear();
    expect_round_trip(statement);
}

TEST(StatementFile, SaysNothingOfWhatItLeavesOut) {
    const Statement least = value_of(parse_statement(R"({"format": 1})", "a file"));
    EXPECT_EQ(least, Statement());
    const Statement one = value_of(parse_statement(R"({"format": 1, "airs": [{"air_id": 3}]})", "a file"));
    ASSERT_EQ(one.airs.size(), 1U);
    EXPECT_EQ(one.airs[0].air_id, 3U);
    EXPECT_FALSE(one.airs[0].log_height || one.airs[0].public_values || one.airs[0].cached_commitments);
}

TEST(StatementFile, RefusesWhatItCannotMean) {
    const auto message = [](const std::string& text) {
        const Result<Statement> statement = parse_statement(text, "a file");
        EXPECT_FALSE(statement) << text;
        if (statement) return std::string();
        EXPECT_EQ(statement.error().code, ErrorCode::kBadFormat);
        EXPECT_EQ(statement.error().stage, "statement");
        return statement.error().message;
    };
    const auto of_air = [&](const std::string& fields) {
        return message(R"({"format": 1, "airs": [{"air_id": 0}, {"air_id": 1, )" + fields + "}]}");
    };
    EXPECT_THAT(message("{"), HasSubstr("a file"));
    EXPECT_THAT(message("{}"), HasSubstr("format"));
    EXPECT_THAT(message(R"({"format": 2})"), HasSubstr("a file/format is 2, this program reads 1"));
    EXPECT_THAT(message(R"({"format": 1, "min_security": 5})"), HasSubstr("min_security"));
    EXPECT_THAT(message(R"({"format": 1, "airs": [{}]})"), HasSubstr("air_id"));
    EXPECT_THAT(message(R"({"format": 1, "pre_hash": [1]})"), HasSubstr("pre_hash"));
    EXPECT_THAT(message(R"({"format": 1, "params": {}})"), HasSubstr("params"));
    EXPECT_THAT(message(R"({"format": 1, "other_airs": 1})"), HasSubstr("other_airs"));
    EXPECT_THAT(message(R"({"format": 1, "airs": [{"air_id": 2}, {"air_id": 1}, {"air_id": 2}]})"),
                HasSubstr("a file/airs: AIR 2 is listed twice"));
    EXPECT_THAT(of_air(R"("height": 6)"), HasSubstr("a file/airs/1/height is 6, not a power of two"));
    EXPECT_THAT(of_air(R"("height": 0)"), HasSubstr("not a power of two"));
    EXPECT_THAT(of_air(R"("public_values": [0, 2013265921])"), HasSubstr("public_values/1"));
    EXPECT_THAT(of_air(R"("cached_commitments": [[1, 2, 3]])"), HasSubstr("cached_commitments/0"));
    EXPECT_THAT(of_air(R"("heights": 4)"), HasSubstr("heights"));
}

TEST(StatementFile, HasNoHeightOf2To64) {
    Statement statement;
    statement.airs.push_back({.air_id = 5, .log_height = 64, .public_values = {}, .cached_commitments = {}});
    const Result<std::string> text = statement_text(statement);
    ASSERT_FALSE(text);
    EXPECT_EQ(text.error().code, ErrorCode::kInvalidArgument);
    EXPECT_THAT(text.error().message, HasSubstr("AIR 5 has a height of 2^64, expected below 2^64"));
}

}  // namespace
}  // namespace whorl
