// Writing to the standard streams.
#pragma once

#include <cstdio>
#include <string_view>

namespace whorl::cli {

/// Never throws: that a stream is full or closed is seen at the end of the run, by its error flag.
inline void put(std::FILE* stream, std::string_view text) noexcept {
    std::fwrite(text.data(), 1, text.size(), stream);
}

}  // namespace whorl::cli
