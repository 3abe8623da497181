// --json: every command's answer is one object, as docs/output.schema.json says, and nothing else.
#include <gmock/gmock.h>

#include <cstddef>
#include <functional>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "cli/program.hpp"
#include "cli/schema.hpp"

namespace whorl::test {
namespace {

using nlohmann::json;

class JsonOutput : public testing::Test {
protected:
    static std::string in_vector(std::string_view vector, std::string_view file) {
        return (vector_folder(vector) / file).string();
    }
    /// Runs a command with --json and holds what it prints to the schema's part `name`.
    json answer(std::vector<std::string> arguments, const std::string& name, int exit_code = 0) const {
        arguments.emplace_back("--json");
        const Outcome outcome = run_whorl(arguments);
        EXPECT_EQ(outcome.exit_code, exit_code) << outcome;
        expect_as(outcome.out, name);
        return json::parse(outcome.out, nullptr, false);
    }
    void expect_as(const std::string& text, const std::string& name) const {
        const json document = json::parse(text, nullptr, false);
        EXPECT_TRUE(part(name).accepts(document)) << name << ": " << text;
        EXPECT_TRUE(Schema(schema).accepts(document)) << text;
    }
    Schema part(const std::string& name) const {
        json root = schema;
        root.erase("oneOf");
        root["$ref"] = "#/$defs/" + name;
        return Schema(root);
    }

    json schema =
        json::parse(read_text(fs::path(WHORL_TEST_VECTORS).parent_path().parent_path() / "docs/output.schema.json"));
    std::string key = in_vector("fib_2e5", "vk.postcard");
    std::string proof = in_vector("fib_2e5", "proof.bin");
    Scratch scratch;
};

TEST_F(JsonOutput, OfVerify) {
    const json accepted = answer({"verify", "--vk", key, "--proof", proof, "--min-security", "0"}, "accepted");
    EXPECT_EQ(accepted["proof"], proof);
    EXPECT_EQ(accepted["proof_bytes"], 6449);
    EXPECT_EQ(accepted["statement"]["airs"][0]["public_values"], json({0, 1, 2178309}));
    EXPECT_NEAR(accepted["security"]["total_bits"].get<double>(), 5.15, 0.01);
    EXPECT_TRUE(accepted["security"]["whir_rounds"].back()["out_of_domain"].is_null());
    // The statement is one that --expect takes.
    write_text(scratch / "statement", accepted["statement"].dump());
    EXPECT_EQ(
        run_whorl({"verify", "--vk", key, "--proof", proof, "--expect", scratch / "statement", "--min-security", "0"})
            .exit_code,
        0);
    const json rejected = answer({"verify", "--vk", key, "--proof", proof, "--min-security", "100"}, "rejected", 1);
    EXPECT_EQ(rejected["error"]["kind"], "statement_security");
    EXPECT_EQ(rejected["error"]["expected"], "at least 100 bits");
}

TEST_F(JsonOutput, OfABatchIsAnObjectALine) {
    write_text(scratch / "noise", "noise");
    const Outcome outcome =
        run_whorl({"verify", "--vk", key, "--batch", "-", "--public-values", "0=0,1,2178309", "--json", "--quiet"},
                  proof + "\n" + in_vector("fib_height_1", "proof.bin") + "\n" + (scratch / "noise") + "\n" +
                      (scratch / "none") + "\n");
    EXPECT_EQ(outcome.exit_code, 2) << outcome;
    std::istringstream lines(outcome.out);
    std::vector<std::string> verdicts;
    for (std::string line; std::getline(lines, line);) {
        const json document = json::parse(line, nullptr, false);
        ASSERT_TRUE(document.contains("verdict")) << line;
        verdicts.push_back(document["verdict"]);
        EXPECT_TRUE(Schema(schema).accepts(document)) << line;
    }
    EXPECT_THAT(verdicts, testing::ElementsAre("accepted", "rejected", "malformed", "unreadable"));
}

TEST_F(JsonOutput, OfCheckAndProve) {
    const std::string good = vector_folder("interactions").string();
    EXPECT_EQ(answer({"check", "--task", good}, "check")["is_satisfied"], true);
    const json proved = answer({"prove", "--task", good, "--out", scratch / "proof", "--check"}, "prove");
    EXPECT_EQ(proved["proof_bytes"], fs::file_size(scratch / "proof"));
    EXPECT_EQ(proved["check"]["is_satisfied"], true);
    EXPECT_TRUE(proved.contains("verify_ms"));
    EXPECT_FALSE(
        answer({"prove", "--task", good, "--out", scratch / "proof", "--no-verify"}, "prove").contains("verify_ms"));

    const fs::path unbalanced = scratch.copy_of("interactions");
    std::string trace = read_text(unbalanced / "air0_main.bin");
    trace[4] = static_cast<char>(trace[4] ^ 1);
    write_text(unbalanced / "air0_main.bin", trace);
    EXPECT_FALSE(answer({"check", "--task", unbalanced}, "check", 1)["unbalanced_buses"].empty());
    const fs::path broken = scratch.copy_of("fib_2e5");
    trace = read_text(broken / "air0_main.bin");
    trace[8] = static_cast<char>(trace[8] ^ 1);
    write_text(broken / "air0_main.bin", trace);
    const json report = answer({"check", "--task", broken}, "check", 1);
    EXPECT_EQ(report["is_satisfied"], false);
    EXPECT_EQ(report["failures"][0]["name"], "FibonacciAir");
    EXPECT_EQ(report["failures"][0]["row"], 1);
    EXPECT_FALSE(report["failures"][0].contains("source"));  // a task without notes
    EXPECT_EQ(report["failing_airs"][0]["name"], "FibonacciAir");
    const json not_proved = answer({"prove", "--task", broken, "--out", scratch / "none", "--check"}, "not_proved", 1);
    EXPECT_EQ(not_proved["check"]["is_satisfied"], false);
    EXPECT_FALSE(fs::exists(scratch / "none"));
}

TEST_F(JsonOutput, OfInspectPlanDevicesAndDoctor) {
    EXPECT_FALSE(answer({"inspect", "--vk", in_vector("mixture", "vk.postcard")}, "inspect").contains("proof"));
    const json inspected = answer({"inspect", "--vk", key, "--proof", proof}, "inspect");
    EXPECT_EQ(inspected["pre_hash"][0], 471505953);
    EXPECT_EQ(inspected["airs"][0]["num_public_values"], 3);
    EXPECT_EQ(inspected["proof"]["misfits"], json::array());
    EXPECT_EQ(answer({"inspect", "--vk", key, "--proof", in_vector("mixture", "proof.bin")},
                     "inspect")["proof"]["misfits"][0],
              "it is for 12 AIRs, the key has 1");
    const json choices = answer({"params", "--task", vector_folder("mixture")}, "params_choices");
    EXPECT_GT(choices["choices"].size(), 30U);
    EXPECT_GE(choices["chosen"]["security_bits"], 100);
    EXPECT_GT(answer({"plan", "--task", vector_folder("mixture")}, "plan")["buffers"].size(), 5U);
    EXPECT_GT(answer({"plan", "--task", vector_folder("mixture"), "--device", "sim"}, "plan")["buffers"].size(), 10U);
    EXPECT_EQ(answer({"devices"}, "devices")["devices"][0]["id"], "cpu");
    EXPECT_EQ(answer({"doctor"}, "doctor")["is_healthy"], true);
}

TEST_F(JsonOutput, IsThereInAQuietRunAndNothingElseIs) {
    const Outcome outcome = run_whorl({"verify", "--vk", key, "--proof", proof, "--json", "--quiet"});
    EXPECT_EQ(outcome.err, "");
    expect_as(outcome.out, "accepted");
    // Warnings and errors are no part of the answer.
    EXPECT_THAT(run_whorl({"verify", "--vk", key, "--proof", proof, "--json"}).err, testing::HasSubstr("warning"));
    const Outcome unreadable = run_whorl({"verify", "--vk", key, "--proof", scratch / "none", "--json"});
    EXPECT_EQ(unreadable.exit_code, 2);
    EXPECT_EQ(unreadable.out, "");
    EXPECT_THAT(run_whorl({"verify", "--vk", key, "--proof", proof, "--json", "--statement-out", "-"}).err,
                testing::HasSubstr("--statement-out: standard output is taken by --json"));
}

/// So that a test above fails where a field is added, and the schema must say what it is.
TEST_F(JsonOutput, EveryObjectOfTheSchemaNamesItsFields) {
    std::size_t num_objects = 0;
    const std::function<void(const json&)> visit = [&](const json& value) {
        if (value.is_object() && value.contains("properties")) {
            ++num_objects;
            EXPECT_EQ(value.value("additionalProperties", true), false) << value;
            for (const auto& name : value.value("required", json::array())) {
                EXPECT_TRUE(value.at("properties").contains(name)) << name;
            }
        }
        if (value.is_structured()) {
            for (const json& child : value) visit(child);
        }
    };
    visit(schema);
    EXPECT_GT(num_objects, 20U);
}

}  // namespace
}  // namespace whorl::test
