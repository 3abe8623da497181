// Files as the program needs them: read whole and within a limit, written so that a failure never costs the old content.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>
#include <whorl/error.hpp>

namespace whorl {

/// An open file; closes what it holds.
class Descriptor {
public:
    Descriptor() = default;
    explicit Descriptor(int fd) : fd_(fd) {}
    Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    Descriptor& operator=(Descriptor&& other) noexcept {
        std::swap(fd_, other.fd_);
        return *this;
    }
    ~Descriptor();
    bool is_open() const { return fd_ >= 0; }
    int get() const { return fd_; }
    /// 0, or the system's error.
    int close();

private:
    int fd_ = -1;
};

/// What a path must lead to: any file that ends (a pipe too), or a file on a disk.
enum class FileKind : std::uint8_t { kAny, kRegular };

/// How much of a file is read, and what it is read as.
struct ReadLimit {
    std::uint64_t max_bytes;
    std::string_view content;  ///< "a verifying key", for messages
    FileKind kind = FileKind::kAny;
    /// Bytes of memory that a byte of the file takes until it is read and understood, at most.
    unsigned memory_factor = 2;
};

/// Larger files are not what they should be, and are refused before they are read: 900 times the key of keccak-f, and
/// a task of 10^5 AIRs.
inline constexpr ReadLimit kKeyLimit{
    .max_bytes = std::uint64_t{1} << 28, .content = "a verifying key", .memory_factor = 12};
inline constexpr ReadLimit kTaskJsonLimit{
    .max_bytes = std::uint64_t{1} << 24, .content = "task.json", .kind = FileKind::kRegular, .memory_factor = 18};
inline constexpr ReadLimit kNotesLimit{
    .max_bytes = std::uint64_t{1} << 24, .content = "a file of notes", .kind = FileKind::kRegular, .memory_factor = 18};

/// "PATH: reason" for the system's error.
Error io_error(std::string_view stage, const std::filesystem::path& path, int system_error);

/// Opens `path` for reading. Never waits for more than a few seconds: a pipe that nobody writes to is an error.
/// Errors: kIo, for a folder, a socket, a name that holds a NUL byte, and for all but regular files where `kind` says so.
Result<Descriptor> open_for_reading(const std::filesystem::path& path, FileKind kind);

/// Whether there is memory for what is read of a file: `factor` bytes for each of its `size`. A control group ends a process that takes more
/// than it allows, so this comes before. Errors: kMachine, with the figures and the limit; never for a short file.
Result<void> check_memory_for(std::string_view stage, const std::string& name, std::uint64_t size, unsigned factor);

/// All bytes of `path`. Errors: kIo, naming the file and the system's reason; kBadFormat for more than
/// `limit.max_bytes`, kMachine for more than this machine has the memory for, without reading them where the size is known.
Result<std::vector<std::byte>> read_file(const std::filesystem::path& path, const ReadLimit& limit);
/// The rest of an open file, which stays open; `name` is for messages. Errors: as read_file.
Result<std::vector<std::byte>> read_open_file(int fd, const std::string& name, const ReadLimit& limit);

/// The lines of an open file, without their "\n" or "\r\n".
class LineReader {
public:
    /// Longer lines are no paths.
    static constexpr std::size_t kMaxLineBytes = std::size_t{1} << 16;

    /// `name` of the file, for messages. The descriptor stays open and must outlive the reader.
    LineReader(int fd, std::string name) : fd_(fd), name_(std::move(name)) {}

    /// Nothing at the end of the file. Errors: kIo; kBadFormat for a line of more than kMaxLineBytes.
    Result<std::optional<std::string>> next();

private:
    int fd_;
    std::string name_;
    std::string buffered_;
    std::size_t start_ = 0;  ///< of what has not been returned
    std::uint64_t num_lines_ = 0;
    bool is_at_end_ = false;
};

/// `name` inside `folder`, as operator/ of paths for a relative name; an empty folder is the current one.
std::filesystem::path path_in(const std::filesystem::path& folder, std::string_view name);

/// Makes `folder` and those above it that are missing. Errors: kIo.
Result<void> create_folders(const std::filesystem::path& folder);

/// Holds `folder` for one program at a time, until the descriptor is closed, among those that call this. Where the file system has no
/// locks, nothing is held. Errors: kIo, where another program holds it.
Result<Descriptor> hold_folder(const std::filesystem::path& folder);

/// Where bytes written to `path` go: the absolute path at the end of the chain of symbolic links, also where there is no file
/// yet. `path` itself where it is empty, or leads to an open file without a name.
std::filesystem::path resolve_links(const std::filesystem::path& path);

/// Whether write_file(path, …) can be expected to work: the folder takes new files and `path` is not a folder. Leaves
/// nothing behind. Errors: kIo.
Result<void> check_writable(const std::filesystem::path& path);

/// Replaces `path` by `bytes`: writes a temporary file in the same folder, syncs it to the disk and renames it, so that
/// `path` always has either its old or its new content. A symbolic link stays and its target is replaced; a device or a
/// pipe is written to directly, a pipe that nobody reads after a few seconds is an error. Errors: kIo; the temporary file is then gone and `path` as it was.
Result<void> write_file(const std::filesystem::path& path, std::span<const std::byte> bytes);
Result<void> write_file(const std::filesystem::path& path, std::string_view text);

/// A file and what it shall hold.
struct FileContent {
    std::filesystem::path path;
    std::span<const std::byte> bytes;
};
/// write_file for files that belong together: all are on the disk before the first is renamed, and no signal that ends the program
/// comes between the renames (remove_temporary_files). Devices and pipes are written to first. Errors: kIo; what was renamed by then stays.
Result<void> write_files(std::span<const FileContent> files);

/// Removes the temporary files of all calls of write_file and check_writable under way, once the renames of a write_files that has begun them
/// are done. For signal handlers of a program that ends: it takes no locks and no memory.
void remove_temporary_files() noexcept;

}  // namespace whorl
