// Colours for people at a terminal.
#pragma once

#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>

namespace whorl::cli {

/// What a line tells.
enum class Tone : std::uint8_t { kPlain, kGood, kBad, kWarning };

/// Whether `stream` is a terminal that shows colours: not where TERM is "dumb" or NO_COLOR is set (https://no-color.org).
bool has_colours(std::FILE* stream);

/// `text`, whose first line tells `tone`: "rejected: …" up to the colon, "whorl: warning: …" up to the word, lines with neither as a
/// whole. The text has been escaped: the colours are the only escape sequences.
std::string in_colour(std::string_view text, Tone tone);

}  // namespace whorl::cli
