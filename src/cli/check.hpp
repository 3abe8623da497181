// Checking traces before anyone spends time on proving.
#pragma once

#include <whorl/error.hpp>
#include <whorl/task.hpp>

#include "cli/session.hpp"
#include "text/json_writer.hpp"

namespace whorl::cli {

/// Whether the traces satisfy all constraints and buses, under a span "check"; prints what does not hold, and writes all that was
/// found to the open object `json`, where there is one.
Result<bool> check_task(Session& session, const Task& task, JsonWriter* json);

}  // namespace whorl::cli
