// Files as the program needs them: read whole, written so that a failure never costs the old content.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string_view>
#include <vector>
#include <whorl/error.hpp>

namespace whorl {

/// All bytes of `path`, which may be a pipe. Errors: kIo, naming the file and the system's reason.
Result<std::vector<std::byte>> read_file(const std::filesystem::path& path);

/// Whether write_file(path, …) can be expected to work: the folder takes new files and `path` is not a folder. Leaves
/// nothing behind. Errors: kIo.
Result<void> check_writable(const std::filesystem::path& path);

/// Replaces `path` by `bytes`: writes a temporary file in the same folder, syncs it to the disk and renames it, so that
/// `path` always has either its old or its new content. A symbolic link stays and its target is replaced; a device or a
/// pipe is written to directly. Errors: kIo; the temporary file is then gone and `path` as it was.
Result<void> write_file(const std::filesystem::path& path, std::span<const std::byte> bytes);
Result<void> write_file(const std::filesystem::path& path, std::string_view text);

}  // namespace whorl
