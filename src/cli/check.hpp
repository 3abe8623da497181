// Checking traces before anyone spends time on proving.
#pragma once

#include <whorl/error.hpp>
#include <whorl/task.hpp>

#include "cli/session.hpp"

namespace whorl::cli {

/// Whether the traces satisfy all constraints and buses, under a span "check"; prints what does not hold.
Result<bool> check_task(Session& session, const Task& task);

}  // namespace whorl::cli
