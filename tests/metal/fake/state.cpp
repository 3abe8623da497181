#include "state.hpp"

#include <cstdlib>
#include <mutex>

namespace fake_metal {
namespace {

// For programs that cannot set options.
Options options_at_start() {
    Options options;
    if (const char* seed = std::getenv("WHORL_FAKE_METAL_SEED")) options.seed = std::strtoull(seed, nullptr, 10);
    if (const char* devices = std::getenv("WHORL_FAKE_METAL_DEVICES")) {
        options.num_devices = static_cast<std::uint32_t>(std::strtoul(devices, nullptr, 10));
    }
    return options;
}

struct GuardedOptions {
    std::mutex mutex;
    Options options = options_at_start();
};
GuardedOptions& guarded_options() {
    static auto* instance = new GuardedOptions;
    return *instance;
}

}  // namespace

Options options() {
    const std::lock_guard lock(guarded_options().mutex);
    return guarded_options().options;
}

void set_options(const Options& options) {
    const std::lock_guard lock(guarded_options().mutex);
    guarded_options().options = options;
}

AtomicCounts& atomic_counts() {
    static AtomicCounts counts;
    return counts;
}

Counts counts() {
    const AtomicCounts& now = atomic_counts();
    return {now.buffers, now.command_buffers, now.encoders, now.dispatches, now.libraries, now.compilations};
}

}  // namespace fake_metal
