// How much memory this process may take.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <whorl/error.hpp>

namespace whorl {

/// A limit on memory that holds for this process.
struct MemoryLimit {
    std::string name;         ///< "this machine", "RLIMIT_AS (ulimit -v)", "the control group's memory.max (FILE)"
    std::uint64_t bytes = 0;  ///< all that may be in use
    std::uint64_t in_use =
        0;  ///< of them, without what the system drops when memory is short (files it keeps a copy of)

    std::uint64_t available() const { return bytes > in_use ? bytes - in_use : 0; }
};

/// RLIMIT_AS, where one is set.
std::optional<MemoryLimit> address_space_limit();

/// All limits that can be read: the machine's memory, RLIMIT_AS, and on Linux memory.max and memory.high (version 2) or
/// memory.limit_in_bytes (version 1) of the control group and of those that hold it. `root` is where /proc and the mount
/// points are looked for; the first two are this process's own, whatever it is.
std::vector<MemoryLimit> memory_limits(const std::filesystem::path& root = "/");

/// The limit with the least memory left.
MemoryLimit tightest_memory_limit(const std::filesystem::path& root = "/");

/// Whether `needed` more bytes fit below all limits. Error: kMachine, with what is needed, what is available, the limit and
/// the remedy; `what` is the subject of its sentence.
Result<void> check_memory(std::string_view stage, std::string_view what, std::uint64_t needed,
                          const std::filesystem::path& root = "/");

/// 859137 -> "839.0 KiB".
std::string human_bytes(std::uint64_t bytes);

/// human_bytes() of both, or all of their digits where these would be the same texts: for what is needed and what there is.
std::pair<std::string, std::string> human_bytes_apart(std::uint64_t a, std::uint64_t b);

}  // namespace whorl
