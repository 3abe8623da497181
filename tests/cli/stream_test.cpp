// "-" in the place of a file, and what then goes where.
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "cli/program.hpp"

namespace whorl::test {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

class Stream : public testing::Test {
protected:
    static std::string in_task(std::string_view name) { return (vector_folder("fib_2e5") / name).string(); }
    /// `whorl verify` of a vector's proof with more `options`, and `input` on standard input.
    static Outcome verify(const std::string& key, const std::string& proof, const std::vector<std::string>& options,
                          std::string_view input = {}) {
        std::vector<std::string> arguments{"verify", "--vk", key, "--proof", proof, "--min-security", "0"};
        arguments.insert(arguments.end(), options.begin(), options.end());
        return run_whorl(arguments, input);
    }

    std::string key = in_task("vk.postcard");
    std::string proof = in_task("proof.bin");
};

TEST_F(Stream, StandardInputIsReadWhereverAFileIs) {
    const Outcome of_proof = verify(key, "-", {}, read_text(proof));
    EXPECT_EQ(of_proof.exit_code, 0) << of_proof;
    EXPECT_THAT(of_proof.out, StartsWith("accepted: standard input, "));
    EXPECT_EQ(verify("-", proof, {}, read_text(key)).exit_code, 0);
    EXPECT_EQ(verify(key, proof, {"--expect", "-"}, R"({"format": 1})").exit_code, 0);
    EXPECT_EQ(verify(key, proof, {"--expect", "-"}, R"({"format": 1, "airs": [{"air_id": 1}]})").exit_code, 1);
    EXPECT_THAT(verify(key, proof, {"--expect", "-"}, R"({"format": 2})").err, HasSubstr("standard input/format is 2"));
    EXPECT_THAT(run_whorl({"inspect", "--vk", "-"}, read_text(key)).out, StartsWith("Verifying key standard input: "));
    EXPECT_THAT(verify(key, "-", {}, "x").err, HasSubstr("error: "));
    const Outcome of_inputs =
        run_whorl({"keccakf", "--inputs", "-"}, read_text(vector_folder("keccak_5_perms") / "inputs.u64le"));
    EXPECT_EQ(of_inputs.exit_code, 0) << of_inputs;
    EXPECT_THAT(of_inputs.out, HasSubstr("keccakf: 5 permutations"));
}

TEST_F(Stream, StandardOutputTakesAFileAndTextForPeopleGoesToStandardError) {
    const std::string task = vector_folder("fib_2e5").string();
    const Outcome proved = run_whorl({"prove", "--task", task, "--out", "-"});
    EXPECT_EQ(proved.exit_code, 0) << proved;
    EXPECT_EQ(proved.out, read_text(proof));
    EXPECT_THAT(proved.err, AllOf(HasSubstr("proved fib_2e5 in "), HasSubstr(": standard output, ")));
    EXPECT_EQ(run_whorl({"prove", "--task", task, "--out", "-", "--quiet"}).err, "");

    const Outcome statement = verify(key, proof, {"--statement-out", "-"});
    EXPECT_EQ(statement.exit_code, 0) << statement;
    EXPECT_EQ(json::parse(statement.out)["airs"][0]["height"], 32);
    EXPECT_THAT(statement.err, StartsWith("accepted: "));
    for (const char* option : {"--metrics", "--timeline"}) {
        EXPECT_TRUE(json::accept(run_whorl({"inspect", "--vk", key, option, "-"}).out)) << option;
    }
    const Outcome made = run_whorl({"keccakf", "--permutations", "1", "--vk-out", "-", "--quiet"});
    EXPECT_EQ(run_whorl({"inspect", "--vk", "-"}, made.out).exit_code, 0);
}

TEST_F(Stream, NoFileIsNamedAfterIt) {
    const Scratch scratch;
    const Outcome outcome =
        run_command({"/bin/sh", "-c",
                     "cd '" + scratch.path().string() + "' && '" WHORL_PROGRAM "' verify --vk '" + key + "' --proof '" +
                         proof + "' --statement-out - --min-security 0 > /dev/null"});
    EXPECT_EQ(outcome.exit_code, 0) << outcome;
    EXPECT_THAT(scratch.file_names(), testing::IsEmpty());
}

TEST_F(Stream, ServesOneOptionAlone) {
    EXPECT_THAT(verify("-", "-", {}).err, HasSubstr("--proof: standard input is taken by --vk"));
    EXPECT_THAT(verify(key, "-", {"--expect", "-"}).err, HasSubstr("--expect: standard input is taken by --proof"));
    const Outcome outputs = verify(key, proof, {"--statement-out", "-", "--metrics", "-"});
    EXPECT_EQ(outputs.exit_code, 2) << outputs;
    EXPECT_THAT(outputs.err, HasSubstr("--metrics: standard output is taken by --statement-out"));
    EXPECT_EQ(outputs.out, "");
}

TEST_F(Stream, TimingsArePrintedWhereTheyAreAskedFor) {
    EXPECT_EQ(verify(key, proof, {}).err, "");
    for (const std::vector<std::string>& options : {std::vector<std::string>{"--timings"}, {"--timings", "--quiet"}}) {
        const Outcome outcome = verify(key, proof, options);
        EXPECT_THAT(outcome.err, AllOf(HasSubstr("read_proof "), HasSubstr(" s in all on 1 thread(s)")));
    }
}

}  // namespace
}  // namespace whorl::test
