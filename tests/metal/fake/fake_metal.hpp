// What tests see of the fake Metal runtime: how it is to behave, and what the program did with it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace fake_metal {

/// With which a use of Metal that its validation layer would report ends the process.
inline constexpr int kMisuseExitCode = 99;

inline constexpr std::uint32_t kForever = UINT32_MAX;

/// Codes of MTLCommandBufferError.
enum class CommandBufferError : std::int64_t {
    kInternal = 1,
    kTimeout = 2,
    kPageFault = 3,
    kIgnored = 4,
    kOutOfMemory = 8
};

struct Options {
    /// Draws the order of all that nothing orders. 0: what was encoded last comes first. The environment variable
    /// WHORL_FAKE_METAL_SEED has the one that a program starts with.
    std::uint64_t seed = 0;
    /// Work is carried out when it is committed, not when someone waits for it.
    bool is_eager = false;
    /// How often a value or status must be asked for until one more encoder's work is done.
    std::uint32_t polls_per_step = 3;
    /// The longest that a wait for a value sleeps before it says that the time is over, whatever its own limit.
    std::uint32_t longest_wait_ms = 1000;

    std::uint32_t num_devices = 1;  ///< WHORL_FAKE_METAL_DEVICES has the number that a program starts with
    std::uint64_t memory = std::uint64_t{8} << 30;  ///< bytes; newBuffer returns nil beyond them
    std::uint64_t max_buffer_length = std::uint64_t{4} << 30;
    std::uint64_t max_num_buffers = UINT64_MAX;  ///< newBuffer returns nil once counts().buffers is as much

    std::uint32_t compile_ms = 0;       ///< how much longer a library takes to compile; kForever: it never ends
    std::string compile_error = {};     ///< newLibrary fails with this text
    std::string failing_pipeline = {};  ///< the kernel for which there is no pipeline
    std::string failing_kernel = {};    ///< its command buffer fails …
    CommandBufferError failure = CommandBufferError::kInternal;  ///< … with this code
    std::string hanging_kernel = {};                             ///< it never ends

    /// Changes the text of a library before it is compiled.
    std::function<std::string(std::string)> alter_text = {};
};

/// For what is done from now on.
void set_options(const Options& options);

/// Since the process started.
struct Counts {
    std::uint64_t buffers = 0;
    std::uint64_t command_buffers = 0;  ///< committed
    std::uint64_t encoders = 0;
    std::uint64_t dispatches = 0;
    std::uint64_t libraries = 0;     ///< made from text
    std::uint64_t compilations = 0;  ///< of them not found among those compiled before
};
Counts counts();

/// The class names of all objects that nobody has released yet.
std::vector<std::string> live_objects();
std::size_t num_live_buffers();

}  // namespace fake_metal
