// What `whorl --version` prints.
#pragma once

#include <string>

namespace whorl::cli {

/// Version, commit, devices that this build can use, instruction sets that this processor can use.
std::string version_text();

}  // namespace whorl::cli
