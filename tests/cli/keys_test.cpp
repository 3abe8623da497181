// keygen, commit and task init: from a key to a folder that a proof can be made of.
#include <gmock/gmock.h>

#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "cli/program.hpp"
#include "cli/schema.hpp"
#include "engine/files.hpp"

namespace whorl::test {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::UnorderedElementsAre;

std::string in_vector(std::string_view vector, std::string_view file) {
    return (vector_folder(vector) / file).string();
}

const Schema& output_schema() {
    static const Schema schema(
        json::parse(read_text(fs::path(WHORL_TEST_VECTORS).parent_path().parent_path() / "docs/output.schema.json")));
    return schema;
}

json answer(std::vector<std::string> arguments) {
    arguments.emplace_back("--json");
    const Outcome outcome = run_whorl(std::move(arguments));
    EXPECT_EQ(outcome.exit_code, 0) << outcome;
    json document = json::parse(outcome.out, nullptr, false);
    EXPECT_TRUE(output_schema().accepts(document)) << outcome.out;
    return document;
}

void expect_error(const std::vector<std::string>& arguments, const std::string& message) {
    const Outcome outcome = run_whorl(arguments);
    EXPECT_EQ(outcome.exit_code, 2) << testing::PrintToString(arguments) << outcome;
    EXPECT_THAT(outcome.err, HasSubstr(message)) << testing::PrintToString(arguments);
}

TEST(Keygen, MakesTheKeysOfTheVectors) {
    const Scratch scratch;
    const auto expect_key = [&](std::vector<std::string> arguments, std::string_view vector) {
        arguments.insert(arguments.begin(), "keygen");
        arguments.insert(arguments.end(), {"--out", scratch / "key", "--force"});
        const Outcome outcome = run_whorl(arguments);
        EXPECT_EQ(outcome.exit_code, 0) << outcome;
        EXPECT_EQ(read_text(scratch / "key/vk.postcard"), read_text(in_vector(vector, "vk.postcard"))) << vector;
    };
    expect_key({"--air", "fibonacci", "--params", "test"}, "fib_2e5");
    expect_key({"--air", "send", "--air", "receive", "--params", "test"}, "interactions");
    expect_key({"--air", "keccak"}, "keccakf_1024");
    expect_key({"--air", "keccak", "--params-file", in_vector("keccak_5_perms", "task.json")}, "keccak_5_perms");
}

TEST(Keygen, WritesPreprocessedColumnsAndAnswersWithTheKey) {
    const Scratch scratch;
    const json made = answer({"keygen", "--air", "fibonacci", "--air", "preprocessed-cached:64", "--params", "test",
                              "--out", scratch / "a/b"});
    EXPECT_EQ(made["vk"], scratch / "a/b/vk.postcard");
    EXPECT_TRUE(made["airs"][0]["preprocessed"].is_null());
    EXPECT_EQ(made["airs"][1]["name"], "PreprocessedCachedAir");
    EXPECT_EQ(fs::file_size(made["airs"][1]["preprocessed"].get<std::string>()), 4 * 64U);
    // The commitment in the key is that of the file.
    const json committed = answer({"commit", "--vk", scratch / "a/b/vk.postcard", "--matrix",
                                   scratch / "a/b/air1_preprocessed.bin", "--width", "1"});
    EXPECT_EQ(committed["parts"][0]["height"], 64);
    // What inspect says of the parameters makes the same key.
    write_text(scratch / "inspected", answer({"inspect", "--vk", scratch / "a/b/vk.postcard"}).dump());
    EXPECT_EQ(run_whorl({"keygen", "--air", "fibonacci", "--air", "preprocessed-cached:64", "--params-file",
                         scratch / "inspected", "--out", scratch / "again", "--quiet"})
                  .exit_code,
              0);
    EXPECT_EQ(read_text(scratch / "again/vk.postcard"), read_text(scratch / "a/b/vk.postcard"));
    for (const char* preset : {"app-100", "leaf-100", "internal-100", "root-100", "hook-100"}) {
        const json of_preset =
            answer({"keygen", "--air", "fibonacci", "--params", preset, "--out", scratch / "p", "--force"});
        EXPECT_GE(of_preset["security"]["total_bits"].get<double>(), 100) << preset;
    }
}

TEST(Keygen, RefusesWhatIsNoAirAndLeavesNothing) {
    const Scratch scratch;
    const std::string out = scratch / "out";
    const auto expect = [&](const std::string& air, const std::string& message) {
        expect_error({"keygen", "--air", air, "--out", out}, message);
    };
    expect("sorting", "expected one of keccak, fibonacci");
    expect("keccak:3", "this AIR has no size");
    expect("send:0", "FIELDS: expected a whole number from 1 to 100");
    expect("self-interaction:x", "COLUMNS: expected a whole number");
    expect("fibonacci-selector:33", "the number of rows is not a power of two");
    expect_error({"keygen", "--air", "fibonacci", "--params", "none", "--out", out}, "expected app-100|leaf-100");
    expect_error({"keygen", "--air", "fibonacci", "--params-file", scratch / "none", "--out", out}, "No such file");
    expect_error({"keygen", "--air", "fibonacci", "--log-stacked-height", "9", "--out", out},
                 "expected 11 to 24, found");
    expect_error({"keygen", "--out", out}, "--air is required");
    EXPECT_FALSE(fs::exists(out));
}

TEST(Commit, GivesTheCommitmentsThatAProofHas) {
    const std::string task = vector_folder("preprocessed_and_cached").string();
    const json parts = answer({"commit", "--task", task})["parts"];
    ASSERT_EQ(parts.size(), 3U);
    const json proof = answer({"inspect", "--vk", task + "/vk.postcard", "--proof", task + "/proof.bin"})["proof"];
    for (const std::size_t i : {0U, 1U}) {
        EXPECT_EQ(parts[i]["commitment"], proof["airs"][0]["cached_commitments"][i]);
        EXPECT_EQ(parts[i]["part"], "cached" + std::to_string(i));
    }
    const Outcome text = run_whorl({"commit", "--task", task});
    EXPECT_THAT(text.out, HasSubstr("air0_cached0.bin: 1 columns x 32 rows: 29adb6e6"));
    // The common main of a lone AIR is committed to in the same way.
    const std::string fib = vector_folder("fib_2e5").string();
    const std::vector<std::string> commit{"commit", "--vk", fib + "/vk.postcard", "--width", "2", "--matrix"};
    std::vector<std::string> of_file = commit;
    of_file.push_back(fib + "/air0_main.bin");
    const json common = answer(of_file)["parts"][0]["commitment"];
    EXPECT_EQ(common, answer({"inspect", "--vk", fib + "/vk.postcard", "--proof",
                              fib + "/proof.bin"})["proof"]["common_main_commitment"]);
    std::vector<std::string> of_stream = commit;
    of_stream.emplace_back("-");
    EXPECT_THAT(run_whorl(of_stream, read_text(fib + "/air0_main.bin")).out,
                HasSubstr("standard input: 2 columns x 32 rows: "));
    EXPECT_THAT(run_whorl({"commit", "--task", fib}).out, HasSubstr("neither cached nor preprocessed parts"));
}

TEST(Commit, RefusesWhatIsNoMatrix) {
    const Scratch scratch;
    const std::string key = in_vector("fib_2e5", "vk.postcard");
    const auto expect = [&](const std::string& bytes, const std::string& message) {
        write_text(scratch / "matrix", bytes);
        expect_error({"commit", "--vk", key, "--matrix", scratch / "matrix", "--width", "2"}, message);
    };
    expect(std::string(12, '\0'), "has 12 bytes, expected a multiple of 8 (4 x width 2)");
    expect("", "this is an empty file");
    expect(std::string(8, '\0') + std::string(8, '\xff'), ": column 1, row 0 is 4294967295, not below p");
    expect(std::string(24, '\0'), "matrix: ");
    expect_error({"commit"}, "--task or --matrix");
    expect_error({"commit", "--vk", key}, "--matrix");
    expect_error({"commit", "--task", "x", "--vk", key}, "--vk");
    expect_error({"commit", "--vk", key, "--matrix", "x"}, "--width");
}

TEST(Keygen, ReplacesNoFileOfAnotherOption) {
    const Scratch scratch;
    const std::string out = scratch / "out";
    const std::string columns = out + "/air0_preprocessed.bin";
    const std::vector<std::string> command{"keygen", "--air", "preprocessed-cached:8", "--out", out};
    const auto expect_refused = [&](const std::string& option, const std::string& path) {
        std::vector<std::string> with = command;
        with.insert(with.end(), {option, path});
        expect_error(with, "out/air0_preprocessed.bin is the file of --");
    };
    expect_refused("--metrics", columns);
    expect_refused("--timeline", columns);
    fs::create_directories(out);
    fs::copy_file(in_vector("fib_2e5", "task.json"), columns);
    const std::string text = read_text(columns);
    expect_refused("--params-file", columns);
    EXPECT_EQ(read_text(columns), text);
}

TEST(Keygen, ReplacesNoKeyOfATaskUnlessTold) {
    const Scratch scratch;
    const fs::path task = scratch.copy_of("fib_2e5");
    const std::string key = read_text(task / "vk.postcard");
    std::vector<std::string> keygen{"keygen", "--air", "fibonacci", "--out", task};
    expect_error(keygen, "has a vk.postcard already; --force replaces");
    EXPECT_EQ(read_text(task / "vk.postcard"), key);
    keygen.emplace_back("--force");
    EXPECT_EQ(run_whorl(keygen).exit_code, 0);
    EXPECT_NE(read_text(task / "vk.postcard"), key);
}

TEST(TaskInit, ReplacesNoKeyUnlessTold) {
    const Scratch scratch;
    const std::string key = scratch / "vk.postcard";
    write_text(key, "precious");
    const std::vector<std::string> command{"task", "init", scratch / "", "--vk", in_vector("fib_2e5", "vk.postcard")};
    expect_error(command, "vk.postcard is there already; --force replaces it");
    EXPECT_EQ(read_text(key), "precious");
    std::vector<std::string> forced = command;
    forced.emplace_back("--force");
    EXPECT_EQ(run_whorl(forced).exit_code, 0);
    EXPECT_EQ(read_text(key), read_text(in_vector("fib_2e5", "vk.postcard")));
}

TEST(TaskInit, LaysOutAFolderThatAPersonCanFill) {
    const Scratch scratch;
    const std::string task = scratch / "mine";
    const std::string key = in_vector("fib_2e5", "vk.postcard");
    const Outcome first = run_whorl({"task", "init", task, "--vk", key});
    EXPECT_EQ(first.exit_code, 0) << first;
    EXPECT_THAT(first.out, AllOf(HasSubstr("air0_main.bin"), HasSubstr("missing"), HasSubstr("AIR 0: set its height"),
                                 HasSubstr("3 public values are 0")));
    EXPECT_THAT(run_whorl({"check", "--task", task}).err, HasSubstr("/airs/0/height is 0, not a power of two"));
    expect_error({"task", "init", task, "--vk", key}, "is there already; --force replaces it");

    // The columns come; their size tells the height, and the key is in its place already.
    write_text(task + "/air0_main.bin", read_text(in_vector("fib_2e5", "air0_main.bin")));
    const json filled = answer({"task", "init", task, "--vk", task + "/vk.postcard", "--public-values", "0=0,1,2178309",
                                "--air-name", "0=FibonacciAir", "--name", "fib_2e5", "--force"});
    EXPECT_EQ(filled["is_ready"], true);
    EXPECT_EQ(filled["files"][0]["height"], 32);
    EXPECT_EQ(filled["files"][0]["state"], "there");
    json expected = json::parse(read_text(in_vector("fib_2e5", "task.json")));
    const json made = json::parse(read_text(task + "/task.json"));
    for (const auto& [name, value] : made.items()) EXPECT_EQ(value, expected[name]) << name;
    const Outcome proved = run_whorl({"prove", "--task", task, "--out", "-", "--quiet"});
    EXPECT_EQ(proved.out, read_text(in_vector("fib_2e5", "proof.bin")));
}

TEST(TaskInit, TakesHeightsFromWhereTheyAreKnown) {
    const Scratch scratch;
    const std::string key = in_vector("mixture", "vk.postcard");
    const auto heights_of = [](const json& made) {
        std::vector<std::pair<int, int>> heights;
        for (const json& file : made["files"]) heights.emplace_back(file["air_id"], file["height"]);
        return heights;
    };
    // Of AIR 3 from a file, of AIR 0 from the option; the others have no columns here, so no trace.
    const std::string some = scratch / "some";
    fs::create_directory(some);
    fs::copy_file(in_vector("mixture", "air1_main.bin"), some + "/air1_main.bin");
    const json made = answer({"task", "init", some, "--vk", key, "--height", "0=64"});
    EXPECT_THAT(heights_of(made), UnorderedElementsAre(std::pair(0, 64), std::pair(1, 4)));
    EXPECT_EQ(made["is_ready"], false);
    const json document = json::parse(read_text(some + "/task.json"));
    EXPECT_EQ(document["num_airs"], 12);
    EXPECT_EQ(document["airs"].size(), 2U);
    // An empty folder: all AIRs, and preprocessed columns have the height of the key.
    const std::string selector = scratch / "selector";
    EXPECT_THAT(heights_of(answer({"task", "init", selector, "--vk", in_vector("preprocessed", "vk.postcard")})),
                UnorderedElementsAre(std::pair(0, 32), std::pair(0, 32)));
    write_text(selector + "/air0_main.bin", "xx");
    EXPECT_EQ(answer({"task", "init", selector, "--vk", selector + "/vk.postcard", "--force"})["files"][0]["state"],
              "wrong size");
    const json absent =
        answer({"task", "init", scratch / "absent", "--vk", in_vector("interactions", "vk.postcard"), "--absent", "1"});
    EXPECT_THAT(heights_of(absent), UnorderedElementsAre(std::pair(0, 0)));
}

TEST(TaskInit, AndKeygenWriteToNoFolderThatAnotherWritesTo) {
    const Scratch scratch;
    const std::string folder = scratch / "folder";
    fs::create_directory(folder);
    {
        const Result<Descriptor> held = hold_folder(folder);
        ASSERT_TRUE(held);
        expect_error({"task", "init", folder, "--vk", in_vector("fib_2e5", "vk.postcard")}, "another whorl writes");
        expect_error({"keygen", "--air", "fibonacci", "--params", "test", "--out", folder}, "another whorl writes");
        EXPECT_TRUE(fs::is_empty(folder));
    }
    EXPECT_EQ(run_whorl({"task", "init", folder, "--vk", in_vector("fib_2e5", "vk.postcard")}).exit_code, 0);
}

TEST(TaskInit, AndKeygenWriteThroughNoLink) {
    for (const char* name : {"task.json", "vk.postcard"}) {
        const Scratch scratch;
        const fs::path task = scratch.copy_of("fib_2e5");
        fs::remove(task / name);
        fs::create_symlink("air0_main.bin", task / name);
        const std::string columns = read_text(task / "air0_main.bin");
        expect_error({"task", "init", task.string(), "--vk", in_vector("mixture", "vk.postcard"), "--force"},
                     "is a link");
        if (std::string_view(name) == "vk.postcard") {
            expect_error({"keygen", "--air", "keccak", "--params", "test", "--force", "--out", task.string()},
                         "is a link");
        }
        EXPECT_EQ(read_text(task / "air0_main.bin"), columns);
    }
}

TEST(TaskInit, SaysThatATaskWithoutATraceIsNone) {
    const Scratch scratch;
    const std::string task = scratch / "task";
    const Outcome outcome =
        run_whorl({"task", "init", task, "--vk", in_vector("fib_2e5", "vk.postcard"), "--absent", "0"});
    EXPECT_EQ(outcome.exit_code, 0) << outcome;
    EXPECT_THAT(outcome.out, AllOf(HasSubstr("No AIR has a trace"), Not(HasSubstr("All files are there"))));
}

TEST(TaskInit, RefusesWhatTheKeyDoesNotHave) {
    const Scratch scratch;
    const std::string task = scratch / "task";
    const std::string key = in_vector("fib_2e5", "vk.postcard");
    const auto expect = [&](const std::vector<std::string>& options, const std::string& message) {
        std::vector<std::string> arguments{"task", "init", task, "--vk", key};
        arguments.insert(arguments.end(), options.begin(), options.end());
        expect_error(arguments, message);
    };
    expect({"--height", "1=32"}, "\"1=32\": the key has 1 AIRs");
    expect({"--height", "0=33"}, "\"0=33\": expected a power of two up to 2^27");
    expect({"--height", "32"}, "expected AIR=ROWS");
    expect({"--public-values", "0=1"}, "AIR 0: 1 values, the key says 3");
    expect({"--air-name", "4=x"}, "AIR 4: the key has 1 AIRs");
    expect({"--absent", "1"}, "AIR 1: the key has 1 AIRs");
    expect({"--height", "0=32", "--height", "0=32"}, "--height: AIR 0: given twice");
    expect({"--public-values", "0=1,2,3", "--public-values", "0=1,2,4"}, "--public-values: AIR 0: given twice");
    expect({"--air-name", "0=a", "--air-name", "0=b"}, "--air-name: AIR 0: given twice");
    expect({"--air-name", "0="}, "--air-name: AIR 0: expected a name, found none");
    expect_error({"task", "init", task, "--vk", in_vector("fib_2e5", "proof.bin")}, "this is a proof");
    expect_error({"task", "init", task}, "--vk is required");
    expect_error({"task"}, "subcommand");
    expect_error({"task", "inti"}, "did you mean init?");
    EXPECT_FALSE(fs::exists(task));
    EXPECT_THAT(run_whorl({"help", "task", "init"}).out, HasSubstr("Usage: whorl task init"));
    EXPECT_THAT(run_whorl({"task", "init", task, "--vk", scratch / "none"}).err,
                AllOf(HasSubstr("whorl task init: error: "), Not(HasSubstr("internal"))));
}

/// From heights to a key whose proofs are what was said of them.
TEST(Params, ThatWereChosenMakeKeys) {
    const Scratch scratch;
    const std::string file = scratch / "params.json", task = scratch / "task";
    const std::string key = in_vector("fib_2e5", "vk.postcard");
    const Outcome chosen = run_whorl({"params", "--vk", key, "--height", "0=32", "--security", "80", "--out", file});
    EXPECT_EQ(chosen.exit_code, 0) << chosen;
    EXPECT_THAT(chosen.out, HasSubstr("\n  -> "));
    EXPECT_EQ(chosen.err, "");
    const json made = answer({"keygen", "--air", "fibonacci", "--params-file", file, "--out", task});
    EXPECT_GE(made["security"]["total_bits"], 80);
    EXPECT_LT(made["security"]["total_bits"], 100);
    // The whole answer serves as well: the chosen ones count.
    const std::string whole = scratch / "answer.json", again = scratch / "again";
    write_text(whole, run_whorl({"params", "--vk", key, "--height", "0=32", "--security", "80", "--json"}).out);
    EXPECT_EQ(answer({"keygen", "--air", "fibonacci", "--params-file", whole, "--out", again})["security"],
              made["security"]);
    EXPECT_EQ(read_text(again + "/vk.postcard"), read_text(task + "/vk.postcard"));
    expect_error({"keygen", "--air", "fibonacci", "--params-file", key, "--out", again}, "this is a verifying key");
    // On standard output the table gives way.
    const Outcome piped = run_whorl({"params", "--vk", key, "--height", "0=32", "--security", "80", "--out", "-"});
    EXPECT_EQ(piped.out, read_text(file));
    EXPECT_THAT(piped.err, HasSubstr("->"));
    for (const auto& [height, message] : {std::pair("0", "expected AIR=ROWS"),
                                          {"1=4", "the key has 1 AIRs"},
                                          {"0=5", "a power of two"},
                                          {"0=134217728", "found 2^27"}}) {
        expect_error({"params", "--vk", key, "--height", height, "--out", scratch / "none"}, message);
    }
    expect_error({"params", "--vk", key, "--height", "0=32", "--security", "124"},
                 "bits of security cannot be reached");
    EXPECT_FALSE(fs::exists(scratch / "none"));
}

}  // namespace
}  // namespace whorl::test
