// `whorl verify` says what a proof is about, and rejects proofs about anything else than was asked for.
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "cli/program.hpp"

namespace whorl::test {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class Statement : public testing::Test {
protected:
    /// `whorl verify` of a vector's proof with more `options`.
    static Outcome verify(const std::string& vector, const std::vector<std::string>& options) {
        const fs::path task = vector_folder(vector);
        std::vector<std::string> arguments{"verify", "--vk", task / "vk.postcard", "--proof", task / "proof.bin"};
        arguments.insert(arguments.end(), options.begin(), options.end());
        return run_whorl(arguments);
    }
    /// The statement of the vector's proof, by --statement-out.
    json written(const std::string& vector) const {
        const Outcome outcome = verify(vector, {"--min-security", "0", "--statement-out", file});
        EXPECT_EQ(outcome.exit_code, 0) << outcome;
        return json::parse(read_text(file));
    }
    Outcome expect(const std::string& vector, const json& statement) const {
        write_text(file, statement.dump());
        return verify(vector, {"--expect", file});
    }

    Scratch scratch;
    std::string file = scratch / "statement.json";
};

TEST_F(Statement, IsPrintedWithAnAcceptedProof) {
    const Outcome fib = verify("fib_2e5", {"--min-security", "0"});
    EXPECT_EQ(fib.exit_code, 0) << fib;
    EXPECT_THAT(fib.out, AllOf(StartsWith("accepted: "), HasSubstr("    0      32  0 1 2178309\n"),
                               HasSubstr("key (pre-hash): 1c1a9c21"), HasSubstr(" bits (WHIR round ")));
    const Outcome parts = verify("preprocessed_and_cached", {"--min-security", "0"});
    EXPECT_THAT(parts.out, AllOf(HasSubstr("AIR 0, cached part 0: "), HasSubstr("AIR 0, cached part 1: ")));
}

TEST_F(Statement, WeakKeysGetAWarningAndAreRejectedWhereSecurityIsAskedFor) {
    const Outcome warned = verify("fib_2e5", {});
    EXPECT_EQ(warned.exit_code, 0) << warned;
    EXPECT_THAT(warned.err,
                HasSubstr("whorl: warning: proofs under this key have 5.15 bits of security, 100 are usual"));
    EXPECT_EQ(verify("fib_2e5", {"--quiet"}).err, "");
    EXPECT_EQ(verify("fib_2e5", {"--min-security", "0"}).err.find("warning"), std::string::npos);
    EXPECT_EQ(verify("mixture_app_100_bits", {}).err.find("warning"), std::string::npos);
    const Outcome weak = verify("fib_2e5", {"--min-security", "100"});
    EXPECT_EQ(weak.exit_code, 1) << weak;
    EXPECT_THAT(weak.out, StartsWith("rejected: statement.security: WHIR round "));
    EXPECT_THAT(weak.out, HasSubstr("weaker than asked for, expected at least 100 bits, found "));
    EXPECT_EQ(verify("fib_2e5", {"--min-security", "1"}).exit_code, 0);
    EXPECT_EQ(verify("mixture_app_100_bits", {}).exit_code, 0);
    EXPECT_EQ(verify("mixture_app_100_bits", {"--min-security", "101"}).exit_code, 1);
    for (const char* wrong : {"-1", "many", "nan", "1001"}) {
        EXPECT_EQ(verify("fib_2e5", {"--min-security", wrong}).exit_code, 2) << wrong;
    }
}

TEST_F(Statement, PublicValuesMustBeThose) {
    const auto with = [&](const std::string& values) {
        return verify("fib_2e5", {"--min-security", "0", "--public-values", values});
    };
    EXPECT_EQ(with("0=0,1,2178309").exit_code, 0);
    const Outcome other = with("0=0,1,2178310");
    EXPECT_EQ(other.exit_code, 1) << other;
    EXPECT_THAT(other.out, StartsWith("rejected: statement.public_values: AIR 0, public value 2: "));
    EXPECT_THAT(with("0=0,1").out, HasSubstr("expected 2, found 3"));
    EXPECT_THAT(with("0=").out, HasSubstr("expected 0, found 3"));
    EXPECT_THAT(with("1=").out, HasSubstr("the key has no such AIR"));
    for (const char* wrong : {"0", "=1", "x=1", "0=1,", "0=,1", "0=1;2", "0=2013265921", "0=-1", "4294967296=1"}) {
        const Outcome outcome = with(wrong);
        EXPECT_EQ(outcome.exit_code, 2) << wrong << outcome;
        EXPECT_THAT(outcome.err, HasSubstr("--public-values")) << wrong;
    }
    const Outcome several = verify("fib_three_airs_one_absent",
                                   {"--min-security", "0", "--public-values", "0=1", "--public-values", "2=2,3"});
    EXPECT_EQ(several.exit_code, 1) << several;
    EXPECT_THAT(verify("fib_three_airs_one_absent", {"--min-security", "0", "--public-values", "1="}).out,
                HasSubstr("AIR 1: the AIR has no trace"));
}

TEST_F(Statement, ThatWasWrittenIsTheOneThatIsExpected) {
    for (const char* vector : {"fib_2e5", "mixture", "preprocessed_and_cached", "fib_three_airs_one_absent"}) {
        const json statement = written(vector);
        EXPECT_EQ(statement["format"], 1);
        const Outcome outcome = expect(vector, statement);
        EXPECT_EQ(outcome.exit_code, 0) << outcome;
    }
    EXPECT_EQ(written("fib_2e5")["airs"][0]["public_values"], json({0, 1, 2178309}));
    EXPECT_EQ(written("fib_2e5")["airs"][0]["height"], 32);
    EXPECT_EQ(written("fib_2e5")["other_airs"], false);
}

TEST_F(Statement, MaySayThatNoOtherAirHasATrace) {
    const std::string vector = "fib_three_airs_one_absent";
    json statement = written(vector);
    statement["airs"].erase(0);
    const Outcome other = expect(vector, statement);
    EXPECT_EQ(other.exit_code, 1) << other;
    EXPECT_THAT(other.out,
                StartsWith("rejected: statement.airs: AIR 0: an AIR that the statement does not list has a trace"));
    statement["other_airs"] = true;
    EXPECT_EQ(expect(vector, statement).exit_code, 0);
    statement.erase("other_airs");
    EXPECT_EQ(expect(vector, statement).exit_code, 0) << "AIRs that are not listed may have a trace unless it says no";
    EXPECT_EQ(verify(vector, {"--expect", file, "--no-other-airs"}).exit_code, 1);
    EXPECT_EQ(verify(vector, {"--min-security", "0", "--no-other-airs"}).exit_code, 1);
    EXPECT_EQ(
        verify("fib_2e5", {"--min-security", "0", "--no-other-airs", "--public-values", "0=0,1,2178309"}).exit_code, 0);
}

TEST_F(Statement, EachPartOfAFileIsExpected) {
    const json cached = written("preprocessed_and_cached");
    const json fib = written("fib_2e5");
    const auto expect_rejected = [&](const std::string& vector, const json& from, const std::string& pointer,
                                     const json& value, const std::string& stage) {
        json changed = from;
        changed[json::json_pointer(pointer)] = value;
        const Outcome outcome = expect(vector, changed);
        EXPECT_EQ(outcome.exit_code, 1) << pointer << outcome;
        EXPECT_THAT(outcome.out, StartsWith("rejected: statement." + stage)) << pointer;
    };
    const std::string parts = "preprocessed_and_cached";
    expect_rejected("fib_2e5", fib, "/params/w_stack", 4097, "params: w_stack");
    expect_rejected("fib_2e5", fib, "/pre_hash/0", 1, "pre_hash");
    expect_rejected("fib_2e5", fib, "/min_security_bits", 99.5, "security");
    expect_rejected("fib_2e5", fib, "/airs/0/air_id", 1, "airs: AIR 1");
    expect_rejected("fib_2e5", fib, "/airs/0/height", 64, "airs: AIR 0");
    expect_rejected("fib_2e5", fib, "/airs/0/public_values/1", 2, "public_values: AIR 0");
    expect_rejected(parts, cached, "/airs/0/cached_commitments/1/0", 0, "cached_commitments: AIR 0, cached part 1");
    expect_rejected(parts, cached, "/airs/0/cached_commitments", json::array(), "cached_commitments: AIR 0");

    // The command line's security counts, and a file may leave everything out.
    json strict = fib;
    strict["min_security_bits"] = 100;
    write_text(file, strict.dump());
    EXPECT_EQ(verify("fib_2e5", {"--expect", file, "--min-security", "0"}).exit_code, 0);
    EXPECT_EQ(expect("mixture_app_100_bits", json::object({{"format", 1}})).exit_code, 0);
    EXPECT_EQ(expect("fib_2e5", json::object({{"format", 1}})).exit_code, 1)
        << "100 bits unless the file says otherwise";
}

TEST_F(Statement, MalformedFilesAreBadInput) {
    const json fib = written("fib_2e5");
    const auto expect_bad = [&](const json& statement, const char* message) {
        const Outcome outcome = expect("fib_2e5", statement);
        EXPECT_EQ(outcome.exit_code, 2) << message << outcome;
        EXPECT_THAT(outcome.err, AllOf(HasSubstr("error: statement: "), HasSubstr(message)));
    };
    const auto with = [&](const std::string& pointer, const json& value) {
        json changed = fib;
        changed[json::json_pointer(pointer)] = value;
        return changed;
    };
    expect_bad(with("/format", 2), "/format is 2, this program reads 1");
    expect_bad(json::object(), "has no \"format\"");
    expect_bad(json::array(), "is not an object");
    expect_bad(with("/public_values", json::array()), "has \"public_values\", expected only format");
    expect_bad(with("/airs/0/name", "x"), "has \"name\", expected only air_id");
    expect_bad(with("/airs/0/height", 33), "is 33, not a power of two");
    expect_bad(with("/airs/0/height", 0), "is 0, not a power of two");
    expect_bad(with("/airs/0/public_values/0", 2013265921), "above the largest possible");
    expect_bad(with("/airs/0/public_values", 1), "is not an array");
    expect_bad(with("/airs/0/cached_commitments", json::array({json::array({1, 2})})), "has 2 elements, expected 8");
    expect_bad(with("/airs/1", fib["airs"][0]), "AIR 0 is listed twice");
    expect_bad(with("/pre_hash", json::array({1})), "has 1 elements, expected 8");
    expect_bad(with("/params/whir", json::object()), "has no \"rounds\"");
    expect_bad(with("/min_security_bits", -1), "is not a number from 0");
    expect_bad(with("/min_security_bits", "100"), "is not a number from 0");
    expect_bad(with("/other_airs", 0), "is neither true nor false");
    write_text(file, "{");
    EXPECT_EQ(verify("fib_2e5", {"--expect", file}).exit_code, 2);
    EXPECT_EQ(verify("fib_2e5", {"--expect", scratch / "none"}).exit_code, 2);
    EXPECT_THAT(verify("fib_2e5", {"--expect", file, "--statement-out", file}).err,
                HasSubstr("is the file of --expect too"));
}

TEST_F(Statement, IsNotWrittenForARejectedProof) {
    EXPECT_EQ(verify("fib_2e5", {"--min-security", "100", "--statement-out", file}).exit_code, 1);
    EXPECT_FALSE(fs::exists(file));
    EXPECT_EQ(run_whorl({"verify", "--vk", "x", "--batch", "-", "--statement-out", file}).exit_code, 2);
}

TEST_F(Statement, IsExpectedOfEveryProofOfABatch) {
    const fs::path task = vector_folder("fib_2e5");
    const std::string proof = (task / "proof.bin").string() + "\n";
    const auto batch = [&](const std::vector<std::string>& options) {
        std::vector<std::string> arguments{"verify", "--vk", task / "vk.postcard", "--batch", "-"};
        arguments.insert(arguments.end(), options.begin(), options.end());
        return run_whorl(arguments, proof + proof);
    };
    EXPECT_THAT(batch({"--min-security", "100"}).out, StartsWith("rejected statement.security"));
    EXPECT_THAT(batch({}).err, HasSubstr("warning: proofs under this key"));
    EXPECT_EQ(batch({"--min-security", "0"}).out, "accepted\naccepted\n");
    EXPECT_THAT(batch({"--min-security", "0", "--public-values", "0=1"}).out,
                StartsWith("rejected statement.public_values"));
}

TEST(InspectSecurity, IsShownRoundByRoundWithItsAssumptions) {
    const Outcome outcome = run_whorl({"inspect", "--vk", vector_folder("keccakf_1024") / "vk.postcard"});
    EXPECT_EQ(outcome.exit_code, 0) << outcome;
    EXPECT_THAT(outcome.out, AllOf(HasSubstr("Security: 100."), HasSubstr("LogUp challenges"), HasSubstr("WHIR round"),
                                   HasSubstr("out of domain"), HasSubstr("Poseidon2 is as good as a random function")));
    EXPECT_THAT(outcome.out, Not(HasSubstr("nan")));
}

}  // namespace
}  // namespace whorl::test
