#include "machine/memory.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <optional>
#include <system_error>

namespace whorl {
namespace {

namespace fs = std::filesystem;

// What version 1 gives where there is no limit is close to 2^63.
constexpr std::uint64_t kUnlimited = std::uint64_t{1} << 62;

std::optional<std::uint64_t> number_in(std::string_view text) {
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end == text.data()) return std::nullopt;
    return number;
}

// Paths are strings in this file: where memory ends, libstdc++'s std::filesystem::path frees what it joins twice.
std::string joined(std::string_view folder, std::string_view below) {
    while (folder.ends_with('/')) folder.remove_suffix(1);
    while (below.starts_with('/')) below.remove_prefix(1);
    std::string path(folder);
    if (!below.empty()) path.append("/").append(below);
    return path;
}

/// All of a small file; empty where it cannot be read. (Streams of libstdc++ free a buffer twice where memory ends.)
std::string read_text(const std::string& path) {
    const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file < 0) return {};
    struct Closer {
        int file;
        ~Closer() { ::close(file); }
    } const closer{file};
    constexpr std::size_t kMaxBytes = std::size_t{1} << 20;
    std::string text;
    std::array<char, 4096> buffer;
    while (text.size() < kMaxBytes) {
        const ssize_t count = ::read(file, buffer.data(), buffer.size());
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) break;
        text.append(buffer.data(), static_cast<std::size_t>(count));
    }
    return text;
}

/// The next piece of `text` up to `separator`, which is taken from it; consecutive separators count as one.
std::string_view next_piece(std::string_view& text, char separator) {
    text.remove_prefix(std::min(text.find_first_not_of(separator), text.size()));
    const std::string_view piece = text.substr(0, text.find(separator));
    text.remove_prefix(piece.size());
    return piece;
}

/// The number that a file of one number holds; none for "max".
std::optional<std::uint64_t> read_number(const std::string& path) {
    return number_in(read_text(path));
}

/// The number beside `key` in lines "key number".
std::uint64_t read_entry(const std::string& path, std::string_view key) {
    const std::string text = read_text(path);
    std::string_view rest = text;
    while (!rest.empty()) {
        std::string_view line = next_piece(rest, '\n');
        if (next_piece(line, ' ') == key) return number_in(next_piece(line, ' ')).value_or(0);
    }
    return 0;
}

std::uint64_t page_bytes() {
    const long bytes = ::sysconf(_SC_PAGESIZE);
    return bytes > 0 ? static_cast<std::uint64_t>(bytes) : 0;
}

/// Address space and memory of this process, in bytes.
struct OwnSize {
    std::uint64_t virtual_bytes = 0;
    std::uint64_t resident_bytes = 0;
};
OwnSize own_size() {
    const std::string text = read_text("/proc/self/statm");
    std::string_view rest = text;
    const std::uint64_t virtual_pages = number_in(next_piece(rest, ' ')).value_or(0);
    const std::uint64_t resident_pages = number_in(next_piece(rest, ' ')).value_or(0);
    return {virtual_pages * page_bytes(), resident_pages * page_bytes()};
}

/// A mounted file system of control groups.
struct Mount {
    bool is_v2 = false;
    std::string group;  // that the mount point stands for
    std::string point;
};

// Lines of proc/self/mountinfo: ID PARENT DEV GROUP POINT OPTIONS [TAGS…] - TYPE SOURCE SUPER_OPTIONS.
std::vector<Mount> cgroup_mounts(const std::string& root) {
    std::vector<Mount> mounts;
    const std::string text = read_text(joined(root, "proc/self/mountinfo"));
    std::string_view rest = text;
    while (!rest.empty()) {
        std::string_view line = next_piece(rest, '\n');
        for (int i = 0; i < 3; ++i) next_piece(line, ' ');
        const std::string_view group = next_piece(line, ' ');
        const std::string_view point = next_piece(line, ' ');
        while (!line.empty() && next_piece(line, ' ') != "-") {
        }
        const std::string_view type = next_piece(line, ' ');
        next_piece(line, ' ');
        std::string_view options = next_piece(line, ' ');
        bool has_memory = false;
        while (!options.empty()) has_memory |= next_piece(options, ',') == "memory";
        if (type == "cgroup2" || (type == "cgroup" && has_memory))
            mounts.push_back({type == "cgroup2", std::string(group), std::string(point)});
    }
    return mounts;
}

// The path of this process's group in the hierarchy of version 2, or in that of the memory controller of version 1. Lines of
// proc/self/cgroup: NUMBER:CONTROLLERS:PATH.
std::optional<std::string> own_group(const std::string& root, bool is_v2) {
    const std::string text = read_text(joined(root, "proc/self/cgroup"));
    std::string_view rest = text;
    while (!rest.empty()) {
        const std::string line(next_piece(rest, '\n'));
        const std::size_t first = line.find(':');
        const std::size_t second = first == std::string::npos ? first : line.find(':', first + 1);
        if (second == std::string::npos) continue;
        const std::string controllers = ',' + line.substr(first + 1, second - first - 1) + ',';
        if (is_v2 ? controllers == ",," : controllers.find(",memory,") != std::string::npos)
            return line.substr(second + 1);
    }
    return std::nullopt;
}

// The limits of the group in `folder`.
void add_group_limits(const std::string& folder, const std::string& shown, bool is_v2,
                      std::vector<MemoryLimit>& limits) {
    const auto add = [&](const char* file, const char* usage, const char* reclaimable) {
        const std::optional<std::uint64_t> limit = read_number(joined(folder, file));
        if (!limit || *limit >= kUnlimited) return;
        const std::uint64_t in_use = read_number(joined(folder, usage)).value_or(0);
        const std::uint64_t files = read_entry(joined(folder, "memory.stat"), reclaimable);
        limits.push_back({fmt::format("the control group's {} ({})", file, joined(shown, file)), *limit,
                          in_use > files ? in_use - files : 0});
    };
    if (is_v2) {
        add("memory.max", "memory.current", "inactive_file");
        add("memory.high", "memory.current", "inactive_file");
    } else {
        add("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file");
    }
}

// The part of `group` below `mounted`, without a slash at either end; empty where it is not below.
std::string_view below_mount(std::string_view group, std::string_view mounted) {
    while (mounted.ends_with('/')) mounted.remove_suffix(1);
    if (!group.starts_with(mounted)) return {};
    group.remove_prefix(mounted.size());
    if (!group.empty() && !group.starts_with('/')) return {};
    while (group.starts_with('/')) group.remove_prefix(1);
    while (group.ends_with('/')) group.remove_suffix(1);
    return group;
}

void add_cgroup_limits(const std::string& root, std::vector<MemoryLimit>& limits) {
    for (const Mount& mount : cgroup_mounts(root)) {
        const std::optional<std::string> group = own_group(root, mount.is_v2);
        if (!group) continue;
        // Inside a container the path may be the host's, and the mount point stands for the group itself.
        std::string_view below = below_mount(*group, mount.group);
        const std::string point = joined(root, mount.point);
        if (::access(joined(point, below).c_str(), F_OK) != 0) below = {};
        while (true) {
            add_group_limits(joined(point, below), joined(mount.point, below), mount.is_v2, limits);
            if (below.empty()) break;
            const std::size_t slash = below.rfind('/');
            below = below.substr(0, slash == std::string_view::npos ? 0 : slash);
        }
    }
}

}  // namespace

std::optional<MemoryLimit> address_space_limit() {
    rlimit address_space{};
    if (::getrlimit(RLIMIT_AS, &address_space) != 0 || address_space.rlim_cur == RLIM_INFINITY) return std::nullopt;
    return MemoryLimit{"RLIMIT_AS (ulimit -v)", address_space.rlim_cur, own_size().virtual_bytes};
}

std::vector<MemoryLimit> memory_limits(const fs::path& root) {
    std::vector<MemoryLimit> limits;
    const OwnSize own = own_size();
    if (const long pages = ::sysconf(_SC_PHYS_PAGES); pages > 0)
        limits.push_back({"this machine", static_cast<std::uint64_t>(pages) * page_bytes(), own.resident_bytes});
    if (std::optional<MemoryLimit> limit = address_space_limit()) limits.push_back(*std::move(limit));
    add_cgroup_limits(root.string(), limits);
    return limits;
}

MemoryLimit tightest_memory_limit(const fs::path& root) {
    const std::vector<MemoryLimit> limits = memory_limits(root);
    const auto tightest = std::ranges::min_element(limits, {}, &MemoryLimit::available);
    return tightest == limits.end() ? MemoryLimit{"no limit", kUnlimited, 0} : *tightest;
}

Result<void> check_memory(std::string_view stage, std::string_view what, std::uint64_t needed, const fs::path& root) {
    const MemoryLimit limit = tightest_memory_limit(root);
    if (needed <= limit.available()) return {};
    const auto [needed_text, available_text] = human_bytes_apart(needed, limit.available());
    return Error{
        ErrorCode::kMachine, std::string(stage),
        fmt::format("{} needs more than {} of memory, {} are available: {} allows {}, {} are in use; raise the limit, "
                    "use a larger machine, or prove less at once",
                    what, needed_text, available_text, limit.name, human_bytes(limit.bytes),
                    human_bytes(limit.in_use))};
}

std::string human_bytes(std::uint64_t bytes) {
    constexpr std::array<std::string_view, 5> kUnits{"B", "KiB", "MiB", "GiB", "TiB"};
    std::size_t unit = 0;
    auto size = static_cast<double>(bytes);
    while (size >= 1024 && unit + 1 < kUnits.size()) {
        size /= 1024;
        ++unit;
    }
    return unit == 0 ? fmt::format("{} B", bytes) : fmt::format("{:.1f} {}", size, kUnits[unit]);
}

std::pair<std::string, std::string> human_bytes_apart(std::uint64_t a, std::uint64_t b) {
    std::pair<std::string, std::string> texts(human_bytes(a), human_bytes(b));
    if (a != b && texts.first == texts.second) texts = {fmt::format("{} B", a), fmt::format("{} B", b)};
    return texts;
}

}  // namespace whorl
