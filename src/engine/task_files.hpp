// Which files a task is made of, without reading them.
#pragma once

#include <filesystem>
#include <vector>

#include <whorl/error.hpp>

namespace whorl {

/// task.json of `folder` and all files that it names: what load_task opens. Errors: those of load_task that concern
/// task.json alone.
Result<std::vector<std::filesystem::path>> task_files(const std::filesystem::path& folder) noexcept;

}  // namespace whorl
