// What goes wrong around the work: files that are missing, cut, altered or in the way.
#include <gmock/gmock.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>
#include <utility>

#include "cli/program.hpp"

namespace whorl::test {
namespace {

TEST(Inputs, OfAnotherKindAreNamed) {
    const Scratch scratch;
    const std::string task = vector_folder("fib_2e5").string();
    const std::string key = task + "/vk.postcard";
    const std::string proof = task + "/proof.bin";
    const std::string json = task + "/task.json";
    write_text(scratch / "empty", "");
    write_text(scratch / "text", "hello\n");
    write_text(scratch / "statement", R"({"format": 1})");
    write_text(scratch / "bench", "{\"kind\": \"run\", \"prove_ms\": 1}\n{\"kind\": \"summary\"}\n");
    write_text(scratch / "noise", std::string("\x80\x81\x82\xff", 4));
    const auto expect = [](const std::vector<std::string>& arguments, const std::string& message) {
        const Outcome outcome = run_whorl(arguments);
        EXPECT_EQ(outcome.exit_code, 2) << testing::PrintToString(arguments) << outcome;
        EXPECT_THAT(outcome.err, testing::HasSubstr(message)) << testing::PrintToString(arguments);
    };
    const auto expect_key = [&](const std::string& file, const std::string& kind) {
        expect({"verify", "--vk", file, "--proof", proof}, "expected a verifying key, this is " + kind);
        expect({"inspect", "--vk", file}, "expected a verifying key, this is " + kind);
    };
    expect_key(proof, "a proof");
    expect_key(json, "task.json");
    expect_key(scratch / "empty", "an empty file");
    expect_key(scratch / "text", "text");
    expect_key(scratch / "statement", "a statement");
    expect_key(scratch / "bench", "results of whorl bench");
    expect({"verify", "--vk", key, "--proof", key}, "expected a proof, this is a verifying key");
    expect({"inspect", "--vk", key, "--proof", json}, "expected a proof, this is task.json");
    expect({"verify", "--vk", key, "--proof", proof, "--expect", proof}, "expected a statement, this is a proof");
    expect({"verify", "--vk", key, "--proof", proof, "--expect", json}, "expected a statement, this is task.json");
    expect({"bench", "--beside", proof}, "expected results of whorl bench, this is a proof");
    expect({"keccakf", "--inputs", key}, "expected keccak-f inputs, this is a verifying key");
    expect({"inspect", "--vk", task}, "a task folder: its key is usually the file vk.postcard in it");
    expect({"check", "--task", key}, "is a file; a task is a folder with a file task.json");
    EXPECT_THAT(run_whorl({"inspect", "--vk", scratch / "noise"}).err, testing::Not(testing::HasSubstr("this is")));
}

TEST(Inspect, SaysWhyAProofIsOfAnotherKey) {
    const auto inspect = [](const std::string& key, const std::string& proof) {
        const Outcome outcome = run_whorl(
            {"inspect", "--vk", vector_folder(key) / "vk.postcard", "--proof", vector_folder(proof) / "proof.bin"});
        EXPECT_EQ(outcome.exit_code, 0) << outcome;
        return outcome.out;
    };
    using testing::HasSubstr;
    EXPECT_THAT(inspect("fib_2e5", "fib_2e5"), HasSubstr("  has the shape of a proof under this key"));
    const std::string not_a_proof = "  not a proof under this key: ";
    EXPECT_THAT(inspect("fib_2e5", "mixture"), HasSubstr(not_a_proof + "it is for 12 AIRs, the key has 1\n"));
    const std::string parts = inspect("preprocessed_and_cached", "keccak_5_perms");
    EXPECT_THAT(parts, HasSubstr(not_a_proof + "AIR 0 has 0 cached commitments, the key has 2 cached parts\n"));
    EXPECT_THAT(parts,
                HasSubstr(not_a_proof + "AIR 0 has a trace of 2^7 rows, the key's preprocessed columns have 2^5\n"));
    EXPECT_THAT(inspect("fib_2e5", "preprocessed_and_cached"),
                HasSubstr("AIR 0 has 0 public values, the key says 3\n"));
    EXPECT_THAT(inspect("preprocessed", "fib_2e5"),
                HasSubstr(not_a_proof + "shape.batch_constraints: AIR 0: wrong number of parts"));
}

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

void expect_error(const Outcome& outcome, const std::vector<std::string>& words) {
    EXPECT_EQ(outcome.exit_code, 2) << outcome;
    EXPECT_EQ(outcome.out, "");
    for (const std::string& word : words) EXPECT_THAT(outcome.err, HasSubstr(word));
    EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1) << "one line: " << outcome.err;
}

/// `whorl prove` of a copy of a vector that was tampered with.
class BadTask : public testing::Test {
protected:
    Outcome prove() { return run_whorl({"prove", "--task", task.string(), "--out", scratch / "proof.bin"}); }
    void edit_json(const std::function<void(json&)>& edit) {
        json document = json::parse(read_text(task / "task.json"));
        edit(document);
        write_text(task / "task.json", document.dump());
    }
    void TearDown() override {
        EXPECT_THAT(scratch.file_names(), ElementsAre("mixture")) << "a failed run left a file";
    }

    Scratch scratch;
    fs::path task = scratch.copy_of("mixture");
};

TEST_F(BadTask, ThatIsNotThere) {
    expect_error(run_whorl({"prove", "--task", scratch / "nowhere", "--out", scratch / "proof.bin"}),
                 {"nowhere/task.json", "No such file"});
}

TEST_F(BadTask, WithoutKey) {
    fs::remove(task / "vk.postcard");
    expect_error(prove(), {"vk.postcard", "No such file"});
}

TEST_F(BadTask, WithATruncatedKey) {
    const std::string key = read_text(task / "vk.postcard");
    write_text(task / "vk.postcard", key.substr(0, key.size() / 2));
    expect_error(prove(), {"vk.postcard"});
}

TEST_F(BadTask, WithAnotherTasksKey) {
    write_text(task / "vk.postcard", read_text(vector_folder("fib_2e5") / "vk.postcard"));
    expect_error(prove(), {"task.json/num_airs is 12", "vk.postcard has 1"});
}

TEST_F(BadTask, WithoutATracePart) {
    fs::remove(task / "air3_cached0.bin");
    expect_error(prove(), {"air3_cached0.bin", "No such file"});
}

TEST_F(BadTask, WithAValueAboveTheField) {
    // Column 3, row 2 of 7 columns by 16 rows.
    std::string part = read_text(task / "air7_main.bin");
    part.replace((3 * 16 + 2) * 4, 4, std::string("\x01\x00\x00\x78", 4));
    write_text(task / "air7_main.bin", part);
    expect_error(prove(), {"air7_main.bin: column 3, row 2 is 2013265921", "p = 2013265921"});
}

TEST_F(BadTask, WithTheWrongNumberOfBytes) {
    std::string part = read_text(task / "air7_main.bin");
    part.pop_back();
    write_text(task / "air7_main.bin", part);
    expect_error(prove(), {"air7_main.bin has 447 bytes, expected 448", "width 7", "height 16"});
}

TEST_F(BadTask, WithAHeightThatIsNotTheFiles) {
    edit_json([](json& task_json) { task_json["airs"][7]["height"] = 32; });
    expect_error(prove(), {"air7_main.bin has 448 bytes, expected 896"});
}

TEST_F(BadTask, WithAHeightThatIsNoPowerOfTwo) {
    edit_json([](json& task_json) { task_json["airs"][7]["height"] = 12; });
    expect_error(prove(), {"airs/7/height is 12", "power of two"});
}

TEST_F(BadTask, WithAHugeHeight) {
    edit_json([](json& task_json) { task_json["airs"][7]["height"] = std::uint64_t{1} << 40; });
    expect_error(prove(), {"airs/7/height is 1099511627776"});
}

TEST_F(BadTask, WithAWidthThatIsNotTheKeys) {
    edit_json([](json& task_json) { task_json["airs"][7]["common_main"]["width"] = 8; });
    expect_error(prove(), {"airs/7/common_main has width 8, the key says 7"});
}

TEST_F(BadTask, WithOtherParameters) {
    edit_json([](json& task_json) { task_json["params"]["whir"]["rounds"][0]["num_queries"] = 11; });
    expect_error(prove(), {"params differ", "queries of WHIR round 0 is 11, there 10\n"});
}

TEST_F(BadTask, WithAnotherPreHash) {
    edit_json([](json& task_json) { task_json["vk_pre_hash"][0] = 1; });
    expect_error(prove(), {"pre-hash"});
}

TEST_F(BadTask, WithAnAirThatTheKeyDoesNotHave) {
    edit_json([](json& task_json) { task_json["airs"][7]["air_id"] = 12; });
    expect_error(prove(), {"airs/7/air_id is 12", "12 AIRs"});
}

TEST_F(BadTask, WithAnAirListedTwice) {
    edit_json([](json& task_json) { task_json["airs"][9]["air_id"] = 8; });
    expect_error(prove(), {"AIR 8 is listed twice"});
}

TEST_F(BadTask, WithTooFewPublicValues) {
    edit_json([](json& task_json) { task_json["airs"][0]["public_values"] = {1, 2}; });
    expect_error(prove(), {"airs/0/public_values has 2 values, the key says 3"});
}

TEST_F(BadTask, WithAPublicValueAboveTheField) {
    edit_json([](json& task_json) { task_json["airs"][0]["public_values"][1] = 2013265921; });
    expect_error(prove(), {"airs/0/public_values/1 is 2013265921"});
}

TEST_F(BadTask, WithoutItsPreprocessedPart) {
    edit_json([](json& task_json) { task_json["airs"][5]["preprocessed"] = nullptr; });
    expect_error(prove(), {"airs/5/preprocessed is null"});
}

TEST_F(BadTask, WithAFileOutsideItsFolder) {
    edit_json([](json& task_json) { task_json["airs"][7]["common_main"]["file"] = "../air7_main.bin"; });
    expect_error(prove(), {"../air7_main.bin", "not the name of a file"});
}

TEST_F(BadTask, ThatIsNotJson) {
    write_text(task / "task.json", "{\"format\": 1, ");
    expect_error(prove(), {"task.json is not JSON"});
}

TEST_F(BadTask, NestedADeepWay) {
    std::string text = "{\"x\":";
    for (int i = 0; i < 100000; ++i) text += '[';
    write_text(task / "task.json", text);
    expect_error(prove(), {"task.json/x/0/", "nested deeper than 16 levels"});
}

TEST_F(BadTask, WithAKeyTwice) {
    std::string text = read_text(task / "task.json");
    text.insert(text.find("\"height\""), "\"height\": 8, ");
    write_text(task / "task.json", text);
    expect_error(prove(), {"task.json/airs/0 has \"height\" twice"});
}

TEST_F(BadTask, WithoutCommonMainColumnsThatTheKeyHas) {
    edit_json([](json& task_json) { task_json["airs"][7]["common_main"] = nullptr; });
    expect_error(prove(), {"airs/7/common_main is null, the key says width 7"});
}

TEST_F(BadTask, WithAMissingField) {
    edit_json([](json& task_json) { task_json.erase("params"); });
    expect_error(prove(), {"task.json has no \"params\""});
}

TEST_F(BadTask, WithTextForANumber) {
    edit_json([](json& task_json) { task_json["params"]["l_skip"] = "4"; });
    expect_error(prove(), {"params/l_skip is not a whole number"});
}

TEST_F(BadTask, OfAnotherFormat) {
    edit_json([](json& task_json) { task_json["format"] = 2; });
    expect_error(prove(), {"format is 2"});
}

TEST(Input, ATaskWithoutStoredTracesSaysWhatIsMissing) {
    const Scratch scratch;
    expect_error(run_whorl({"prove", "--task", vector_folder("keccakf_1024"), "--out", scratch / "proof.bin"}),
                 {"stores no traces", "inputs.u64le", "whorl keccakf --inputs"});
}

TEST(Input, KeccakInputsOfAnOddSizeAreRefused) {
    const Scratch scratch;
    write_text(scratch / "inputs", std::string(201, 'x'));
    expect_error(run_whorl({"keccakf", "--inputs", scratch / "inputs"}), {"201 bytes", "multiple of 200"});
}

TEST(Input, MorePermutationsThanInputsAreRefused) {
    const std::string inputs = (vector_folder("keccak_5_perms") / "inputs.u64le").string();
    expect_error(run_whorl({"keccakf", "--inputs", inputs, "--permutations", "6"}), {"has 5 inputs", "asks for 6"});
}

TEST(Input, AKeyOrProofThatIsNotOneIsBadInput) {
    const Scratch scratch;
    const fs::path task = vector_folder("fib_2e5");
    const std::string key = (task / "vk.postcard").string();
    const std::string proof = (task / "proof.bin").string();
    const std::string text = read_text(proof);
    write_text(scratch / "cut", text.substr(0, text.size() - 1));
    write_text(scratch / "long", text + '\0');
    write_text(scratch / "empty", "");
    for (const char* name : {"cut", "long", "empty"}) {
        expect_error(run_whorl({"verify", "--vk", key, "--proof", scratch / name}), {scratch / name});
        expect_error(run_whorl({"verify", "--vk", scratch / name, "--proof", proof}), {scratch / name});
    }
    expect_error(run_whorl({"verify", "--vk", scratch / "none", "--proof", proof}), {"none", "No such file"});
    expect_error(run_whorl({"verify", "--vk", key, "--proof", scratch.path()}), {"Is a directory"});
    expect_error(run_whorl({"inspect", "--vk", scratch / "cut"}), {scratch / "cut"});
}

/// An output that cannot be written is found before the work: no proof takes this long to be refused.
TEST(Output, ThatCannotBeWrittenIsRefusedBeforeProving) {
    const Scratch scratch;
    fs::create_directory(scratch / "folder");
    write_text(scratch / "file", "x");
    for (const auto& [path, reason] : {std::pair<std::string, std::string>{scratch / "folder", "Is a directory"},
                                       {scratch / "none/proof.bin", "No such file"},
                                       {scratch / "file/proof.bin", "Not a directory"}}) {
        for (const char* option : {"--out", "--vk-out", "--metrics", "--timeline"}) {
            const auto start = std::chrono::steady_clock::now();
            expect_error(run_whorl({"keccakf", option, path}), {option, path, reason});
            EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(2));
        }
    }
    EXPECT_THAT(scratch.file_names(), testing::UnorderedElementsAre("folder", "file"));
}

TEST(Output, OfTwoOptionsMustNotBeOneFile) {
    const Scratch scratch;
    expect_error(run_whorl({"keccakf", "--out", scratch / "a", "--vk-out", scratch / "./a"}), {"--vk-out", "--out"});
    EXPECT_THAT(scratch.file_names(), IsEmpty());
}

TEST(Output, MustNotReplaceAnInput) {
    const Scratch scratch;
    const fs::path task = scratch.copy_of("fib_2e5");
    const std::string key = (task / "vk.postcard").string();
    const std::string before = read_text(key);
    expect_error(run_whorl({"inspect", "--vk", key, "--metrics", key}), {"--metrics", "--vk"});
    EXPECT_EQ(read_text(key), before);
}

TEST(Output, OfAFailedRunLeavesTheOldFileAlone) {
    const Scratch scratch;
    write_text(scratch / "proof.bin", "the old proof");
    const Outcome outcome = run_whorl({"prove", "--task", scratch / "none", "--out", scratch / "proof.bin"});
    EXPECT_EQ(outcome.exit_code, 2);
    EXPECT_EQ(read_text(scratch / "proof.bin"), "the old proof");
    EXPECT_THAT(scratch.file_names(), ElementsAre("proof.bin"));
}

}  // namespace
}  // namespace whorl::test
