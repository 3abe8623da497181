#include "engine/files.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <optional>
#include <system_error>
#include <utility>

namespace whorl {
namespace {

namespace fs = std::filesystem;

Error io_error(std::string_view stage, const fs::path& path, int system_error) {
    return {.code = ErrorCode::kIo,
            .stage = std::string(stage),
            .message = fmt::format("{}: {}", path.string(), std::generic_category().message(system_error))};
}

/// Closes what it holds.
class Descriptor {
public:
    explicit Descriptor(int fd) : fd_(fd) {}
    ~Descriptor() {
        if (fd_ >= 0) ::close(fd_);
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    bool is_open() const { return fd_ >= 0; }
    int get() const { return fd_; }
    /// 0, or the system's error.
    int close() { return ::close(std::exchange(fd_, -1)) == 0 ? 0 : errno; }

private:
    int fd_;
};

constexpr std::size_t kMaxTransferBytes = std::size_t{1} << 30;  // macOS refuses 2 GiB in one call

/// 0, or the system's error.
int write_all(int fd, std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
        const ssize_t count = ::write(fd, bytes.data(), std::min(bytes.size(), kMaxTransferBytes));
        if (count < 0) {
            if (errno == EINTR) continue;
            return errno;
        }
        bytes = bytes.subspan(static_cast<std::size_t>(count));
    }
    return 0;
}

// Where the bytes really go: the end of a chain of symbolic links. An empty or dangling path is kept as it is.
fs::path resolve(const fs::path& path) {
    std::error_code ignored;
    fs::path target = fs::canonical(path, ignored);
    return ignored ? path : target;
}

fs::path folder_of(const fs::path& path) {
    return path.has_parent_path() ? path.parent_path() : fs::path(".");
}

// Short, so that it fits wherever the real name fits; one per call, so that threads and processes do not meet.
fs::path temporary_name(const fs::path& folder) {
    static std::atomic<unsigned> counter = 0;
    return folder / fmt::format(".whorl-{}-{}.tmp", ::getpid(), counter++);
}

/// What is at `path` now.
struct Target {
    bool exists = false;
    bool is_direct = false;  ///< a device or a pipe: cannot be replaced by a file
    mode_t mode = 0666;      ///< of a new file, before the umask
};

Result<Target> look_at(const fs::path& path, std::string_view stage) {
    struct stat status{};
    if (::stat(path.c_str(), &status) != 0) {
        if (errno == ENOENT && !path.empty()) return Target{};
        return io_error(stage, path, errno);
    }
    if (S_ISDIR(status.st_mode)) return io_error(stage, path, EISDIR);
    if (::access(path.c_str(), W_OK) != 0) return io_error(stage, path, errno);
    return Target{
        .exists = true, .is_direct = !S_ISREG(status.st_mode), .mode = static_cast<mode_t>(status.st_mode & 07777U)};
}

}  // namespace

Result<std::vector<std::byte>> read_file(const fs::path& path) {
    constexpr std::string_view kStage = "file.read";
    constexpr std::size_t kChunkBytes = std::size_t{1} << 16;
    const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file.is_open()) return io_error(kStage, path, errno);
    struct stat status{};
    if (::fstat(file.get(), &status) != 0) return io_error(kStage, path, errno);
    if (S_ISDIR(status.st_mode)) return io_error(kStage, path, EISDIR);

    // One byte more than the size says, so that the end of a regular file is seen without growing the buffer.
    std::vector<std::byte> bytes(S_ISREG(status.st_mode) ? static_cast<std::size_t>(status.st_size) + 1 : kChunkBytes);
    std::size_t used = 0;
    while (true) {
        if (used == bytes.size()) bytes.resize(2 * bytes.size());
        const ssize_t count = ::read(file.get(), bytes.data() + used, std::min(bytes.size() - used, kMaxTransferBytes));
        if (count < 0) {
            if (errno == EINTR) continue;
            return io_error(kStage, path, errno);
        }
        if (count == 0) break;
        used += static_cast<std::size_t>(count);
    }
    bytes.resize(used);
    return bytes;
}

Result<void> check_writable(const fs::path& path) {
    constexpr std::string_view kStage = "file.write";
    const fs::path place = resolve(path);
    const Result<Target> target = look_at(place, kStage);
    if (!target) return target.error();
    if (target->is_direct) return {};
    const fs::path probe = temporary_name(folder_of(place));
    const Descriptor file(::open(probe.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!file.is_open()) return io_error(kStage, path, errno);
    ::unlink(probe.c_str());
    return {};
}

Result<void> write_file(const fs::path& path, std::span<const std::byte> bytes) {
    constexpr std::string_view kStage = "file.write";
    const fs::path place = resolve(path);
    const Result<Target> target = look_at(place, kStage);
    if (!target) return target.error();
    if (target->is_direct) {
        Descriptor file(::open(place.c_str(), O_WRONLY | O_CLOEXEC));
        if (!file.is_open()) return io_error(kStage, path, errno);
        if (const int error = write_all(file.get(), bytes)) return io_error(kStage, path, error);
        if (const int error = file.close()) return io_error(kStage, path, error);
        return {};
    }

    const fs::path temporary = temporary_name(folder_of(place));
    Descriptor file(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, target->mode & 0777U));
    if (!file.is_open()) return io_error(kStage, path, errno);
    int error = target->exists && ::fchmod(file.get(), target->mode) != 0 ? errno : 0;
    if (error == 0) error = write_all(file.get(), bytes);
    if (error == 0 && ::fsync(file.get()) != 0) error = errno;
    if (const int close_error = file.close(); error == 0) error = close_error;
    if (error == 0 && ::rename(temporary.c_str(), place.c_str()) != 0) error = errno;
    if (error != 0) {
        ::unlink(temporary.c_str());
        return io_error(kStage, path, error);
    }
    // The new name is in place; that it survives a power cut is a courtesy some file systems do not offer.
    const Descriptor folder(::open(folder_of(place).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (folder.is_open()) ::fsync(folder.get());
    return {};
}

Result<void> write_file(const fs::path& path, std::string_view text) {
    return write_file(path, std::as_bytes(std::span(text)));
}

}  // namespace whorl
