#include "cli/tone.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdlib>

namespace whorl::cli {
namespace {

std::string_view sequence_of(Tone tone) {
    switch (tone) {
        case Tone::kGood:
            return "\x1b[1;32m";
        case Tone::kBad:
            return "\x1b[1;31m";
        case Tone::kWarning:
            return "\x1b[1;33m";
        case Tone::kPlain:
            break;
    }
    return {};
}

// Where the part that is coloured ends.
std::size_t end_of_mark(std::string_view text) {
    const std::size_t line_end = std::min(text.find('\n'), text.size());
    for (const std::string_view word : {": error:", ": warning:"}) {
        if (const std::size_t at = text.find(word); at < line_end) return at + word.size();
    }
    return std::min(text.find(':'), line_end);
}

}  // namespace

bool has_colours(std::FILE* stream) {
    const char* term = std::getenv("TERM");
    const char* no_color = std::getenv("NO_COLOR");
    return ::isatty(::fileno(stream)) == 1 && term != nullptr && std::string_view(term) != "dumb" &&
           (no_color == nullptr || *no_color == '\0');
}

std::string in_colour(std::string_view text, Tone tone) {
    if (tone == Tone::kPlain) return std::string(text);
    const std::size_t end = end_of_mark(text);
    return fmt::format("{}{}\x1b[0m{}", sequence_of(tone), text.substr(0, end), text.substr(end));
}

}  // namespace whorl::cli
