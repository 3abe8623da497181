#include "cli/version_text.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <vector>

#include <whorl/proof.hpp>
#include <whorl/version.hpp>

#include "field/instruction_sets.hpp"
#include "whorl_commit.hpp"  // made by cmake/Commit.cmake

namespace whorl::cli {

std::string version_text() {
    std::vector<const char*> devices{"cpu"};
#ifdef WHORL_HAS_SIM
    devices.push_back("sim");
#endif
#ifdef WHORL_HAS_CUDA
    devices.push_back("cuda");
#endif
#ifdef WHORL_HAS_METAL
    devices.push_back("metal");
#endif
    return fmt::format(
        "whorl {} (proof codec {})\n"
        "commit: {}\n"
        "devices: {}\n"
        "instruction sets: {}; the first is used",
        WHORL_VERSION, kCodecVersion, WHORL_COMMIT, fmt::join(devices, ", "),
        fmt::join(usable_instruction_sets(), ", "));
}

}  // namespace whorl::cli
