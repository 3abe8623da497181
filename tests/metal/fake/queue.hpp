// The device at work: committed steps are carried out when someone waits for them, in the worst order that is allowed.
#pragma once

#include <cstdint>

#include "commands.hpp"

namespace fake_metal {

/// Takes over what a command buffer encodes.
void submit(CommandBuffer& command_buffer);

/// Works until the command buffer is complete. Misuse where that never happens.
void finish(CommandBuffer& command_buffer);

/// Works until the event has the value; false where that does not happen in time.
bool finish(SharedEvent& event, std::uint64_t value, std::uint64_t milliseconds);

/// Carries out one step where one can be; false where none can.
bool work_a_little();

void signal_from_host(SharedEvent& event, std::uint64_t value);

}  // namespace fake_metal
