// Colours: on a terminal, and nowhere else.
#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "cli/program.hpp"
#include "cli/tone.hpp"

namespace whorl::test {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr const char* kGreen = "\x1b[1;32m";
constexpr const char* kRed = "\x1b[1;31m";
constexpr const char* kYellow = "\x1b[1;33m";

/// `whorl arguments…` on a terminal of that kind.
Outcome shown(const std::vector<std::string>& arguments, const std::string& term, const std::string& no_color) {
    Outcome outcome;
    const auto text = run_on_terminal(arguments, outcome.exit_code, {{"TERM", term}, {"NO_COLOR", no_color}});
    EXPECT_TRUE(text) << "no pseudo-terminal here (is /dev/pts mounted?)";
    outcome.out = text.value_or("");
    return outcome;
}

std::vector<std::string> verify(const std::string& min_security) {
    const fs::path task = vector_folder("fib_2e5");
    return {"verify", "--vk", task / "vk.postcard", "--proof", task / "proof.bin", "--min-security", min_security};
}

TEST(Terminal, GetsColours) {
    EXPECT_THAT(shown(verify("0"), "xterm", "").out, HasSubstr(std::string(kGreen) + "accepted\x1b[0m: "));
    const Outcome rejected = shown(verify("100"), "xterm", "");
    EXPECT_EQ(rejected.exit_code, 1);
    EXPECT_THAT(rejected.out, HasSubstr(std::string(kRed) + "rejected\x1b[0m: "));
    std::vector<std::string> without_option = verify("0");
    without_option.resize(5);
    EXPECT_THAT(shown(without_option, "xterm", "").out,
                HasSubstr(std::string(kYellow) + "whorl: warning:\x1b[0m proofs"));
    EXPECT_THAT(shown({"inspect", "--vk", "/none"}, "xterm", "").out,
                HasSubstr(std::string(kRed) + "whorl inspect: error:\x1b[0m file.read"));
}

TEST(Terminal, GetsNoneWhereItCannotShowThemOrNobodyWantsThem) {
    for (const std::vector<std::string>& environment : {std::vector<std::string>{"dumb", ""}, {"xterm", "1"}}) {
        for (const char* min_security : {"0", "100"}) {
            std::vector<std::string> arguments = verify(min_security);
            arguments.emplace_back("--quiet");  // without the progress line
            EXPECT_THAT(shown(arguments, environment[0], environment[1]).out, Not(HasSubstr("\x1b")));
        }
        EXPECT_THAT(shown({"inspect", "--vk", "/none"}, environment[0], environment[1]).out, Not(HasSubstr("\x1b[1;")));
    }
    EXPECT_THAT(run_whorl(verify("100")).out, Not(HasSubstr("\x1b")));
}

TEST(Tone, ColoursTheWordThatTells) {
    using cli::in_colour;
    using cli::Tone;
    EXPECT_EQ(in_colour("plain: text\n", Tone::kPlain), "plain: text\n");
    EXPECT_EQ(in_colour("x is not satisfied\nAIR 0: y\n", Tone::kBad),
              "\x1b[1;31mx is not satisfied\x1b[0m\nAIR 0: y\n");
    EXPECT_EQ(in_colour("", Tone::kGood), "\x1b[1;32m\x1b[0m");
}

}  // namespace
}  // namespace whorl::test
