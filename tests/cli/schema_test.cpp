// The schemas in docs/ against what is stored, and what whorl writes and reads.
#include <gmock/gmock.h>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include <whorl/task.hpp>

#include "cli/program.hpp"
#include "cli/schema.hpp"
#include "engine/statement_file.hpp"

namespace whorl::test {
namespace {

using nlohmann::json;

Schema schema_of(std::string_view name) {
    return Schema(json::parse(read_text(fs::path(WHORL_TEST_VECTORS).parent_path().parent_path() / "docs" / name)));
}

const Schema& schema() {
    static const Schema schema = schema_of("task.schema.json");
    return schema;
}

json task_json_of(const fs::path& folder) {
    return json::parse(read_text(folder / "task.json"));
}

TEST(TaskSchema, AcceptsEveryStoredTaskAndWhatIsSavedOfIt) {
    int num_tasks = 0;
    for (const auto& entry : fs::directory_iterator(WHORL_TEST_VECTORS)) {
        if (!fs::exists(entry.path() / "task.json")) continue;
        const json document = task_json_of(entry.path());
        if (!document.contains("airs")) {
            EXPECT_FALSE(schema().accepts(document)) << entry.path();
            continue;
        }
        ++num_tasks;
        EXPECT_TRUE(schema().accepts(document)) << entry.path();
        const Result<Task> task = load_task(entry.path());
        ASSERT_TRUE(task) << to_string(task.error());
        const Scratch scratch;
        ASSERT_TRUE(save_task(*task, scratch.path()));
        EXPECT_TRUE(schema().accepts(task_json_of(scratch.path()))) << entry.path();
    }
    EXPECT_EQ(num_tasks, 12);
}

TEST(TaskSchema, AcceptsEveryKindOfProximity) {
    json document = task_json_of(vector_folder("mixture"));
    json& proximity = document["params"]["whir"]["proximity"];
    for (const char* good : {R"("UniqueDecoding")", R"({"ListDecoding": {"m": 18446744073709551615}})",
                             R"({"SplitUniqueList": {"m": 3, "list_start_round": 1}})"}) {
        proximity = json::parse(good);
        EXPECT_TRUE(schema().accepts(document)) << good;
    }
    for (const char* bad : {R"("ListDecoding")", R"({"ListDecoding": {}})", "null", R"({"UniqueDecoding": {}})"}) {
        proximity = json::parse(bad);
        EXPECT_FALSE(schema().accepts(document)) << bad;
    }
}

/// Calls `visit` with the place of each value of a document, outermost first.
void for_each_place(const json& value, const json::json_pointer& place,
                    const std::function<void(const json::json_pointer&)>& visit) {
    visit(place);
    if (value.is_object()) {
        for (const auto& [key, member] : value.items()) for_each_place(member, place / key, visit);
    } else if (value.is_array()) {
        for (std::size_t i = 0; i < value.size(); ++i) for_each_place(value[i], place / i, visit);
    }
}

/// What the schema refuses the reader refuses, and the reader asks for no field and no type that the schema does not.
TEST(TaskSchema, AgreesWithTheReaderOnEveryFieldThatIsMissingOrOfAnotherType) {
    const Scratch scratch;
    const fs::path folder = scratch.copy_of("preprocessed_and_cached");
    const json good = task_json_of(folder);
    ASSERT_TRUE(schema().accepts(good));
    const json replacements[] = {nullptr, true, "text", 1.5, -1, std::uint64_t{1} << 63, json::array(), json::object()};
    int num_altered = 0;
    int num_only_by_the_key = 0;
    const auto compare = [&](const json& altered, const std::string& what) {
        ++num_altered;
        write_text(folder / "task.json", altered.dump());
        const Result<Task> task = load_task(folder);
        if (!schema().accepts(altered)) {
            EXPECT_FALSE(task) << what << ": the schema refuses it, the reader does not";
        } else if (!task) {
            // What only the key tells: other values of the right form.
            ++num_only_by_the_key;
            for (const char* of_form :
                 {"has no \"", "is not an", "is not a whole", "is not a string", "is above", "twice"}) {
                EXPECT_THAT(task.error().message, testing::Not(testing::HasSubstr(of_form))) << what;
            }
        }
    };
    for_each_place(good, json::json_pointer(), [&](const json::json_pointer& place) {
        if (place.empty()) return;
        const std::string name = place.to_string();
        if (name == "/proof" || name.starts_with("/common_main_commit")) return;  // of the vectors, not of tasks
        for (const json& replacement : replacements) {
            json altered = good;
            altered[place] = replacement;
            if (altered != good) compare(altered, name + " = " + replacement.dump());
        }
        json altered = good;
        json& parent = altered[place.parent_pointer()];
        if (parent.is_object()) {
            parent.erase(place.back());
        } else {
            parent.erase(std::stoul(place.back()));
        }
        compare(altered, "without " + name);
    });
    EXPECT_GT(num_altered, 300);
    EXPECT_GT(num_only_by_the_key, 10);
}

json whole_statement() {
    const fs::path task = vector_folder("preprocessed_and_cached");
    const Outcome outcome = run_whorl({"verify", "--vk", task / "vk.postcard", "--proof", task / "proof.bin",
                                       "--min-security", "0", "--statement-out", "-", "--quiet"});
    EXPECT_EQ(outcome.exit_code, 0) << outcome;
    return json::parse(outcome.out);
}

TEST(StatementSchema, AcceptsWhatIsWritten) {
    const Schema schema = schema_of("statement.schema.json");
    EXPECT_TRUE(schema.accepts(whole_statement()));
    EXPECT_TRUE(schema.accepts(json::parse(R"({"format": 1})")));
}

/// Both ways: the key has no say in what a statement is.
TEST(StatementSchema, AgreesWithTheReaderOnEveryFieldThatIsMissingFurtherOrOfAnotherType) {
    const Schema schema = schema_of("statement.schema.json");
    const json good = whole_statement();
    const json replacements[] = {nullptr,       true,          "text", 1.5, -1, 3, std::uint64_t{1} << 63,
                                 json::array(), json::object()};
    int num_altered = 0;
    const auto compare = [&](const json& altered, const std::string& what) {
        ++num_altered;
        // Read from text, where small numbers have the type that the schema compares as.
        const std::string text = altered.dump();
        EXPECT_EQ(schema.accepts(json::parse(text)), parse_statement(text, "statement.json").has_value()) << what;
    };
    for_each_place(good, json::json_pointer(), [&](const json::json_pointer& place) {
        if (place.empty()) return;
        for (const json& replacement : replacements) {
            json altered = good;
            altered[place] = replacement;
            compare(altered, place.to_string() + " = " + replacement.dump());
        }
        json altered = good;
        json& parent = altered[place.parent_pointer()];
        if (parent.is_object()) {
            parent.erase(place.back());
        } else {
            parent.erase(std::stoul(place.back()));
        }
        compare(altered, "without " + place.to_string());
        // Parameters may have further fields, as in task.json.
        if (good[place].is_object() && !place.to_string().starts_with("/params")) {
            altered = good;
            altered[place]["further"] = 1;
            compare(altered, place.to_string() + " with a further field");
        }
    });
    EXPECT_GT(num_altered, 300);
}

}  // namespace
}  // namespace whorl::test
