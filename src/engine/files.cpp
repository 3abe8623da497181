#include "engine/files.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <system_error>

#include "machine/memory.hpp"
#include "text/printable.hpp"

namespace whorl {
namespace {

// Paths are put together and taken apart as text here: libstdc++ 12 frees twice where fs::path's own operations run out
// of memory.
namespace fs = std::filesystem;

constexpr std::string_view kReadStage = "file.read";
constexpr std::string_view kWriteStage = "file.write";
constexpr std::size_t kMaxTransferBytes = std::size_t{1} << 30;  // macOS refuses 2 GiB in one call

Error file_error(ErrorCode code, std::string_view stage, std::string message) {
    return {.code = code, .stage = std::string(stage), .message = std::move(message)};
}

// The system would read such a name up to its NUL byte: another file.
bool has_nul(const fs::path& path) {
    return path.native().find('\0') != std::string::npos;
}
Error nul_error(std::string_view stage, const fs::path& path) {
    return file_error(ErrorCode::kIo, stage,
                      fmt::format("{}: the name of a file has no NUL byte", printable(path.native())));
}

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

/// As read(2), again where a signal came between.
ssize_t read_some(int fd, void* bytes, std::size_t size) {
    while (true) {
        const ssize_t count = ::read(fd, bytes, std::min(size, kMaxTransferBytes));
        if (count >= 0) return count;
        if (errno == EAGAIN || errno == EWOULDBLOCK) {
            // The caller's own descriptor, which does not wait by itself.
            pollfd ready{.fd = fd, .events = POLLIN, .revents = 0};
            if (::poll(&ready, 1, -1) < 0 && errno != EINTR) return -1;
        } else if (errno != EINTR) {
            return -1;
        }
    }
}

constexpr int kPatienceMs = 5000;  // with the other end of a pipe

// A pipe that was opened without waiting: is there somebody who writes to it? One that had a writer says so at once.
bool has_writer(int fd) {
    pollfd ready{.fd = fd, .events = POLLIN, .revents = 0};
    if (::poll(&ready, 1, kPatienceMs) > 0) return true;
    std::array<char, 1> byte{};
    // Nothing has come: without a writer a pipe is at its end, with one it asks to try again. A byte that comes between
    // the two calls is lost, so it must not count as a writer.
    return ::read(fd, byte.data(), byte.size()) < 0 && errno == EAGAIN;
}

// ---- temporary files ----------------------------------------------------------------------------------------------

/// The names of temporary files that exist, where a signal handler can read them.
struct TemporarySlot {
    enum State : int { kFree, kTaken, kNamed };
    std::atomic<int> state = kFree;
    std::array<char, PATH_MAX> path{};
};
static_assert(std::atomic<int>::is_always_lock_free);

constexpr std::size_t kMaxTemporaries =
    64;  // those beyond, the columns of a key with more AIRs, are not removed by signals
std::array<TemporarySlot, kMaxTemporaries> temporary_slots;
std::atomic<bool> is_removing_temporaries = false;
std::atomic<int> num_renaming = 0;  // threads that rename files which belong together

/// A new file beside the one that it will replace; removed unless it was renamed.
class TemporaryFile {
public:
    TemporaryFile(const fs::path& folder, mode_t mode) : path_(temporary_name(folder)) {
        for (TemporarySlot& slot : temporary_slots) {
            int expected = TemporarySlot::kFree;
            if (path_.native().size() >= slot.path.size()) break;
            if (!slot.state.compare_exchange_strong(expected, TemporarySlot::kTaken)) continue;
            std::memcpy(slot.path.data(), path_.c_str(), path_.native().size() + 1);
            slot.state = TemporarySlot::kNamed;
            slot_ = &slot;
            break;
        }
        file_ = Descriptor(::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode));
        error_ = file_.is_open() ? 0 : errno;
        // A handler that ran before the file was there did not see it.
        if (is_removing_temporaries) ::unlink(path_.c_str());
    }
    ~TemporaryFile() {
        if (file_.is_open() || is_closed_) ::unlink(path_.c_str());
        if (slot_ != nullptr) slot_->state = TemporarySlot::kFree;
    }
    TemporaryFile(const TemporaryFile&) = delete;
    TemporaryFile& operator=(const TemporaryFile&) = delete;

    bool is_open() const { return file_.is_open(); }
    int get() const { return file_.get(); }
    /// Of opening.
    int error() const { return error_; }
    int close() {
        is_closed_ = true;
        return file_.close();
    }
    /// 0, or the system's error. Precondition: it was closed.
    int rename_to(const fs::path& target) {
        if (::rename(path_.c_str(), target.c_str()) != 0) return errno;
        is_closed_ = false;
        return 0;
    }

private:
    // Short, so that it fits wherever the real name fits. Random, so that threads, processes and containers (which all have
    // process 1) do not meet, and what a killed one left is in nobody's way.
    static fs::path temporary_name(const fs::path& folder) {
        static std::atomic<unsigned> counter = 0;
        std::uint64_t random = 0;
        if (::getentropy(&random, sizeof random) != 0) random = static_cast<std::uint64_t>(::getpid());
        return path_in(folder, fmt::format(".whorl-{}-{:016x}.tmp", counter++, random));
    }

    fs::path path_;
    TemporarySlot* slot_ = nullptr;
    Descriptor file_;
    int error_ = 0;
    bool is_closed_ = false;  // and not renamed
};

std::string folder_of(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    if (slash == std::string::npos) return ".";
    return path.substr(0, std::max<std::size_t>(slash, 1));
}

/// As realpath(3); nothing where it fails.
std::optional<std::string> real_path(const std::string& path) {
    const std::unique_ptr<char, decltype(&std::free)> real(::realpath(path.c_str(), nullptr), &std::free);
    if (real == nullptr) return std::nullopt;
    return std::string(real.get());
}

/// The text of a symbolic link; nothing where there is none.
std::optional<std::string> read_link(const std::string& path) {
    std::array<char, PATH_MAX> text{};
    const ssize_t size = ::readlink(path.c_str(), text.data(), text.size());
    if (size < 0) return std::nullopt;
    return std::string(text.data(), static_cast<std::size_t>(size));
}

/// What is at `path` now.
struct Target {
    bool exists = false;
    bool is_direct = false;  ///< cannot be replaced by a file: a device, a pipe, an open file that has no name any more
    mode_t mode = 0666;      ///< of a new file, before the umask
};

Result<Target> look_at(const fs::path& path) {
    if (has_nul(path)) return nul_error(kWriteStage, path);
    struct stat status{};
    if (::stat(path.c_str(), &status) != 0) {
        if (errno == ENOENT && !path.empty()) return Target{};
        return io_error(kWriteStage, path, errno);
    }
    if (S_ISDIR(status.st_mode)) return io_error(kWriteStage, path, EISDIR);
    if (::access(path.c_str(), W_OK) != 0) return io_error(kWriteStage, path, errno);
    struct stat link{};
    const bool is_link = ::lstat(path.c_str(), &link) == 0 && S_ISLNK(link.st_mode);
    // Without the set-id bits: the new file may have another owner.
    return Target{.exists = true,
                  .is_direct = !S_ISREG(status.st_mode) || is_link,
                  .mode = static_cast<mode_t>(status.st_mode & 0777U)};
}

// Opens what is written to as it is, and waits for the reader of a pipe no longer than open_for_reading for a writer.
Result<Descriptor> open_direct(const fs::path& path) {
    constexpr int kStepMs = 50;
    struct stat status{};
    const bool is_pipe = ::stat(path.c_str(), &status) == 0 && S_ISFIFO(status.st_mode);
    for (int waited_ms = 0;; waited_ms += kStepMs) {
        Descriptor file(::open(path.c_str(), O_WRONLY | O_TRUNC | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
        if (file.is_open()) {
            const int kept = ::fcntl(file.get(), F_GETFL);
            if (kept < 0 || ::fcntl(file.get(), F_SETFL, kept & ~O_NONBLOCK) != 0) {
                return io_error(kWriteStage, path, errno);
            }
            return file;
        }
        if (errno != ENXIO || !is_pipe) return io_error(kWriteStage, path, errno);
        if (waited_ms >= kPatienceMs) {
            return file_error(ErrorCode::kIo, kWriteStage,
                              fmt::format("{}: nobody reads from this pipe", printable(path.native())));
        }
        ::poll(nullptr, 0, kStepMs);
    }
}

Error too_long(const fs::path& path, const ReadLimit& limit, std::optional<std::uint64_t> size) {
    return file_error(ErrorCode::kBadFormat, kReadStage,
                      fmt::format("{} has {} bytes, {} has at most {}", printable(path.native()),
                                  size ? fmt::to_string(*size) : fmt::format("more than {}", limit.max_bytes),
                                  limit.content, limit.max_bytes));
}

}  // namespace

fs::path path_in(const fs::path& folder, std::string_view name) {
    std::string path = folder.native();
    if (!path.empty() && !path.ends_with('/')) path += '/';
    path += name;
    return {std::move(path)};
}

fs::path resolve_links(const fs::path& path) {
    if (has_nul(path) || path.empty()) return path;
    if (std::optional<std::string> real = real_path(path.native())) return {*std::move(real)};
    // A magic link of /proc, whose text is no path: what it opens is there all the same.
    struct stat status{};
    if (::stat(path.c_str(), &status) == 0) return path;
    constexpr int kMaxLinks = 40;
    std::string place = path.native();
    for (int i = 0; i < kMaxLinks; ++i) {
        const std::optional<std::string> link = read_link(place);
        if (!link) break;
        place = link->starts_with('/') ? *link : folder_of(place) + '/' + *link;
    }
    const std::string name = place.substr(place.rfind('/') + 1);  // all of it where there is no slash
    if (const std::optional<std::string> folder = real_path(folder_of(place))) return path_in(*folder, name);
    if (place.starts_with('/')) return {std::move(place)};
    const std::optional<std::string> here = real_path(".");
    return here ? path_in(*here, place) : fs::path(std::move(place));
}

Result<void> create_folders(const fs::path& folder) {
    if (has_nul(folder)) return nul_error(kWriteStage, folder);
    const std::string& text = folder.native();
    std::size_t end = 0;
    do {
        end = text.find('/', end + 1);
        const std::string part = text.substr(0, end);
        struct stat status{};
        if (::stat(part.c_str(), &status) == 0) {
            if (!S_ISDIR(status.st_mode)) return io_error(kWriteStage, part, ENOTDIR);
        } else if (::mkdir(part.c_str(), 0777) != 0 && errno != EEXIST) {
            return io_error(kWriteStage, part, errno);
        }
    } while (end != std::string::npos);
    return {};
}

Result<Descriptor> hold_folder(const fs::path& folder) {
    if (has_nul(folder)) return nul_error(kWriteStage, folder);
    Descriptor held(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!held.is_open()) return io_error(kWriteStage, folder, errno);
    if (::flock(held.get(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
        return file_error(ErrorCode::kIo, kWriteStage,
                          fmt::format("{}: another whorl writes to this folder", printable(folder.native())));
    }
    return held;
}

Error io_error(std::string_view stage, const fs::path& path, int system_error) {
    return file_error(ErrorCode::kIo, stage,
                      fmt::format("{}: {}", printable(path.native()), std::generic_category().message(system_error)));
}

Descriptor::~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
}

int Descriptor::close() {
    return ::close(std::exchange(fd_, -1)) == 0 ? 0 : errno;
}

Result<Descriptor> open_for_reading(const fs::path& path, FileKind kind) {
    if (has_nul(path)) return nul_error(kReadStage, path);
    // Without O_NONBLOCK the call itself would wait for the writer of a pipe.
    Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
    if (!file.is_open()) return io_error(kReadStage, path, errno);
    struct stat status{};
    if (::fstat(file.get(), &status) != 0) return io_error(kReadStage, path, errno);
    if (S_ISDIR(status.st_mode)) return io_error(kReadStage, path, EISDIR);
    if (kind == FileKind::kRegular && !S_ISREG(status.st_mode)) {
        return file_error(ErrorCode::kIo, kReadStage, fmt::format("{}: not a regular file", printable(path.native())));
    }
    if (S_ISFIFO(status.st_mode) && !has_writer(file.get())) {
        return file_error(ErrorCode::kIo, kReadStage,
                          fmt::format("{}: nobody writes to this pipe", printable(path.native())));
    }
    const int flags = ::fcntl(file.get(), F_GETFL);
    if (flags < 0 || ::fcntl(file.get(), F_SETFL, flags & ~O_NONBLOCK) != 0) return io_error(kReadStage, path, errno);
    return file;
}

Result<void> check_memory_for(std::string_view stage, const std::string& name, std::uint64_t size, unsigned factor) {
    constexpr std::uint64_t kShortBytes = std::uint64_t{1} << 20;  // looking costs more than reading
    if (size <= kShortBytes) return {};
    return check_memory(stage, printable(name), size * factor);
}

Result<std::vector<std::byte>> read_file(const fs::path& path, const ReadLimit& limit) {
    const Result<Descriptor> file = open_for_reading(path, limit.kind);
    if (!file) return file.error();
    return read_open_file(file->get(), path.native(), limit);
}

Result<std::vector<std::byte>> read_open_file(int fd, const std::string& name, const ReadLimit& limit) {
    constexpr std::uint64_t kChunkBytes = std::uint64_t{1} << 16;
    struct stat status{};
    if (::fstat(fd, &status) != 0) return io_error(kReadStage, name, errno);
    const auto size = S_ISREG(status.st_mode) ? static_cast<std::uint64_t>(status.st_size) : 0;
    if (size > limit.max_bytes) return too_long(name, limit, size);
    if (auto fits = check_memory_for(kReadStage, name, size, limit.memory_factor); !fits) return fits.error();

    // One byte more than the size says, so that the end of a regular file is seen without growing the buffer.
    std::vector<std::byte> bytes(static_cast<std::size_t>(S_ISREG(status.st_mode) ? size + 1 : kChunkBytes));
    std::size_t used = 0;
    while (true) {
        if (used > limit.max_bytes) return too_long(name, limit, std::nullopt);
        if (used == bytes.size()) bytes.resize(2 * bytes.size());
        const ssize_t count = read_some(fd, bytes.data() + used, bytes.size() - used);
        if (count < 0) return io_error(kReadStage, name, errno);
        if (count == 0) break;
        used += static_cast<std::size_t>(count);
    }
    bytes.resize(used);
    return bytes;
}

Result<std::optional<std::string>> LineReader::next() {
    constexpr std::size_t kChunkBytes = std::size_t{1} << 12;
    std::size_t end = buffered_.find('\n', start_);
    while (end == std::string::npos && !is_at_end_) {
        buffered_.erase(0, std::exchange(start_, 0));
        if (buffered_.size() > kMaxLineBytes) {
            return file_error(
                ErrorCode::kBadFormat, kReadStage,
                fmt::format("{}: line {} has more than {} bytes", printable(name_), num_lines_ + 1, kMaxLineBytes));
        }
        const std::size_t used = buffered_.size();
        buffered_.resize(used + kChunkBytes);
        const ssize_t count = read_some(fd_, buffered_.data() + used, kChunkBytes);
        buffered_.resize(used + static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
        if (count < 0) return io_error(kReadStage, name_, errno);
        is_at_end_ = count == 0;
        end = buffered_.find('\n', used);
    }
    if (end == std::string::npos && start_ == buffered_.size()) return std::optional<std::string>();
    std::string line = buffered_.substr(start_, end == std::string::npos ? end : end - start_);
    start_ = end == std::string::npos ? buffered_.size() : end + 1;
    if (line.ends_with('\r')) line.pop_back();
    ++num_lines_;
    return std::optional(std::move(line));
}

Result<void> check_writable(const fs::path& path) {
    const fs::path place = resolve_links(path);
    const Result<Target> target = look_at(place);
    if (!target) return target.error();
    if (target->is_direct) return {};
    const TemporaryFile probe(folder_of(place.native()), 0600);
    if (!probe.is_open()) return io_error(kWriteStage, path, probe.error());
    return {};
}

namespace {

/// A file that is written, but for its name.
struct StagedFile {
    StagedFile(const fs::path& given, fs::path resolved, mode_t mode)
        : path(given), place(std::move(resolved)), folder(folder_of(place.native())), temporary(folder, mode) {}

    fs::path path;  ///< as given
    fs::path place;
    std::string folder;
    TemporaryFile temporary;
};

/// Writes `bytes` beside `path`; nothing where they are in place already, in a device or a pipe.
Result<std::unique_ptr<StagedFile>> stage_file(const fs::path& path, std::span<const std::byte> bytes) {
    fs::path place = resolve_links(path);
    const Result<Target> target = look_at(place);
    if (!target) return target.error();
    if (target->is_direct) {
        Result<Descriptor> file = open_direct(place);
        if (!file) return file.error();
        if (const int error = write_all(file->get(), bytes)) return io_error(kWriteStage, path, error);
        if (const int error = file->close()) return io_error(kWriteStage, path, error);
        return std::unique_ptr<StagedFile>();
    }

    auto staged = std::make_unique<StagedFile>(path, std::move(place), target->mode);
    TemporaryFile& temporary = staged->temporary;
    if (!temporary.is_open()) return io_error(kWriteStage, path, temporary.error());
    int error = target->exists && ::fchmod(temporary.get(), target->mode) != 0 ? errno : 0;
    if (error == 0) error = write_all(temporary.get(), bytes);
    if (error == 0 && ::fsync(temporary.get()) != 0) error = errno;
    if (const int close_error = temporary.close(); error == 0) error = close_error;
    if (error != 0) return io_error(kWriteStage, path, error);
    return staged;
}

// While one lives, no signal's handler runs on this thread, and those that other threads run wait in
// remove_temporary_files(); one that is made when a handler runs already may not rename.
class RenamesUnderWay {
public:
    RenamesUnderWay() {
        sigset_t all;
        sigfillset(&all);
        is_masked_ = ::pthread_sigmask(SIG_SETMASK, &all, &before_) == 0;
        ++num_renaming;
    }
    ~RenamesUnderWay() {
        --num_renaming;
        if (is_masked_) ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
    }
    // This thread counts itself before it asks, a handler says that it removes before it counts: one of the two sees the other.
    static bool may_rename() { return !is_removing_temporaries; }
    RenamesUnderWay(const RenamesUnderWay&) = delete;
    RenamesUnderWay& operator=(const RenamesUnderWay&) = delete;

private:
    sigset_t before_{};
    bool is_masked_ = false;
};

}  // namespace

Result<void> write_files(std::span<const FileContent> files) {
    std::vector<std::unique_ptr<StagedFile>> staged;
    for (const FileContent& file : files) {
        Result<std::unique_ptr<StagedFile>> written = stage_file(file.path, file.bytes);
        if (!written) return written.error();
        if (*written != nullptr) staged.push_back(*std::move(written));
    }
    {
        const RenamesUnderWay renames;
        if (!staged.empty() && !renames.may_rename()) return io_error(kWriteStage, staged.front()->path, EINTR);
        for (const std::unique_ptr<StagedFile>& file : staged) {
            if (const int error = file->temporary.rename_to(file->place))
                return io_error(kWriteStage, file->path, error);
        }
    }
    // The new names are in place; that they survive a power cut is a courtesy some file systems do not offer.
    const std::string* synced = nullptr;
    for (const std::unique_ptr<StagedFile>& file : staged) {
        if (synced != nullptr && *synced == file->folder) continue;
        synced = &file->folder;
        const Descriptor folder(::open(file->folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        if (folder.is_open()) ::fsync(folder.get());
    }
    return {};
}

Result<void> write_file(const fs::path& path, std::span<const std::byte> bytes) {
    const FileContent file{path, bytes};
    return write_files(std::span(&file, 1));
}

Result<void> write_file(const fs::path& path, std::string_view text) {
    return write_file(path, std::as_bytes(std::span(text)));
}

void remove_temporary_files() noexcept {
    is_removing_temporaries = true;
    // A thread that renames has masked all signals, so this is another one, and renames take no time.
    for (int waits = 0; num_renaming > 0 && waits < 1000; ++waits) ::poll(nullptr, 0, 1);
    for (const TemporarySlot& slot : temporary_slots) {
        if (slot.state == TemporarySlot::kNamed) ::unlink(slot.path.data());
    }
}

}  // namespace whorl
