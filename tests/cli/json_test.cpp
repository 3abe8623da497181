// Text and JSON from outside.
#include <gmock/gmock.h>

#include <chrono>

#include "cli/program.hpp"
#include "text/json.hpp"
#include "text/printable.hpp"

namespace whorl::test {
namespace {

using testing::HasSubstr;

std::string problem_of(const std::string& text) {
    const Result<JsonDocument> parsed = parse_json(text, "stage", "doc");
    return parsed ? "" : parsed.error().message;
}

TEST(Text, HasEscapesForAllThatATerminalWouldAct) {
    EXPECT_EQ(printable("plain ASCII, größe, 日本, 😀"), "plain ASCII, größe, 日本, 😀");
    EXPECT_EQ(printable(std::string("a\0b\n\t\x1b[31m\x7f", 11)), "a\\x00b\\x0a\\x09\\x1b[31m\\x7f");
    EXPECT_EQ(printable("\xff\xc0\xaf"), "\\xff\\xc0\\xaf");           // no UTF-8, overlong
    EXPECT_EQ(printable("\xe2\x82"), "\\xe2\\x82");                    // cut
    EXPECT_EQ(printable("\xed\xa0\x80"), "\\xed\\xa0\\x80");           // a surrogate
    EXPECT_EQ(printable("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80");  // above U+10FFFF
    EXPECT_EQ(printable("\xc2\x9b"
                        "31m"),
              "\\xc2\\x9b31m");  // CSI as one character
    EXPECT_EQ(printable("\xe2\x80\xae"
                        "txt"),
              "\\xe2\\x80\\xaetxt");  // right-to-left override
    EXPECT_EQ(printable_lines("two\nlines\r"), "two\nlines\\x0d");
}

TEST(Json, IsReadAsTheLibraryReadsIt) {
    const std::string text = read_text(vector_folder("mixture") / "task.json");
    const Result<JsonDocument> parsed = parse_json(text, "stage", "doc");
    ASSERT_TRUE(parsed) << to_string(parsed.error());
    EXPECT_EQ(parsed->root(), Json::parse(text));
    for (const char* small : {"0", "-1", "1.5", "\"x\"", "[]", "{}", "[1,[2],{\"a\":[null,true]}]", "null"}) {
        const Result<JsonDocument> value = parse_json(small, "stage", "doc");
        ASSERT_TRUE(value) << small;
        EXPECT_EQ(value->root(), Json::parse(small)) << small;
    }
}

TEST(Json, NestedTooDeeplyIsRefusedWithoutRecursion) {
    for (const std::string& open : {std::string("["), std::string("{\"a\":"), std::string("[{\"a\":")}) {
        std::string text;
        for (int i = 0; i < 100000; ++i) text += open;
        EXPECT_THAT(problem_of(text), HasSubstr("nested deeper than 16 levels")) << open;
    }
    EXPECT_EQ(problem_of(std::string(16, '[') + std::string(16, ']')), "");
    EXPECT_EQ(problem_of(std::string(17, '[') + std::string(17, ']')),
              "doc/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0 is nested deeper than 16 levels");
}

TEST(Json, ManyKeysTakeNoQuadraticTime) {
    std::string text = "{\"first\":0";
    for (int i = 0; i < 300000; ++i) text += ",\"key" + std::to_string(i) + "\":0";
    text += '}';
    const auto start = std::chrono::steady_clock::now();
    EXPECT_EQ(problem_of(text), "");
    // Comparing each key with all before it: 45 billion comparisons.
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20));
}

TEST(Json, AKeyMustNotComeTwice) {
    EXPECT_EQ(problem_of(R"({"a":1,"b":2,"a":1})"), "doc has \"a\" twice");
    const std::string long_key = '"' + std::string(100000, 'k') + "\":1";
    EXPECT_EQ(problem_of("{" + long_key + "," + long_key + "}"), "doc has \"" + std::string(160, 'k') + "…\" twice");
    EXPECT_EQ(problem_of(R"({"airs":[{},{"x":{"h\n":1,"h\n":2}}]})"), "doc/airs/1/x has \"h\\x0a\" twice");
    EXPECT_EQ(problem_of(R"([{"a":1},{"a":1}])"), "");
}

TEST(Json, ThatIsNoneIsRefusedWithThePlaceAndNoMoreOfTheText) {
    EXPECT_THAT(problem_of(""), HasSubstr("doc is not JSON: line 1, column 1"));
    EXPECT_THAT(problem_of("{\"a\": 1,\n 2}"), HasSubstr("doc is not JSON: line 2"));
    EXPECT_THAT(problem_of("{} {}"), HasSubstr("doc is not JSON"));
    EXPECT_THAT(problem_of("[\"\xff\x1b\"]"), HasSubstr("doc is not JSON"));
    const std::string problem = problem_of("[\"" + std::string(1000000, 'x') + "\x01\"]");
    EXPECT_LT(problem.size(), 300U);
    for (const char c : problem_of("[\"\xff\x1b[31m\"]")) EXPECT_GE(static_cast<unsigned char>(c), 0x20);
}

}  // namespace
}  // namespace whorl::test
