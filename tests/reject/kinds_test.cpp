// Every rule of the verifier, broken alone, is named by its own kind, with stage, place, expected and found.
#include <functional>
#include <iostream>
#include <set>

#include <gtest/gtest.h>

#include "rule_cases.hpp"
#include "support.hpp"

namespace whorl {
namespace {

using Kind = VerifyErrorKind;
using test::RuleCase;

TEST(Kinds, EachBrokenRuleIsNamed) {
    for (const RuleCase& c : test::rule_cases()) {
        VerifyingKey key = test::load_key(c.vector);
        Proof proof = test::load_proof(c.vector);
        c.break_it(key, proof);
        const auto verdict = verify(key, proof);
        ASSERT_FALSE(verdict) << name(c.kind);
        EXPECT_EQ(name(verdict.error().kind), name(c.kind)) << to_string(verdict.error());
        EXPECT_EQ(verdict.error().stage, c.stage) << to_string(verdict.error());
    }
}

// A witness works by chance with probability 2^-bits and what is observed moves all that follows, so these two need an
// alteration that gets through to the rule. The last codeword of fib_2e5 is constant: its paths hold at every query.
std::set<std::string> kinds_by_raising(const std::string& vector, const std::function<Fp&(Proof&)>& element) {
    const VerifyingKey key = test::load_key(vector);
    Proof proof = test::load_proof(vector);
    std::set<std::string> kinds;
    for (int i = 0; i < 40; ++i) {
        element(proof) += Fp::one();
        const auto verdict = verify(key, proof);
        kinds.insert(verdict ? "accept" : std::string(name(verdict.error().kind)));
    }
    return kinds;
}

TEST(Kinds, QueryWitnessAndFinalPolynomialAreNamed) {
    EXPECT_TRUE(kinds_by_raising("fib_2e5", [](Proof& p) -> Fp& {
                    return p.whir.query_phase_pow_witnesses[0];
                }).contains(std::string(name(Kind::kQueryProofOfWork))));
    EXPECT_TRUE(kinds_by_raising("fib_2e5", [](Proof& p) -> Fp& {
                    return p.whir.final_poly[0].c[0];
                }).contains(std::string(name(Kind::kFinalPolyClaim))));
}

TEST(Kinds, AllAreExercised) {
    std::set<Kind> kinds{Kind::kQueryProofOfWork, Kind::kFinalPolyClaim};
    const std::vector<RuleCase> cases = test::rule_cases();
    for (const RuleCase& c : cases) kinds.insert(c.kind);
    for (unsigned kind = 0; kind <= static_cast<unsigned>(Kind::kFinalPolyClaim); ++kind) {
        EXPECT_TRUE(kinds.contains(static_cast<Kind>(kind))) << name(static_cast<Kind>(kind));
    }
    std::cout << kinds.size() << " kinds of rejection, " << cases.size() + 2 << " cases\n";
}

TEST(Kinds, ReadAsSentences) {
    const VerifyError error{Kind::kCachedMainOpeningCount, "shape.batch_constraints", "AIR 2, cached part 0", "4", "6"};
    EXPECT_EQ(
        to_string(error),
        "shape.batch_constraints: AIR 2, cached part 0: wrong number of cached main openings, expected 4, found 6");
    EXPECT_EQ(name(error.kind), "cached_main_opening_count");
    EXPECT_EQ(to_string(VerifyError{Kind::kMuProofOfWork, "whir", "", "", ""}),
              "whir: the batching proof-of-work witness does not work");
}

}  // namespace
}  // namespace whorl
