// The options in force and the counts so far.
#pragma once

#include <atomic>

#include "fake_metal.hpp"

namespace fake_metal {

Options options();

struct AtomicCounts {
    std::atomic<std::uint64_t> buffers = 0, command_buffers = 0, encoders = 0, dispatches = 0, libraries = 0,
                               compilations = 0;
};
AtomicCounts& atomic_counts();

}  // namespace fake_metal
