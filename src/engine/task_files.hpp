// Which files a task is made of, without reading them, and how they are named.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <whorl/error.hpp>

namespace whorl {

inline constexpr std::string_view kTaskFile = "task.json";
inline constexpr std::string_view kTaskKeyFile = "vk.postcard";
/// Of task.json.
inline constexpr std::uint32_t kTaskFormat = 1;

/// The usual name of a trace part: "main", "cached0", "preprocessed".
std::string part_file(std::uint32_t air_id, std::string_view part);

/// task.json of `folder` and all files that it names: what load_task opens. Errors: those of load_task that concern
/// task.json alone.
Result<std::vector<std::filesystem::path>> task_files(const std::filesystem::path& folder) noexcept;

}  // namespace whorl
