// A proof that is valid is rejected where key or proof are not those of the statement, with a kind for each part.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <set>
#include <string>

#include <whorl/security.hpp>
#include <whorl/statement.hpp>

#include "support.hpp"

namespace whorl {
namespace {

using test::value_of;
using Kind = VerifyErrorKind;

// The stored keys are weak but for those of the presets.
Statement weak_statement() {
    Statement statement;
    statement.min_security_bits = 0;
    return statement;
}

Statement whole_statement(const VerifyingKey& key, const Proof& proof) {
    Statement statement = value_of(statement_of(key, proof));
    statement.min_security_bits = 0;
    return statement;
}

TEST(Statement, ThatAProofMakesIsTheOneItIsAcceptedFor) {
    for (const std::string& vector : test::kVectorNames) {
        const VerifyingKey key = test::load_key(vector);
        const Proof proof = test::load_proof(vector);
        const auto verdict = verify(key, proof, whole_statement(key, proof));
        EXPECT_TRUE(verdict) << vector << ": " << to_string(verdict.error());
        EXPECT_TRUE(verify(key, proof, weak_statement())) << vector;
    }
}

TEST(Statement, AnUnsetPartAllowsAnything) {
    const VerifyingKey key = test::load_key("preprocessed_and_cached");
    const Proof proof = test::load_proof("preprocessed_and_cached");
    Statement statement = weak_statement();
    statement.airs = {{.air_id = 0}, {.air_id = 0}};
    EXPECT_TRUE(verify(key, proof, statement));
}

struct Case {
    Kind kind;
    std::string vector;
    std::function<void(Statement&)> change;
    std::string stage;
    std::string place;
    std::string expected;
    std::string found;
};

// Vectors: fib_2e5 has one AIR of height 32 with three public values; fib_three_airs_one_absent lacks AIR 1; cached
// commitments are in preprocessed_and_cached, two of AIR 0.
std::vector<Case> all_cases() {
    const std::string fib = "fib_2e5";
    const std::string parts = "preprocessed_and_cached";
    const std::string params = "statement.params";
    const auto param = [&](const char* place, auto change, const char* expected, const char* found) {
        return Case{
            Kind::kStatementParams, fib, [change](Statement& s) { change(*s.params); }, params, place, expected, found};
    };
    return {
        param(
            "l_skip", [](auto& p) { ++p.l_skip; }, "3", "2"),
        param(
            "n_stack", [](auto& p) { ++p.n_stack; }, "9", "8"),
        param(
            "w_stack", [](auto& p) { ++p.w_stack; }, "4097", "4096"),
        param(
            "log_blowup", [](auto& p) { ++p.log_blowup; }, "2", "1"),
        param(
            "whir.k", [](auto& p) { ++p.whir.k; }, "4", "3"),
        param(
            "WHIR rounds", [](auto& p) { p.whir.num_queries.push_back(1); }, "4", "3"),
        param(
            "WHIR rounds", [](auto& p) { p.whir.num_queries.pop_back(); }, "2", "3"),
        param(
            "queries of WHIR round 1", [](auto& p) { ++p.whir.num_queries[1]; }, "5", "4"),
        param(
            "whir.mu_pow_bits", [](auto& p) { ++p.whir.mu_pow_bits; }, "4", "3"),
        param(
            "whir.query_phase_pow_bits", [](auto& p) { ++p.whir.query_phase_pow_bits; }, "2", "1"),
        param(
            "whir.folding_pow_bits", [](auto& p) { ++p.whir.folding_pow_bits; }, "3", "2"),
        param(
            "whir.proximity", [](auto& p) { p.whir.proximity = UniqueDecoding{}; }, "unique decoding",
            "list decoding with m = 3 from round 1"),
        param(
            "whir.proximity", [](auto& p) { p.whir.proximity = ListDecoding{3}; }, "list decoding with m = 3",
            "list decoding with m = 3 from round 1"),
        param(
            "logup.max_interaction_count", [](auto& p) { --p.logup.max_interaction_count; }, "1073741823",
            "1073741824"),
        param(
            "logup.log_max_message_length", [](auto& p) { ++p.logup.log_max_message_length; }, "8", "7"),
        param(
            "logup.pow_bits", [](auto& p) { ++p.logup.pow_bits; }, "3", "2"),
        param(
            "max_constraint_degree", [](auto& p) { ++p.max_constraint_degree; }, "4", "3"),
        {Kind::kStatementAirIndex, fib, [](Statement& s) { s.airs[0].air_id = 1; }, "statement.airs", "AIR 1",
         "an AIR below 1", ""},
        {Kind::kStatementAirIndex, fib, [](Statement& s) { s.airs.push_back({.air_id = SIZE_MAX}); }, "statement.airs",
         "AIR 18446744073709551615", "an AIR below 1", ""},
        {Kind::kStatementAirAbsent, "fib_three_airs_one_absent", [](Statement& s) { s.airs.push_back({.air_id = 1}); },
         "statement.airs", "AIR 1", "", ""},
        {Kind::kStatementHeight, fib, [](Statement& s) { s.airs[0].log_height = 6; }, "statement.airs", "AIR 0", "6",
         "5"},
        {Kind::kStatementPublicValueCount, fib, [](Statement& s) { s.airs[0].public_values->pop_back(); },
         "statement.public_values", "AIR 0", "2", "3"},
        {Kind::kStatementPublicValueCount, fib, [](Statement& s) { s.airs[0].public_values->emplace_back(); },
         "statement.public_values", "AIR 0", "4", "3"},
        {Kind::kStatementPublicValue, fib, [](Statement& s) { s.airs[0].public_values->at(2) += Fp::one(); },
         "statement.public_values", "AIR 0, public value 2", "2178310", "2178309"},
        {Kind::kStatementCachedCommitmentCount, parts, [](Statement& s) { s.airs[0].cached_commitments->pop_back(); },
         "statement.cached_commitments", "AIR 0", "1", "2"},
        {Kind::kStatementCachedCommitmentCount, parts,
         [](Statement& s) { s.airs[0].cached_commitments->emplace_back(); }, "statement.cached_commitments", "AIR 0",
         "3", "2"},
        {Kind::kStatementOtherAir, "fib_three_airs_one_absent", [](Statement& s) { s.airs.erase(s.airs.begin()); },
         "statement.airs", "AIR 0", "", ""},
        {Kind::kStatementOtherAir, "fib_three_airs_one_absent", [](Statement& s) { s.airs.pop_back(); },
         "statement.airs", "AIR 2", "", ""},
    };
}

TEST(Statement, OfTwoParametersThatDifferTheFirstIsNamed) {
    const VerifyingKey key = test::load_key("fib_2e5");
    const Proof proof = test::load_proof("fib_2e5");
    Statement statement = whole_statement(key, proof);
    ++statement.params->n_stack;
    ++statement.params->max_constraint_degree;
    const VerifyError error = verify(key, proof, statement).error();
    EXPECT_EQ(error.kind, Kind::kStatementParams);
    EXPECT_EQ(error.place, "n_stack");
}

TEST(Statement, EachPartThatDiffersIsNamed) {
    for (const Case& c : all_cases()) {
        const VerifyingKey key = test::load_key(c.vector);
        const Proof proof = test::load_proof(c.vector);
        Statement statement = whole_statement(key, proof);
        c.change(statement);
        const auto verdict = verify(key, proof, statement);
        ASSERT_FALSE(verdict) << name(c.kind) << " " << c.place;
        const VerifyError& error = verdict.error();
        EXPECT_EQ(name(error.kind), name(c.kind)) << to_string(error);
        EXPECT_TRUE(is_about_statement(error.kind));
        EXPECT_TRUE(is_judgement(error.kind));
        EXPECT_EQ(error.stage, c.stage) << to_string(error);
        EXPECT_EQ(error.place, c.place) << to_string(error);
        EXPECT_EQ(error.expected, c.expected) << to_string(error);
        EXPECT_EQ(error.found, c.found) << to_string(error);
    }
}

TEST(Statement, OtherAirsMayHaveATraceUnlessItSaysNo) {
    const VerifyingKey key = test::load_key("fib_three_airs_one_absent");
    Proof proof = test::load_proof("fib_three_airs_one_absent");
    Statement statement = weak_statement();
    statement.airs = {{.air_id = 2}, {.air_id = 2}};
    EXPECT_TRUE(verify(key, proof, statement));
    statement.allows_other_airs = false;
    EXPECT_EQ(verify(key, proof, statement).error().kind, Kind::kStatementOtherAir);
    statement.airs.push_back({.air_id = 0});
    EXPECT_TRUE(verify(key, proof, statement)) << "an AIR without a trace need not be listed";
    // A proof with more AIRs than the key is judged as what it is.
    proof.trace_vdata.resize(4);
    EXPECT_EQ(verify(key, proof, statement).error().kind, Kind::kTraceDataCount);
}

TEST(Statement, AnotherCachedCommitmentIsNamed) {
    const VerifyingKey key = test::load_key("preprocessed_and_cached");
    const Proof proof = test::load_proof("preprocessed_and_cached");
    Statement statement = whole_statement(key, proof);
    (*statement.airs[0].cached_commitments)[1][7] += Fp::one();
    const auto verdict = verify(key, proof, statement);
    ASSERT_FALSE(verdict);
    EXPECT_EQ(verdict.error().kind, Kind::kStatementCachedCommitment) << to_string(verdict.error());
    EXPECT_EQ(verdict.error().place, "AIR 0, cached part 1");
}

TEST(Statement, PreHashIsThatOfTheKeysContent) {
    const VerifyingKey key = test::load_key("fib_2e5");
    const Proof proof = test::load_proof("fib_2e5");
    Statement statement = weak_statement();
    statement.pre_hash = key.pre_hash;
    EXPECT_TRUE(verify(key, proof, statement));

    // Another key than expected.
    Statement other = statement;
    (*other.pre_hash)[3] += Fp::one();
    auto verdict = verify(key, proof, other);
    ASSERT_FALSE(verdict);
    EXPECT_EQ(verdict.error().kind, Kind::kStatementPreHash) << to_string(verdict.error());
    EXPECT_EQ(verdict.error().place, "");

    // A key that was altered but still carries the expected hash, which verify(vk, proof) does not compute.
    VerifyingKey altered = key;
    altered.params.max_constraint_degree += 1;
    verdict = verify(altered, proof, statement);
    ASSERT_FALSE(verdict);
    EXPECT_EQ(verdict.error().kind, Kind::kStatementPreHash) << to_string(verdict.error());
    EXPECT_EQ(verdict.error().place, "computed from the key");

    // A right key that carries another hash.
    altered = key;
    altered.pre_hash[0] += Fp::one();
    verdict = verify(altered, proof, statement);
    ASSERT_FALSE(verdict);
    EXPECT_EQ(verdict.error().kind, Kind::kStatementPreHash) << to_string(verdict.error());
}

TEST(Statement, WeakKeysAreRefusedUnlessAllowed) {
    const VerifyingKey weak = test::load_key("fib_2e5");
    const Proof proof = test::load_proof("fib_2e5");
    const auto verdict = verify(weak, proof, Statement());
    ASSERT_FALSE(verdict);
    EXPECT_EQ(verdict.error().kind, Kind::kStatementSecurity) << to_string(verdict.error());
    EXPECT_EQ(verdict.error().stage, "statement.security");
    EXPECT_EQ(verdict.error().place, value_of(security_bits(weak)).weakest());
    EXPECT_EQ(verdict.error().expected, "at least 100 bits");

    const double bits = value_of(security_bits(weak)).total();
    Statement statement;
    statement.min_security_bits = bits;
    EXPECT_TRUE(verify(weak, proof, statement));
    statement.min_security_bits = std::nextafter(bits, 200);
    EXPECT_FALSE(verify(weak, proof, statement));
    statement.min_security_bits = std::numeric_limits<double>::quiet_NaN();
    EXPECT_FALSE(verify(weak, proof, statement));

    // Presets pass.
    const VerifyingKey strong = test::load_key("mixture_app_100_bits");
    EXPECT_TRUE(verify(strong, test::load_proof("mixture_app_100_bits"), Statement()));
}

// Rate 1 and list decoding: no theorem holds, which is minus infinity bits.
TEST(Statement, ZeroBitsAllowAllKeys) {
    VerifyingKey key = test::load_key("fib_2e5");
    key.params.log_blowup = 0;
    key.params.whir.proximity = ListDecoding{.m = 1};
    ASSERT_TRUE(std::isinf(value_of(security_bits(key)).total()));
    const Proof proof = test::load_proof("fib_2e5");
    Statement statement = weak_statement();
    EXPECT_EQ(name(verify(key, proof, statement).error().kind), name(verify(key, proof).error().kind));
    statement.min_security_bits = 0.001;
    const auto verdict = verify(key, proof, statement);
    EXPECT_EQ(verdict.error().kind, Kind::kStatementSecurity);
    EXPECT_EQ(verdict.error().found, "0.00 bits");
}

TEST(Statement, AProofThatIsWrongIsRejectedAsWithoutOne) {
    VerifyingKey key = test::load_key("fib_2e5");
    Proof proof = test::load_proof("fib_2e5");
    const Statement statement = whole_statement(key, proof);
    proof.gkr.q0_claim += Fp4::one();
    EXPECT_EQ(verify(key, proof, statement).error().kind, Kind::kGkrEmptyRoot);
    // Parameters that nothing works with have no security, and are named as what they are.
    key.params.whir.k = 0;
    EXPECT_EQ(verify(key, proof, weak_statement()).error().kind, Kind::kUnworkableParams);
    EXPECT_EQ(verify(key, proof, Statement()).error().kind, Kind::kUnworkableParams);
}

// What a hostile proof leaves out is not read.
TEST(Statement, IsCheckedAgainstProofsOfAnyShape) {
    const VerifyingKey key = test::load_key("fib_2e5");
    const Statement statement = whole_statement(key, test::load_proof("fib_2e5"));
    const Proof empty;
    EXPECT_EQ(verify(key, empty, statement).error().kind, Kind::kStatementAirAbsent);
    Proof proof = test::load_proof("fib_2e5");
    proof.public_values.clear();
    EXPECT_EQ(verify(key, proof, statement).error().kind, Kind::kStatementPublicValueCount);
    EXPECT_FALSE(statement_of(key, proof));
    EXPECT_FALSE(statement_of(key, empty));
    proof = test::load_proof("fib_2e5");
    proof.trace_vdata.emplace_back();
    EXPECT_FALSE(statement_of(key, proof));
}

TEST(Statement, AllKindsAreExercised) {
    std::set<Kind> kinds{Kind::kStatementPreHash, Kind::kStatementSecurity, Kind::kStatementCachedCommitment};
    for (const Case& c : all_cases()) kinds.insert(c.kind);
    std::size_t num_kinds = 0;
    for (unsigned kind = 0; kind <= static_cast<unsigned>(Kind::kInternal); ++kind) {
        if (!is_about_statement(static_cast<Kind>(kind))) continue;
        EXPECT_TRUE(kinds.contains(static_cast<Kind>(kind))) << name(static_cast<Kind>(kind));
        ++num_kinds;
    }
    EXPECT_EQ(num_kinds, kinds.size());
}

TEST(ProofParts, AreThoseOfTheProof) {
    const Proof fib = test::load_proof("fib_2e5");
    const auto values = value_of(public_values_of(fib, 0));
    ASSERT_EQ(values.size(), 3);
    EXPECT_EQ(values[2].canonical(), 2178309);
    EXPECT_EQ(value_of(height_of(fib, 0)), 32);
    EXPECT_EQ(value_of(log_height_of(fib, 0)), 5);
    const Proof parts = test::load_proof("preprocessed_and_cached");
    EXPECT_EQ(value_of(cached_commitments_of(parts, 0)).size(), 2);
    EXPECT_EQ(value_of(cached_commitments_of(parts, 0))[1], parts.trace_vdata[0]->cached_commitments[1]);
    EXPECT_TRUE(value_of(has_trace(fib, 0)));
}

TEST(ProofParts, OfAirsThatAreNotThereAreErrors) {
    const auto expect_error = [](const auto& result) {
        ASSERT_FALSE(result);
        EXPECT_EQ(result.error().code, ErrorCode::kInvalidArgument);
    };
    const Proof absent = test::load_proof("fib_three_airs_one_absent");
    EXPECT_FALSE(value_of(has_trace(absent, 1)));
    for (const std::size_t air : {std::size_t{1}, std::size_t{3}, SIZE_MAX}) {
        expect_error(public_values_of(absent, air));
        expect_error(cached_commitments_of(absent, air));
        expect_error(log_height_of(absent, air));
        expect_error(height_of(absent, air));
    }
    expect_error(has_trace(absent, 3));
    Proof proof = test::load_proof("fib_2e5");
    proof.trace_vdata[0]->log_height = 63;
    EXPECT_EQ(value_of(height_of(proof, 0)), std::uint64_t{1} << 63);
    proof.trace_vdata[0]->log_height = 64;
    expect_error(height_of(proof, 0));
    EXPECT_EQ(value_of(log_height_of(proof, 0)), 64);
    proof.public_values.clear();
    expect_error(public_values_of(proof, 0));
}

}  // namespace
}  // namespace whorl
