// Text that came from outside (names, paths, bytes of a file) in a form that a terminal can show.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace whorl {

/// `text` on one line of printable UTF-8: control characters (newlines and escape sequences among them), characters that
/// change the direction of text or have no width, and bytes that are not UTF-8 become \xNN, byte by byte. Whatever a
/// message takes from a path, a file or a command line goes through here.
std::string printable(std::string_view text);

/// printable() of each name, for describe() and its like.
std::vector<std::string> printable_names(std::span<const std::string> names);

/// The same as printable(), with newlines kept: for reports of several lines.
std::string printable_lines(std::string_view text);

}  // namespace whorl
